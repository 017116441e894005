"""What waits for a line's decision: holds of a hosted line, items of packages at any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext as _

from guanjia.base.errors import Missing
from guanjia.base.texts import pick
from guanjia.cases.models import Clock, ClockKind
from guanjia.doors.console.asked import by_title
from guanjia.lines.hosted.queries import WAITING_MOST, WaitingDecision, decisions_waiting
from guanjia.lines.hosted.store import record_of
from guanjia.lines.models import HostedDecision, HostedHold, Line, LineKind
from guanjia.lines.protocol.messages import HoldState, Money
from guanjia.packages.models import Item


@dataclass(frozen=True, slots=True)
class Waiting:
    """One decision that waits. After `due_at` it escalates; `consents_at` is when silence becomes consent,
    None where it becomes refusal. `slot` and `free` are of a hosted line's inventory."""

    key: UUID
    service: str
    merchant: str
    ref: str
    package: str
    item: int
    asked: tuple[tuple[str, str], ...]
    quote: Money | None
    currency: str
    asked_at: datetime
    due_at: datetime
    consents_at: datetime | None
    lapses_at: datetime | None
    within_mandate: bool
    slot: str = ""
    quantity: int = 1
    free: int | None = None
    escalated: bool = False


def waiting_on(line: Line, now: datetime) -> list[Waiting]:
    """The first clock to run out first, WAITING_MOST of them; three statements at most."""
    if line.kind == LineKind.HOSTED:
        return [_here(one) for one in decisions_waiting(line, now)]
    running = Clock.objects.filter(line=line, kind=ClockKind.LINE_DECISION, stopped_at=None)
    clocks = list(running.order_by("due_at", "pk")[:WAITING_MOST])
    found = Item.objects.select_related("service", "package__merchant")
    items = {item.uid: item for item in found.filter(uid__in=[clock.item for clock in clocks])}
    return [_there(items[clock.item], clock) for clock in clocks if clock.item in items]


def _here(one: WaitingDecision) -> Waiting:
    return Waiting(
        key=one.hold_id,
        service=pick(one.service_titles),
        merchant=one.merchant_name,
        ref=one.merchant_ref,
        package=one.package_number,
        item=one.item,
        asked=by_title(one.schema, one.params),
        quote=one.quote,
        currency=one.quote.currency if one.quote else "CNY",
        asked_at=one.asked_at,
        due_at=one.due_at,
        consents_at=one.silence_consents_at,
        lapses_at=one.expires_at,
        within_mandate=one.mandate is not None,
        slot=one.slot.key,
        quantity=one.quantity,
        free=one.slot.free,
    )


def _there(item: Item, clock: Clock) -> Waiting:
    assert clock.due_at is not None  # a line's clock never stands still
    service, package = item.service, item.package
    grace = timedelta(seconds=item.grace_seconds)
    return Waiting(
        key=item.uid,
        service=pick(service.titles),
        merchant=package.merchant.name,
        ref=package.merchant.ref,
        package=package.number,
        item=item.position,
        asked=by_title(service.schema, item.params),
        quote=None if item.quote_amount is None else Money(item.quote_amount, package.currency),
        currency=package.currency,
        asked_at=clock.started_at,
        due_at=clock.due_at,
        consents_at=clock.due_at + grace if item.silence_consents else None,
        lapses_at=item.hold_expires_at,
        within_mandate=item.within_mandate,
        escalated=item.escalated,
    )


def next_after(waiting: Sequence[Waiting], key: UUID) -> Waiting | None:
    """The one to look at when `key` is off the table: the following, else the first of the others."""
    keys = [one.key for one in waiting]
    at = keys.index(key) if key in keys else -1
    rest = [*waiting[at + 1 :], *waiting[: max(at, 0)]]
    return rest[0] if rest else None


@dataclass(frozen=True, slots=True)
class Settled:
    """A hold that nobody has to decide any more: what became of it, by whom and when if by a person."""

    merchant: str
    service: str
    package: str
    text: str
    tone: str
    by: str
    at: datetime | None


def require_hold(line: Line, key: UUID) -> HostedHold:
    """Raises Missing for a hold that is not of this line."""
    hold = HostedHold.objects.filter(line=line, hold_id=key).select_related("slot__service").first()
    if hold is None:
        raise Missing(_("没有这个预留。"), hint=_("请刷新待办列表。"))
    return hold


def settled(hold: HostedHold, now: datetime) -> Settled:
    """How it stands now; one statement more."""
    decision = HostedDecision.objects.select_related("decided_by").filter(hold=hold).first()
    request = record_of(hold.record).request
    text, tone = _word(hold, decision, now)
    return Settled(
        merchant=request.merchant_name if request else "",
        service=pick(hold.slot.service.titles) if hold.slot else "",
        package=request.package_number if request else "",
        text=text,
        tone=tone,
        by=decision.decided_by.name if decision else "",
        at=decision.decided_at if decision else None,
    )


def _word(hold: HostedHold, decision: HostedDecision | None, now: datetime) -> tuple[str, str]:
    if decision is not None:
        return (_("已同意"), "ok") if decision.approved else (_("已拒绝"), "bad")
    state = HoldState(hold.state)
    if state is HoldState.CONFIRMED:
        return _("已生效"), "ok"
    if state is HoldState.RELEASED:
        return _("管家已撤回"), "plain"
    lapsed = state is HoldState.LAPSED or (hold.expires_at is not None and hold.expires_at <= now)
    if lapsed:
        return _("已过期，不用再答复"), "plain"
    return (_("没有接受"), "plain") if state is HoldState.REFUSED else (_("不需要答复"), "plain")
