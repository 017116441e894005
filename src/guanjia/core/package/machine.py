"""What the whole package does next. Steps of `settle`:

1. apply each signal to its item (`moves.TABLE`), and people's acts to the package;
2. let the clocks speak: overdue decisions, silence, lines out of reach, acceptance not given;
3. decide: release all, go past the point of no return, or keep waiting;
4. say which calls are due, when to look again, and what people must be told.

The rule that makes it all-or-nothing: CONFIRMING is entered only when every item that shall take
effect is held, accepted and not about to lapse. From then on recovery is forward only: an item whose
hold was lost is held again and confirmed, and what no call can mend needs a hand. The shape is
Try-Confirm-Cancel. Cost: O(items).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from operator import is_
from uuid import UUID

from guanjia.core.package import moves
from guanjia.core.package.signals import Accepted, Cancelled, Declined, HandSettled, Signal, Submitted
from guanjia.core.package.states import (
    ACTIVE,
    ENDED,
    GOING,
    OPEN,
    OUT,
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
    return Decision(package, _calls(package, now), _wake_at(package), (*notices, *told))


# --- 1. signals ---------------------------------------------------------------------------------


def _apply(package: Package, signal: Signal, now: datetime) -> Package:
    if isinstance(signal, Submitted):
        accepted = _accept(package, signal.accepted)
        return _start(accepted, now) if package.state is _P.DRAFTED else package
    if isinstance(signal, Accepted):
        accepted = _accept(package, signal.amounts)
        return _start(accepted, now) if package.state is _P.SUBMITTED else accepted
    if isinstance(signal, Cancelled):
        past = package.state in ENDED or package.state is _P.CONFIRMING
        return package if past else replace(package, cancel_requested=True)
    if isinstance(signal, Declined):
        return _decline(package, signal.uids, now)
    if isinstance(signal, HandSettled):
        return _by_hand(package, signal, now)
    return _moved(package, [moves.apply(item, signal, now) for item in package.items], now)


def _accept(package: Package, amounts: Mapping[UUID, int]) -> Package:
    """What is being confirmed was accepted before, and no later word makes it cheaper."""
    items = [
        replace(item, accepted_amount=amounts[item.uid])
        if item.uid in amounts and item.state not in (_S.CONFIRMING, _S.CONFIRMED)
        else item
        for item in package.items
    ]
    return _with_items(package, items)


def _decline(package: Package, uids: Collection[UUID], now: datetime) -> Package:
    """Take these items out, as long as nothing is being given back or confirmed."""
    if package.state not in OPEN | {_P.DRAFTED, _P.SUBMITTED}:
        return package
    items = [moves.decline(item, now) if item.uid in uids else item for item in package.items]
    return _with_items(package, items)


def _start(package: Package, now: datetime) -> Package:
    """Begin to hold at once, unless the merchant has yet to accept the listed price."""
    wanted = [item for item in package.items if not item.declined]
    if any(item.awaits_acceptance for item in wanted):
        due_at = package.accept_due_at or now + ACCEPT_WINDOW
        return replace(package, state=_P.SUBMITTED, accept_due_at=due_at)
    items = [item if item.declined else moves.hold(item, now) for item in package.items]
    return replace(_with_items(package, items), state=_P.HOLDING, accept_due_at=None)


def _by_hand(package: Package, signal: HandSettled, now: datetime) -> Package:
    items = [
        _settled(item, signal.outcome, package.state, now)
        if item.uid == signal.uid and item.state is _S.FAILED_NEEDS_HAND
        else item
        for item in package.items
    ]
    return _with_items(package, items)


def _settled(item: Item, outcome: str, state: PackageState, now: datetime) -> Item:
    if outcome == "confirmed":  # whatever the line asks, the merchant owes what it has accepted
        quote = item.accepted_amount or 0 if item.awaits_acceptance else item.quote_amount
        return replace(item, state=_S.CONFIRMED, quote_amount=quote, reason_code="", reason={})
    if outcome == "waived" and item.reason_code in moves.TAKEN:
        return replace(item, state=_S.RELEASED)
    if outcome == "waived" or state is _P.RELEASING or item.reason_code == "hold_confirmed":
        return moves.give_back(item, now)
    return moves.hold(item, now)


def _moved(package: Package, items: Sequence[Item], now: datetime) -> Package:
    """The package with these items, and past the point of no return only forward."""
    if package.state is _P.CONFIRMING:
        items = [_forward(old, new, now) for old, new in zip(package.items, items, strict=True)]
    return _with_items(package, items)


def _forward(old: Item, new: Item, now: datetime) -> Item:
    if old.state in GOING and new.state in OUT:
        return moves.needs_hand(new, new.reason_code)
    if new.state is not _S.HELD:
        return replace(new, give_up_at=None) if new.give_up_at else new
    return moves.needs_hand(new, "quote_rose") if new.awaits_acceptance else moves.confirm(new, now)


# --- 2. clocks ----------------------------------------------------------------------------------


def _clocks(package: Package, now: datetime) -> tuple[Package, list[Notice]]:
    if package.state not in OPEN and package.state is not _P.CONFIRMING:
        return package, []
    pairs = [_clock(item, now) for item in package.items]
    items = [item for item, _ in pairs]
    if package.accept_due_at and now >= package.accept_due_at:
        items = [_not_accepted(item, now) for item in items]
    return _moved(package, items, now), [notice for _, told in pairs for notice in told]


def _clock(item: Item, now: datetime) -> tuple[Item, list[Notice]]:
    if item.state is _S.PENDING_DECISION and item.decision_due_at:
        return _decision_clock(item, item.decision_due_at, now)
    return item, []


def _decision_clock(item: Item, due_at: datetime, now: datetime) -> tuple[Item, list[Notice]]:
    notices = []
    if now >= due_at and not item.escalated:
        item = replace(item, escalated=True)
        notices.append(Notice(NoticeKind.DECISION_OVERDUE, item.uid))
    if item.silence_consents and item.by_silence:
        item = replace(item, state=_S.HELD)
        notices.append(Notice(NoticeKind.SILENCE_CONSENTED, item.uid))
    elif not item.silence_consents and _is_silent(item, now):
        item = moves.release(replace(item, by_silence=False), now, "line_silent")
        notices.append(Notice(NoticeKind.SILENCE_REFUSED, item.uid))
    return item, notices


def _is_silent(item: Item, now: datetime) -> bool:
    """Its line says that nobody has decided, or has said nothing for as many times as one may ask."""
    assert item.silence_at is not None
    return item.by_silence or (now >= item.silence_at and item.attempts >= moves.TRIES_LEAST)


def _not_accepted(item: Item, now: datetime) -> Item:
    rose = item.state is _S.HELD and item.awaits_acceptance
    return moves.release(item, now, "not_accepted") if rose else item


# --- 3. decide ----------------------------------------------------------------------------------


def _decide(package: Package, now: datetime) -> Package:
    if package.state not in ENDED | {_P.CONFIRMING, _P.RELEASING}:
        package = _release_or_go_on(package, now)
    return _finish(package)


def _release_or_go_on(package: Package, now: datetime) -> Package:
    if why := _why_release(package, now):
        items = [moves.release(item, now, why) for item in package.items]
        return replace(_with_items(package, items), state=_P.RELEASING, accept_due_at=None)
    return _wait_or_confirm(package, now) if package.state in OPEN else package


def _why_release(package: Package, now: datetime) -> str:
    """The reason to give everything back, or an empty string."""
    if package.cancel_requested:
        return "cancelled"
    wanted = [item for item in package.items if not item.declined]
    if not wanted:
        return moves.DECLINED
    if package.state not in OPEN:
        late = package.accept_due_at is not None and now >= package.accept_due_at
        return "not_accepted" if late else ""
    lost = [item for item in wanted if item.state in OUT]
    if any(_essential(item, package.mode) for item in lost):
        return "other_item_failed"
    return "nothing_held" if len(lost) == len(wanted) else ""


def _essential(item: Item, mode: Mode) -> bool:
    """Whether the package makes no sense without this item."""
    if item.declined:
        return False
    return mode is Mode.ALL_OR_NOTHING or (mode is Mode.CORE_AND_OPTIONAL and item.core)


def _wait_or_confirm(package: Package, now: datetime) -> Package:
    states = {item.state for item in package.items}
    if _S.HOLDING in states:
        return replace(package, state=_P.HOLDING, accept_due_at=None)
    held = [item for item in package.items if item.state is _S.HELD]
    if _S.PENDING_DECISION in states or _waits_for_hand(package):
        return replace(package, state=_P.DECIDING, accept_due_at=None)
    if any(item.awaits_acceptance for item in held):
        due_at = package.accept_due_at or now + ACCEPT_WINDOW
        return replace(package, state=_P.DECIDING, accept_due_at=due_at)
    if not all(_fresh(item, now) for item in held):  # a renewal is due, or waits for its next try
        return replace(package, state=_P.DECIDING, accept_due_at=None)
    items = [moves.confirm(i, now) if i.state is _S.HELD else i for i in package.items]
    return replace(_with_items(package, items), state=_P.CONFIRMING, accept_due_at=None)


def _waits_for_hand(package: Package) -> bool:
    """Whether an item that needs a hand keeps the others waiting: without it, nothing is sure."""
    failed = [item for item in package.items if item.state is _S.FAILED_NEEDS_HAND]
    rest = any(item.state is _S.HELD for item in package.items)
    return any(_essential(item, package.mode) or not rest for item in failed)


def _fresh(item: Item, now: datetime) -> bool:
    """Far enough from lapsing for a confirm to arrive in time, even after a crash and restart.

    A line may grant little (LP/1 4.6.1): more than half of it left is then all one can ask for.
    """
    assert item.hold_expires_at is not None
    assert item.next_at is not None
    left = item.hold_expires_at - now
    if not item.attempts and now < item.next_at:
        return left >= moves.SHORTEST_GRANT
    return left >= min(CONFIRM_MARGIN, timedelta(seconds=item.ttl_seconds) / 3)


def _finish(package: Package) -> Package:
    """The end, once no item is on its way; where people waived everything, nothing was done."""
    open_items = ACTIVE | {_S.FAILED_NEEDS_HAND}
    if package.state not in (_P.CONFIRMING, _P.RELEASING) or any(
        item.state in open_items for item in package.items
    ):
        return package
    done = package.state is _P.CONFIRMING and any(item.state is _S.CONFIRMED for item in package.items)
    return replace(package, state=_P.DONE if done else _P.RELEASED)


# --- 4. calls, wake-up, notices -----------------------------------------------------------------


def _calls(package: Package, now: datetime) -> tuple[Call, ...]:
    return tuple(
        Call(_kind(item, now), item)
        for item in package.items
        if item.state in ACTIVE and item.next_at is not None and item.next_at <= now
    )


def _kind(item: Item, now: datetime) -> CallKind:
    if item.state is _S.HOLDING:
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


def _wake_at(package: Package) -> datetime | None:
    if package.state in ENDED:
        return None
    times = [item.next_at for item in package.items if item.state in ACTIVE]
    times += [_clock_at(item) for item in package.items]
    return min((at for at in (*times, package.accept_due_at) if at is not None), default=None)


def _clock_at(item: Item) -> datetime | None:
    """When people must be told; the look that finds out about silence is due at `next_at`."""
    waits = item.state is _S.PENDING_DECISION and not item.escalated
    return item.decision_due_at if waits else None


def _tell(before: Package, package: Package) -> tuple[Package, list[Notice]]:
    notices = []
    if package.accept_due_at and not before.accept_due_at:
        notices.append(Notice(NoticeKind.ACCEPTANCE_NEEDED))
    items = []
    for old, new in zip(before.items, package.items, strict=True):
        stuck = not new.stuck and _is_stuck(new, package.state)
        items.append(replace(new, stuck=True) if stuck else new)
        notices += _tell_item(old, new)
        notices += [Notice(NoticeKind.STUCK, new.uid)] if stuck else []
    return _with_items(package, items), notices


def _tell_item(old: Item, new: Item) -> list[Notice]:
    if new.state is old.state:
        return []
    if new.state is _S.PENDING_DECISION:
        return [Notice(NoticeKind.DECISION_NEEDED, new.uid)]
    return [Notice(NoticeKind.NEEDS_HAND, new.uid)] if new.state is _S.FAILED_NEEDS_HAND else []


def _is_stuck(item: Item, state: PackageState) -> bool:
    """Many attempts where there is no giving up, or a breach of contract that waiting will not mend."""
    if item.state not in ACTIVE:
        return False
    if item.attempts >= STUCK_AFTER and (item.state is _S.RELEASING or state is _P.CONFIRMING):
        return True
    return item.attempts > 1 and "detail" in item.reason


def _with_items(package: Package, items: Sequence[Item]) -> Package:
    """Most signals and clocks leave nearly all as it was; a copy costs more than a look."""
    unchanged = all(map(is_, package.items, items))
    return package if unchanged else replace(package, items=tuple(items))
