"""What people do with a package. Each is one transaction; a refusal changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.actors import Actor
from guanjia.base.errors import BadInput, Missing
from guanjia.base.idempotency import once
from guanjia.base.moments import money
from guanjia.cases.rules import access_case
from guanjia.core.package import (
    ENDED,
    Accepted,
    Cancelled,
    Declined,
    HandSettled,
    ItemState,
    Mode,
    PackageState,
    Signal,
)
from guanjia.core.package import Item as CoreItem
from guanjia.coverage.rules import Verb
from guanjia.ledger.actions import Entry, Payload, record
from guanjia.lines.models import Line
from guanjia.lines.protocol.messages import HoldView
from guanjia.packages.composing import ItemDraft, compose, submit
from guanjia.packages.composition import Sheet, scope_of
from guanjia.packages.events import ItemSettledByHand, PackageAccepted, PackageCancelled, ProposalAnswered
from guanjia.packages.models import Composition, Package
from guanjia.packages.outlook import TO_ACCEPT
from guanjia.packages.rows import PackageRow, keys_of_hold, load
from guanjia.packages.rules import (
    ITEMS_MOST,
    NotByHand,
    NotDeclinable,
    NothingToAccept,
    PriceChanged,
    QuoteExpired,
    TooLate,
    access_package,
)
from guanjia.packages.settle import settle_and_wake
from guanjia.packages.signals import signal_of
from guanjia.people.actors import actor_of
from guanjia.people.models import User


@transaction.atomic
def compose_package(
    *, actor: User, case_number: str, mode: Mode, items: Sequence[ItemDraft], now: datetime
) -> Package:
    """A draft: parameters prefilled and checked, nothing asked of any line yet.

    Raises Missing, Forbidden, BadInput, UnknownService, SchemaViolation.
    """
    case = access_case(actor=actor, number=case_number, verb=Verb.COMPOSE, now=now)
    return compose(actor=actor, case=case, mode=mode, items=items, now=now)


@transaction.atomic
def submit_package(*, actor: User, number: str, now: datetime, accept_total: int | None = None) -> Package:
    """From now on the lines are asked. `accept_total` (minor units) is the merchant's yes to the listed
    price; without it a priced package first waits for that.

    Raises Missing, Forbidden, TooLate (not a draft any more), PriceChanged.
    """
    package = access_package(actor=actor, number=number, verb=Verb.COMPOSE, now=now)
    submit(actor=actor, package=package, accept_total=accept_total, now=now)
    package.refresh_from_db()
    return package


def request_package(
    *,
    actor: User,
    case_number: str,
    mode: Mode,
    items: Sequence[ItemDraft],
    now: datetime,
    accept_total: int | None = None,
    idempotency_key: str | None = None,
) -> Package:
    """Compose and submit in one go; the same key has one effect, however often and at once it comes."""

    def effect() -> int:
        package = compose_package(actor=actor, case_number=case_number, mode=mode, items=items, now=now)
        submit_package(actor=actor, number=package.number, now=now, accept_total=accept_total)
        return package.pk

    if idempotency_key is None:
        with transaction.atomic():
            return Package.objects.get(pk=effect())
    content = [case_number, mode, [draft.content() for draft in items], accept_total]
    pk, _new = once(scope=scope_of(actor), key=idempotency_key, content=content, now=now, effect=effect)
    return Package.objects.get(pk=pk)


@transaction.atomic
def save_composition(*, actor: User, case_number: str, sheet: Sheet, now: datetime) -> None:
    """Keep what this person is putting together on a case, right or wrong; nobody else sees it."""
    case = access_case(actor=actor, number=case_number, verb=Verb.COMPOSE, now=now)
    if len(sheet.items) > ITEMS_MOST:
        raise BadInput(_("一揽子最多 %(most)d 项。") % {"most": ITEMS_MOST}, hint=_("请分成几个一揽子。"))
    kept = {"key": sheet.key, "mode": sheet.mode, "items": sheet.stored(), "saved_at": now}
    Composition.objects.update_or_create(case=case, author=actor, defaults=kept)


@transaction.atomic
def drop_composition(*, actor: User, case_number: str, now: datetime) -> None:
    """Begin again with an empty sheet."""
    case = access_case(actor=actor, number=case_number, verb=Verb.COMPOSE, now=now)
    Composition.objects.filter(case=case, author=actor).delete()


@transaction.atomic
def submit_composition(
    *,
    actor: User,
    case_number: str,
    sheet: Sheet,
    items: Sequence[ItemDraft],
    now: datetime,
    accept_total: int | None = None,
) -> Package:
    """Request what is on the sheet, as `request_package` does, once; the kept sheet has served."""
    package = request_package(
        actor=actor,
        case_number=case_number,
        mode=sheet.mode,
        items=items,
        now=now,
        accept_total=accept_total,
        idempotency_key=str(sheet.key),
    )
    Composition.objects.filter(case=package.case_id, author=actor, key=sheet.key).delete()
    return package


@transaction.atomic
def accept_package(*, actor: User, number: str, total: int, now: datetime) -> Package:
    """The merchant's yes to the price it was shown, in minor units.

    Raises NothingToAccept, PriceChanged (the total is another by now), QuoteExpired.
    """
    package = access_package(actor=actor, number=number, verb=Verb.ACCEPT, now=now)
    row = _that_asks(package)
    amounts = _amounts(row, now)
    _check_total(row, amounts, total)
    _write(actor, row, PackageAccepted(number, total), [Accepted(amounts)], now)
    package.refresh_from_db()
    return package


@transaction.atomic
def answer_proposal(
    *, actor: User, number: str, declined: Sequence[int], total: int, now: datetime
) -> Package:
    """The merchant's no to the items at these positions, and its yes to the rest at exactly this total
    (minor units). Declining every item gives the package up.

    Raises NothingToAccept, NotDeclinable, BadInput (no such item), PriceChanged, QuoteExpired.
    """
    package = access_package(actor=actor, number=number, verb=Verb.ACCEPT, now=now)
    row = _that_asks(package)
    without = _declinable(row, declined)
    amounts = _amounts(row, now, without)
    _check_total(row, amounts, total)
    event = ProposalAnswered(number, sorted(set(declined)), total)
    _write(actor, row, event, [Declined(without), Accepted(amounts)], now)
    package.refresh_from_db()
    return package


def _that_asks(package: Package) -> PackageRow:
    row = load([package.pk])[package.pk]
    if row.package.accept_due_at is None and not any(_rose(item) for item in row.package.items):
        raise NothingToAccept(_("这个一揽子现在没有等您确认的价格。"), hint=_("请刷新查看最新状态。"))
    return row


def _declinable(row: PackageRow, positions: Sequence[int]) -> set[UUID]:
    """The items at these positions, each of which can be taken out now."""
    pairs = zip(row.items, row.package.items, strict=True)
    items = {about.position: item for about, item in pairs}
    if set(positions) - items.keys():
        raise BadInput(_("没有这一项。"), hint=_("请刷新查看最新状态。"))
    if any(items[position].state not in TO_ACCEPT for position in positions):
        raise NotDeclinable(_("这一项现在不能单独拒绝。"), hint=_("请刷新查看最新状态。"))
    return {items[position].uid for position in positions}


def _check_total(row: PackageRow, amounts: Mapping[UUID, int], total: int) -> None:
    if sum(amounts.values()) != total:
        raise PriceChanged(
            _("价格已变为 %(total)s，与您看到的不同。")
            % {"total": money(sum(amounts.values()), row.currency)},
            hint=_("请看过新价格再确认。"),
        )


def _amounts(row: PackageRow, now: datetime, without: Collection[UUID] = ()) -> dict[UUID, int]:
    """What there is to accept, by item; the quote of a lapsed hold cannot be accepted."""
    open_items = [
        item
        for item in row.package.items
        if item.uid not in without
        and ((item.state in TO_ACCEPT and item.quote_amount is not None) or _rose(item))
    ]
    if any(item.hold_expires_at and item.hold_expires_at <= now for item in open_items):
        raise QuoteExpired(_("报价已过期，正在重新询价。"), hint=_("新报价到了会再请您确认。"))
    return {item.uid: item.quote_amount or 0 for item in open_items}


def _rose(item: CoreItem) -> bool:
    """Held again after it was lost, at a higher price: accepted here, then retried by hand."""
    return item.state is ItemState.FAILED_NEEDS_HAND and item.awaits_acceptance


@transaction.atomic
def cancel_package(*, actor: User, number: str, now: datetime) -> Package:
    """Give the package up: everything held is released. Raises TooLate once confirming has begun."""
    package = access_package(actor=actor, number=number, verb=Verb.CANCEL, now=now)
    row = load([package.pk])[package.pk]
    if row.package.state in ENDED | {PackageState.CONFIRMING}:
        raise TooLate(_("这个一揽子已经在生效或已结束，不能撤回。"), hint=_("如需调整，请另提一件事。"))
    _write(actor, row, PackageCancelled(number), [Cancelled()], now)
    package.refresh_from_db()
    return package


@transaction.atomic
def settle_item_by_hand(
    *,
    actor: User,
    number: str,
    position: int,
    outcome: Literal["confirmed", "waived", "retry"],
    now: datetime,
) -> Package:
    """The named person has dealt with an item that could not be confirmed. Raises NotByHand."""
    package = access_package(actor=actor, number=number, verb=Verb.SETTLE_BY_HAND, now=now)
    row = load([package.pk])[package.pk]
    if outcome not in ("confirmed", "waived", "retry"):
        raise BadInput(_("没有这种处理结果。"), hint="confirmed | waived | retry")
    waiting = {
        about.position: item
        for about, item in zip(row.items, row.package.items, strict=True)
        if item.state is ItemState.FAILED_NEEDS_HAND
    }
    if position not in waiting:
        raise NotByHand(_("这一项不需要人工处理。"), hint=_("请刷新查看最新状态。"))
    settled = ItemSettledByHand(number, position, outcome)
    _write(actor, row, settled, [HandSettled(waiting[position].uid, outcome)], now)
    package.refresh_from_db()
    return package


@transaction.atomic
def receive_decision(*, line: Line, hold: HoldView, now: datetime) -> bool:
    """A line's signed word about a hold of its own; False if nobody waits for it any more.

    Raises Missing for a hold that is not this line's.
    """
    keys = keys_of_hold(line.pk, hold.hold_id)
    if keys is None:
        raise Missing(_("这条业务线没有这个预留。"), hint=_("请核对 hold_id。"))
    row = load([keys[0]])[keys[0]]
    item = next(i for i in row.package.items if i.hold_id == hold.hold_id)
    if not (item.state is ItemState.PENDING_DECISION or (item.by_silence and item.state is ItemState.HELD)):
        return False  # a late no counts as long as silence alone has held the item
    settle_and_wake(row.pk, [signal_of(hold, row.currency)], now, actor=Actor("line", line.slug))
    return True


def _write(actor: User, row: PackageRow, event: Payload, signals: Sequence[Signal], now: datetime) -> None:
    who = actor_of(actor)
    record([Entry(now, who, f"package:{row.number}", event, row.merchant_pk)])
    settle_and_wake(row.pk, signals, now, actor=who)
