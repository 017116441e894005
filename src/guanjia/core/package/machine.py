"""What the whole package does next. Steps of `settle`:

1. apply each signal to its item (`moves.TABLE`), and people's acts to the package;
2. let the clocks speak: overdue decisions, silence, lines out of reach, acceptance not given;
3. decide: release all, go past the point of no return, or keep waiting;
4. say which calls are due, when to look again, and what people must be told.

The rule that makes it all-or-nothing: CONFIRMING is entered only when every item that shall take
effect is held, accepted and not about to lapse, and it is never left except towards DONE. The
shape is Try-Confirm-Cancel; after the first confirm recovery is forward only. Cost: O(items).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from guanjia.core.package import moves
from guanjia.core.package.signals import Accepted, Cancelled, HandSettled, Signal, Submitted
from guanjia.core.package.states import (
    ACTIVE,
    ENDED,
    OPEN,
    OUT,
    UNDECIDED,
    Call,
    CallKind,
    Decision,
    Item,
    ItemState,
    Mode,
    Notice,
    NoticeKind,
    Package,
    PackageState,
)

ACCEPT_WINDOW = timedelta(hours=24)
CONFIRM_MARGIN = timedelta(seconds=30)
"""A hold this close to its expiry is renewed before the point of no return, not confirmed."""
STUCK_AFTER = 6
"""Attempts (about half a minute) after which a named person gets a task; trying goes on."""

_P = PackageState
_S = ItemState


def settle(package: Package, signals: Sequence[Signal], now: datetime) -> Decision:
    """Apply what happened and decide what is next; see the module's steps."""
    before = package
    for signal in signals:
        package = _apply(package, signal, now)
    package, notices = _clocks(package, now)
    package = _decide(package, now)
    package, told = _tell(before, package)
    return Decision(package, _calls(package, now), _wake_at(package, now), (*notices, *told))


# --- 1. signals ---------------------------------------------------------------------------------


def _apply(package: Package, signal: Signal, now: datetime) -> Package:
    if isinstance(signal, Submitted):
        accepted = _accept(package, signal.accepted)
        return _start(accepted, now) if package.state is _P.DRAFTED else package
    if isinstance(signal, Accepted):
        accepted = _accept(package, signal.amounts)
        return _start(accepted, now) if package.state is _P.SUBMITTED else accepted
    if isinstance(signal, Cancelled):
        return replace(package, cancel_requested=True)
    if isinstance(signal, HandSettled):
        return _by_hand(package, signal, now)
    return _with_items(package, [moves.apply(item, signal, now) for item in package.items])


def _accept(package: Package, amounts: Mapping[UUID, int]) -> Package:
    items = [
        replace(item, accepted_amount=amounts.get(item.uid, item.accepted_amount)) for item in package.items
    ]
    return _with_items(package, items)


def _start(package: Package, now: datetime) -> Package:
    """Begin to hold at once, unless the merchant has yet to accept the listed price."""
    if any(item.awaits_acceptance for item in package.items):
        return replace(package, state=_P.SUBMITTED, accept_due_at=now + ACCEPT_WINDOW)
    items = [moves.hold(item, now) for item in package.items]
    return replace(_with_items(package, items), state=_P.HOLDING, accept_due_at=None)


def _by_hand(package: Package, signal: HandSettled, now: datetime) -> Package:
    def settled(item: Item) -> Item:
        if item.uid != signal.uid or item.state is not _S.FAILED_NEEDS_HAND:
            return item
        if signal.outcome == "retry":
            again = replace(item, generation=item.generation + 1, hold_expires_at=None, stuck=False)
            return moves.confirm(again, now)
        state = _S.CONFIRMED if signal.outcome == "confirmed" else _S.RELEASED
        return replace(item, state=state, stuck=False)

    return _with_items(package, [settled(item) for item in package.items])


# --- 2. clocks ----------------------------------------------------------------------------------


def _clocks(package: Package, now: datetime) -> tuple[Package, list[Notice]]:
    if package.state not in OPEN:
        return package, []
    pairs = [_clock(item, now) for item in package.items]
    return _with_items(package, [item for item, _ in pairs]), [n for _, told in pairs for n in told]


def _clock(item: Item, now: datetime) -> tuple[Item, list[Notice]]:
    if item.state is _S.HOLDING and item.give_up_at and now >= item.give_up_at:
        return moves.release(item, now, "line_unreachable"), []
    if item.state is _S.PENDING_DECISION and item.decision_due_at:
        return _decision_clock(item, item.decision_due_at, now)
    return item, []


def _decision_clock(item: Item, due_at: datetime, now: datetime) -> tuple[Item, list[Notice]]:
    notices = []
    if now >= due_at and not item.escalated:
        item = replace(item, escalated=True)
        notices.append(Notice(NoticeKind.DECISION_OVERDUE, item.uid))
    if now >= due_at + timedelta(seconds=item.grace_seconds):
        if item.silence_consents:
            item = replace(item, state=_S.HELD, by_silence=True, next_at=now)
            notices.append(Notice(NoticeKind.SILENCE_CONSENTED, item.uid))
        else:
            item = moves.release(item, now, "line_silent")
            notices.append(Notice(NoticeKind.SILENCE_REFUSED, item.uid))
    return item, notices


# --- 3. decide ----------------------------------------------------------------------------------


def _decide(package: Package, now: datetime) -> Package:
    if package.state in ENDED or package.state is _P.DRAFTED:
        return package
    if package.state is _P.CONFIRMING:
        return _finish(package, _P.DONE)
    if package.state is not _P.RELEASING and (why := _why_release(package, now)):
        items = [moves.release(item, now, why) for item in package.items]
        package = replace(_with_items(package, items), state=_P.RELEASING, accept_due_at=None)
    if package.state is _P.RELEASING:
        return _finish(package, _P.RELEASED)
    return _wait_or_confirm(package, now) if package.state in OPEN else package


def _why_release(package: Package, now: datetime) -> str:
    """The reason to give everything back, or an empty string."""
    if package.cancel_requested:
        return "cancelled"
    if package.accept_due_at and now >= package.accept_due_at:
        return "not_accepted"
    if package.state is _P.SUBMITTED:
        return ""
    lost = [item for item in package.items if item.state in OUT]
    if package.mode is Mode.ALL_OR_NOTHING:
        return "other_item_failed" if lost else ""
    if package.mode is Mode.CORE_AND_OPTIONAL and any(item.core for item in lost):
        return "other_item_failed"
    return "nothing_held" if len(lost) == len(package.items) else ""


def _wait_or_confirm(package: Package, now: datetime) -> Package:
    states = {item.state for item in package.items}
    if _S.HOLDING in states:
        return replace(package, state=_P.HOLDING, accept_due_at=None)
    if states & UNDECIDED:
        return replace(package, state=_P.DECIDING, accept_due_at=None)
    held = [item for item in package.items if item.state is _S.HELD]
    if any(item.awaits_acceptance for item in held):
        due_at = package.accept_due_at or now + ACCEPT_WINDOW
        return replace(package, state=_P.DECIDING, accept_due_at=due_at)
    if not all(_fresh(item, now) for item in held):
        items = [_renew_now(item, now) for item in package.items]
        return replace(_with_items(package, items), state=_P.DECIDING, accept_due_at=None)
    items = [moves.confirm(i, now) if i.state is _S.HELD else i for i in package.items]
    return replace(_with_items(package, items), state=_P.CONFIRMING, accept_due_at=None)


def _fresh(item: Item, now: datetime) -> bool:
    """Far enough from lapsing for a confirm to arrive in time, even after a crash and restart."""
    assert item.hold_expires_at is not None
    margin = min(CONFIRM_MARGIN, timedelta(seconds=item.ttl_seconds) / 3)
    return item.hold_expires_at - now >= margin


def _renew_now(item: Item, now: datetime) -> Item:
    if item.state is not _S.HELD or _fresh(item, now) or item.attempts:
        return item
    return replace(item, next_at=now)


def _finish(package: Package, end: PackageState) -> Package:
    done = all(item.state not in ACTIVE and item.state is not _S.FAILED_NEEDS_HAND for item in package.items)
    return replace(package, state=end) if done else package


# --- 4. calls, wake-up, notices -----------------------------------------------------------------


def _calls(package: Package, now: datetime) -> tuple[Call, ...]:
    return tuple(
        Call(_kind(item, now), item)
        for item in package.items
        if item.state in ACTIVE and item.next_at is not None and item.next_at <= now
    )


def _kind(item: Item, now: datetime) -> CallKind:
    if item.state is _S.HOLDING or item.must_hold_again:
        return CallKind.HOLD
    if item.state is _S.CONFIRMING:
        return CallKind.CONFIRM
    if item.state is _S.RELEASING:
        return CallKind.RELEASE
    if item.state is _S.PENDING_DECISION and not _near_expiry(item, now):
        return CallKind.LOOK
    return CallKind.RENEW


def _near_expiry(item: Item, now: datetime) -> bool:
    assert item.hold_expires_at is not None
    return item.hold_expires_at - now <= timedelta(seconds=item.ttl_seconds) * 2 / 3


def _wake_at(package: Package, now: datetime) -> datetime | None:
    if package.state in ENDED:
        return None
    times = [item.next_at for item in package.items if item.state in ACTIVE]
    times.append(package.accept_due_at)
    if package.state in OPEN:
        times += [_clock_at(item) for item in package.items]
    return min((at for at in times if at is not None), default=None)


def _clock_at(item: Item) -> datetime | None:
    if item.state is _S.HOLDING:
        return item.give_up_at
    if item.state is _S.PENDING_DECISION and item.decision_due_at:
        grace = timedelta(seconds=item.grace_seconds)
        return item.decision_due_at + grace if item.escalated else item.decision_due_at
    return None


def _tell(before: Package, package: Package) -> tuple[Package, list[Notice]]:
    notices = []
    if package.accept_due_at and not before.accept_due_at:
        notices.append(Notice(NoticeKind.ACCEPTANCE_NEEDED))
    items = []
    for old, new in zip(before.items, package.items, strict=True):
        told = _tell_item(old, new)
        stuck = any(n.kind is NoticeKind.STUCK for n in told)
        items.append(replace(new, stuck=True) if stuck else new)
        notices += told
    return _with_items(package, items), notices


def _tell_item(old: Item, new: Item) -> list[Notice]:
    if new.state is not old.state:
        if new.state is _S.PENDING_DECISION:
            return [Notice(NoticeKind.DECISION_NEEDED, new.uid)]
        if new.state is _S.FAILED_NEEDS_HAND:
            return [Notice(NoticeKind.NEEDS_HAND, new.uid)]
    if not new.stuck and _is_stuck(new):
        return [Notice(NoticeKind.STUCK, new.uid)]
    return []


def _is_stuck(item: Item) -> bool:
    """Many attempts to confirm or release, or a breach of contract that no waiting will mend."""
    if item.state in (_S.CONFIRMING, _S.RELEASING) and item.attempts >= STUCK_AFTER:
        return True
    return item.state in ACTIVE and item.attempts > 1 and "detail" in item.reason


def _with_items(package: Package, items: Sequence[Item]) -> Package:
    return replace(package, items=tuple(items))
