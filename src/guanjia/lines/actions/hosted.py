"""What the people of a hosted line do: publish services, open capacity, decide holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.actors import Actor
from guanjia.base.errors import BadInput, FieldError, Missing, Refusal
from guanjia.base.flows import wake
from guanjia.base.texts import clean
from guanjia.ledger.actions import Entry, record
from guanjia.lines.actions.joining import read_manifest, register_line
from guanjia.lines.events import CapacitySet, HoldDecided
from guanjia.lines.hosted.business import holds_of
from guanjia.lines.hosted.door import base_url_of
from guanjia.lines.hosted.inventory import lock_slot, make_room
from guanjia.lines.hosted.services import check_inventory, check_key, spec_of
from guanjia.lines.hosted.store import record_of
from guanjia.lines.models import HostedDecision, HostedHold, HostedSlot, Line, LineKind, Service
from guanjia.lines.protocol.fence import NotPendingError
from guanjia.lines.protocol.messages import (
    DecisionNotice,
    HoldState,
    HoldView,
    Manifest,
    Money,
    Reason,
    ServiceSpec,
)
from guanjia.lines.protocol.signing import new_secret
from guanjia.lines.protocol.wire import dump_body
from guanjia.lines.rules import require_specialist
from guanjia.merchants.models import Merchant
from guanjia.people.actors import actor_of
from guanjia.people.models import User

DECISION_FLOW = "lines.decision"
"""The name of the flow that tells Guanjia of decisions; its keys are `HostedHold` ids. It never changes."""
CAPACITY_MOST = 2**31 - 1
REASON_MOST = 500
KEY_MOST = 120


class NotWaiting(Refusal):
    code = "not_waiting"


class StillTaken(Refusal):
    code = "still_taken"


@transaction.atomic
def open_hosted_line(
    *, actor: Actor, slug: str, titles: Mapping[str, str], lead: User, now: datetime
) -> Line:
    """Make a line that needs no code of its own. Raises BadInput for a name or titles LP/1 refuses."""
    return register_line(
        actor=actor,
        slug=slug,
        titles=titles,
        kind=LineKind.HOSTED,
        base_url=base_url_of(slug),
        secret=new_secret(),
        lead=lead,
        now=now,
    )


# --- services -----------------------------------------------------------------------------------


@transaction.atomic
def publish_services(*, actor: User, line: Line, services: Sequence[ServiceSpec], now: datetime) -> None:
    """All that the line offers from now on; what is not named is no longer offered.

    Raises NotYourLine, BadInput (not a hosted line, or a service LP/1 or the inventory cannot have).
    """
    line = _locked(actor, line)
    for spec in services:
        try:
            check_inventory(spec.schema)
        except ValueError as error:
            raise BadInput(f"{spec.code}: {error}", hint=_("请改正服务的参数定义。")) from error
    manifest = Manifest(line.slug, line.titles, tuple(services))
    read_manifest(actor=actor_of(actor), line=line, manifest=manifest, now=now)


@transaction.atomic
def publish_service(*, actor: User, line: Line, service: ServiceSpec, now: datetime) -> Service:
    """Offer one more service, or one of the same code anew. Raises as `publish_services`."""
    others = _offered_but(_locked(actor, line), service.code)
    publish_services(actor=actor, line=line, services=[*others, service], now=now)
    return Service.objects.get(line=line, code=service.code)


@transaction.atomic
def withdraw_service(*, actor: User, service: Service, now: datetime) -> None:
    """No longer offer a service; its holds go on. Raises NotYourLine, BadInput."""
    others = _offered_but(_locked(actor, service.line), service.code)
    publish_services(actor=actor, line=service.line, services=others, now=now)


def _locked(actor: User, line: Line) -> Line:
    require_specialist(actor, line)
    _require_hosted(line)
    return Line.objects.select_for_update(no_key=True).get(pk=line.pk)


def _require_hosted(line: Line) -> None:
    if line.kind != LineKind.HOSTED:
        raise BadInput(_("这条业务线用自己的系统，不由管家托管。"), hint=_("请在业务线自己的系统里改。"))


def _offered_but(line: Line, code: str) -> list[ServiceSpec]:
    rows = Service.objects.filter(line=line, active=True).exclude(code=code).order_by("code")
    return [spec_of(row) for row in rows]


# --- inventory ----------------------------------------------------------------------------------


@transaction.atomic
def set_capacity(*, actor: User, service: Service, key: str, capacity: int, now: datetime) -> HostedSlot:
    """Open a slot, or give it more or fewer units. `key`: see `hosted.services`.

    Raises NotYourLine, BadInput, StillTaken (fewer than are taken).
    """
    require_specialist(actor, service.line)
    _require_hosted(service.line)
    _check_slot(service, key, capacity)
    _slot, new = HostedSlot.objects.get_or_create(service=service, key=key, defaults={"capacity": 0})
    slot = lock_slot(service.pk, key)
    assert slot is not None
    before = slot.capacity
    make_room(slot, before - capacity, now)  # lapsed holds stand in nobody's way
    if capacity < slot.taken:
        raise StillTaken(
            _("已有 %(taken)d 个名额被占用，不能降到 %(capacity)d。")
            % {"taken": slot.taken, "capacity": capacity},
            hint=_("请先等预留释放，或设得不低于已占用的数目。"),
        )
    slot.capacity = capacity
    slot.save(update_fields=["capacity"])
    changed = CapacitySet(service.line.slug, service.code, key, None if new else before, capacity)
    record([Entry(now, actor_of(actor), f"line:{service.line.slug}", changed)])
    return slot


@transaction.atomic
def set_capacities(
    *, actor: User, service: Service, capacities: Mapping[str, int], now: datetime
) -> list[HostedSlot]:
    """Several slots at once, all or none; in the order of their keys, so that two of these never wait
    for each other in a circle. Raises as `set_capacity`, with the key as the path of its error."""
    changed = []
    for key in sorted(capacities):
        try:
            capacity = capacities[key]
            changed.append(set_capacity(actor=actor, service=service, key=key, capacity=capacity, now=now))
        except (BadInput, StillTaken) as refusal:
            errors = [FieldError(key, key, refusal.message)]
            raise type(refusal)(refusal.message, hint=refusal.hint, errors=errors) from refusal
    return changed


def _check_slot(service: Service, key: str, capacity: int) -> None:
    if not 0 <= capacity <= CAPACITY_MOST:
        raise BadInput(_("名额不成立。"), hint=_("应在 0 与 %(most)d 之间。") % {"most": CAPACITY_MOST})
    try:
        check_key(service.schema, key)
    except ValueError as error:
        why = str(error)[:300]
        raise BadInput(_("档位不成立：%(why)s") % {"why": why}, hint=_("请按服务的参数填写。")) from error
    if len(key) > KEY_MOST:
        raise BadInput(_("档位名太长。"), hint=_("最多 %(most)d 个字。") % {"most": KEY_MOST})


# --- decisions ----------------------------------------------------------------------------------


@transaction.atomic
def decide_hold(
    *,
    actor: User,
    hold_id: UUID,
    approve: bool,
    reason: Mapping[str, str] | None,
    now: datetime,
    quote: Money | None = None,
) -> HoldView:
    """A specialist's yes, perhaps at another price, or no; Guanjia is told by the line's webhook.

    `reason` is for the merchant, by language tag (`zh-Hans`, `en`; one may stand in for the other);
    a refusal needs one. Raises Missing, NotYourLine, BadInput, NotWaiting.
    """
    hold = _hold(actor, hold_id)
    holds = holds_of(hold.line, lambda: now)
    try:
        if approve:
            view = holds.approve(hold_id, _checked_quote(hold, quote))
        else:
            view = holds.refuse(hold_id, _reason(reason))
    except NotPendingError as error:
        raise _not_waiting(error.state) from error
    _note_decision(actor, hold, view, now)
    return view


def _hold(actor: User, hold_id: UUID) -> HostedHold:
    """Ids are Guanjia's choice and unique; where two lines know one all the same, the actor's own."""
    found = list(HostedHold.objects.select_related("line").filter(hold_id=hold_id).order_by("pk"))
    if not found:
        raise Missing(_("没有这个预留。"), hint=_("请刷新待办列表。"))
    mine = [hold for hold in found if hold.line.staff.filter(user=actor).exists()]
    hold = (mine or found)[0]
    require_specialist(actor, hold.line)
    return hold


def _checked_quote(hold: HostedHold, quote: Money | None) -> Money | None:
    """Nobody downstream converts: a package has one currency."""
    if quote is not None and hold.slot is not None and quote.currency != hold.slot.service.currency:
        currency = hold.slot.service.currency
        raise BadInput(_("报价的货币不对。"), hint=_("应为 %(currency)s。") % {"currency": currency})
    return quote


def _reason(texts: Mapping[str, str] | None) -> Reason:
    given = {
        tag: clean(texts[tag], field=_("理由"), most=REASON_MOST)
        for tag in ("zh-Hans", "en")
        if texts and texts.get(tag)
    }
    if not given:
        raise BadInput(_("拒绝要有理由。"), hint=_("请写给商家看得懂的理由。"))
    stand_in = next(iter(given.values()))
    return Reason("declined", {"zh-Hans": stand_in, "en": stand_in} | given)


def _not_waiting(state: HoldState) -> NotWaiting:
    if state is HoldState.LAPSED:
        return NotWaiting(_("这个预留已经过期，不用再答复。"), hint=_("商家还需要的话，管家会重新来问。"))
    return NotWaiting(_("这个预留不在等答复：别人已经处理，或已撤回。"), hint=_("请刷新待办列表。"))


def _note_decision(actor: User, hold: HostedHold, view: HoldView, now: datetime) -> None:
    """The event, and the webhook that a worker sends: with the decision, or not at all."""
    approved = view.state is HoldState.HELD
    notice = DecisionNotice(hold.line.slug, now, view)
    HostedDecision.objects.create(
        hold=hold,
        approved=approved,
        decided_by=actor,
        decided_at=now,
        body=dump_body(notice.to_json()).decode(),
    )
    wake(DECISION_FLOW, [hold.pk], now, now)
    asked = record_of(hold.record).request
    assert asked is not None  # it was pending, so somebody asked
    decided = HoldDecided(
        line=hold.line.slug,
        hold=str(hold.hold_id),
        package=asked.package_number,
        item=asked.item,
        approved=approved,
        quote=view.quote.amount if view.quote else None,
    )
    merchant = Merchant.objects.filter(ref=asked.merchant_ref).values_list("pk", flat=True).first()
    record([Entry(now, actor_of(actor), f"hold:{hold.hold_id}", decided, merchant)])
