"""How one item answers one signal: the transition table, and nothing else.

A pair that is not in the table is a late or repeated answer. If the item still waits for something
it tries again later, otherwise it stays as it is: no answer makes a call repeat without a pause.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from guanjia.core.package.signals import (
    Confirmed,
    Held,
    LineSignal,
    Pending,
    Refused,
    Rejected,
    Released,
    Unreachable,
)
from guanjia.core.package.states import ACTIVE, Item, ItemState

S = ItemState
Move = Callable[[Item, Any, datetime], Item]

LOOK_EVERY = timedelta(seconds=30)
BACKOFF_FIRST = timedelta(milliseconds=500)
BACKOFF_MOST = timedelta(seconds=60)
HOLD_WINDOW = timedelta(minutes=15)
"""How long a line may stay out of reach before its item is given up."""
TRIES_LEAST = 6
"""Nothing is given up with fewer attempts (about half a minute): after an outage of our own, each line
gets its chance."""
HOLDS_MOST = 12
"""A line that loses this many holds of one item will lose the next as well."""
SHORTEST_GRANT = timedelta(seconds=1) / 3
"""A hold that ends sooner is over before it can be used; its line's clock may be wrong."""
LONGEST_GRANT = timedelta(days=30)
LONGEST_WAIT = timedelta(days=366)
"""LP/1 knows no longer hold (4.2.5), and no longer decision: later times are not believed."""

LOST = frozenset({"hold_lapsed", "unknown_hold", "hold_released"})
"""Error codes that say: there is no such hold (any more)."""
REFUSALS = frozenset({"schema_violation", "unknown_service"})
EXPIRIES = frozenset({"line_unreachable", "line_silent"})
"""Reasons given by a clock, not by a line."""
TAKEN = frozenset({"hold_confirmed", "confirmed_unasked", "confirmed_dearer"})
"""Reasons to need a hand that say: the line has confirmed, and a release would not undo it."""
DECLINED = "declined_by_merchant"


def backoff(attempts: int) -> timedelta:
    """0.5 s doubled per attempt, at most 60 s. Jitter is added where the calls are made."""
    doublings = min(max(attempts - 1, 0), 10)
    return min(BACKOFF_FIRST * (1 << doublings), BACKOFF_MOST)


def apply(item: Item, signal: LineSignal, now: datetime) -> Item:
    """The item after the signal; a signal about another hold of the same item is ignored."""
    if signal.hold_id != item.hold_id:
        return item
    move = TABLE.get((item.state, type(signal)))
    if move is not None:
        return move(item, signal, now)
    return _later(item, signal, now) if item.state in ACTIVE else item


# --- what the package asks of an item -----------------------------------------------------------


def hold(item: Item, now: datetime) -> Item:
    again = _begin(item, S.HOLDING, now)
    return replace(again, give_up_at=now + HOLD_WINDOW, reason_code="")


def confirm(item: Item, now: datetime) -> Item:
    return _begin(item, S.CONFIRMING, now)


def release(item: Item, now: datetime, code: str = "") -> Item:
    """Give the item up. An untouched or refused item has nothing to give back."""
    code = item.reason_code or code
    if item.state is S.DRAFTED:
        return replace(item, state=S.RELEASED, reason_code=code, next_at=None)
    if item.state in (S.HOLDING, S.HELD, S.PENDING_DECISION):
        return replace(give_back(item, now), reason_code=code)
    return item


def decline(item: Item, now: datetime) -> Item:
    """The merchant does not want it. What is out already, or needs a hand, stays as it is."""
    gone = release(replace(item, reason_code=""), now, DECLINED)
    return item if gone.state is item.state else replace(gone, declined=True)


def give_back(item: Item, now: datetime) -> Item:
    return _begin(item, S.RELEASING, now)


def needs_hand(item: Item, code: str) -> Item:
    """Leave it to a person. A refused hold is closed for good: a retry would ask for a new one."""
    generation = item.generation + (item.state is S.REFUSED)
    return replace(item, state=S.FAILED_NEEDS_HAND, generation=generation, next_at=None, reason_code=code)


def _begin(item: Item, state: ItemState, now: datetime) -> Item:
    return replace(item, state=state, attempts=0, next_at=now, give_up_at=None, stuck=False, reason={})


# --- moves shared by several signals ------------------------------------------------------------


def _later(item: Item, signal: LineSignal, now: datetime) -> Item:
    """Try again after a pause, or when the line asks for it; or give up, where that is possible."""
    attempts = item.attempts + 1
    if item.give_up_at and now >= item.give_up_at and attempts >= TRIES_LEAST:
        return release(item, now, "line_unreachable")
    next_at = pause_ends = now + backoff(attempts)
    if isinstance(signal, Unreachable) and signal.retry_at:
        latest = max(item.give_up_at or signal.retry_at, pause_ends)
        next_at = min(max(pause_ends, signal.retry_at), latest)
    return replace(item, attempts=attempts, next_at=next_at)


def _fault(item: Item, signal: Rejected, now: datetime) -> Item:
    """The line breaks the contract or we do: keep trying, and remember why for the task."""
    code = item.reason_code if item.state is S.RELEASING else signal.code
    reason = {"code": signal.code, "detail": signal.detail}
    return replace(_later(item, signal, now), reason_code=code, reason=reason)


def _hold_again(item: Item, now: datetime) -> Item:
    """The hold is gone and nothing was confirmed on it: take a new one, under a new name.

    The first time at once, for somebody else may be after what was lost; then ever more slowly.
    """
    again = replace(
        hold(item, now),
        generation=item.generation + 1,
        next_at=now + backoff(item.generation) if item.generation else now,
        hold_expires_at=None,
        decision_due_at=None,
        escalated=False,
        by_silence=False,
    )
    return release(again, now, "hold_lost") if again.generation >= HOLDS_MOST else again


def _granted(item: Item, signal: Held | Pending, state: ItemState, now: datetime) -> Item:
    """The hold stands, on the line's terms. A useless grant counts as an attempt that failed."""
    item = replace(
        item,
        state=state,
        hold_expires_at=min(signal.expires_at, now + LONGEST_GRANT),
        quote_amount=item.quote_amount if signal.quote_amount is None else signal.quote_amount,
    )
    assert item.hold_expires_at is not None
    left = item.hold_expires_at - now
    if left < SHORTEST_GRANT:
        return _later(replace(item, reason_code="hold_lost"), signal, now)
    return replace(
        item,
        attempts=0,
        next_at=now + max(left / 2, BACKOFF_FIRST),
        give_up_at=item.hold_expires_at + HOLD_WINDOW,
        stuck=False,
        reason_code="",
        reason={},
    )


# --- the moves of the table ---------------------------------------------------------------------


def _held(item: Item, signal: Held, now: datetime) -> Item:
    held = _granted(item, signal, S.HELD, now)
    return replace(held, by_silence=False, reference=signal.reference or item.reference)


def _pending(item: Item, signal: Pending, now: datetime) -> Item:
    """Undecided, as far as this look could see; silence counts only when a look saw it after its time.

    A decision may have been made whose webhook was lost: our clock alone must not overrule the line.
    """
    waiting = _granted(item, signal, S.PENDING_DECISION, now)
    due_at = item.decision_due_at or min(signal.decision_due_at, now + LONGEST_WAIT)
    waiting = replace(waiting, decision_due_at=due_at)
    silence_at, next_at = waiting.silence_at, waiting.next_at
    assert silence_at is not None
    assert next_at is not None
    if item.silence_at and item.next_at and item.silence_at <= item.next_at <= now:
        return replace(waiting, by_silence=True)
    if not waiting.attempts:
        next_at = min(next_at, now + LOOK_EVERY, max(silence_at, now + BACKOFF_FIRST))
    return replace(waiting, next_at=next_at)


def _still_pending(item: Item, signal: Pending, now: datetime) -> Item:
    """After silence counted as consent the wait is over; otherwise the decision has overtaken this."""
    return _granted(item, signal, S.HELD, now) if item.by_silence else _later(item, signal, now)


def _refused(item: Item, signal: Refused, _now: datetime) -> Item:
    return replace(item, state=S.REFUSED, next_at=None, reason_code=signal.code, reason=dict(signal.reason))


def _rejected_hold(item: Item, signal: Rejected, now: datetime) -> Item:
    if signal.code in REFUSALS:
        return _refused(item, Refused(item.hold_id, signal.code, {"detail": signal.detail}), now)
    return _rejected(item, signal, now)


def _rejected(item: Item, signal: Rejected, now: datetime) -> Item:
    if signal.code in LOST:
        return _hold_again(item, now)
    if signal.code == "hold_refused":
        return _refused(item, Refused(item.hold_id, "refused_by_line"), now)
    if signal.code == "decision_pending":  # by the line's clock its silence is no consent yet
        return _later(item, signal, now)
    return _fault(item, signal, now)


def _rejected_release(item: Item, signal: Rejected, now: datetime) -> Item:
    if signal.code == "hold_confirmed":  # the line confirmed what we never asked it to
        return needs_hand(item, signal.code)
    if signal.code == "hold_released":  # what a renewal hears that the release has overtaken
        return _released(item, Released(item.hold_id), now)
    return _later(item, signal, now) if signal.code in LOST else _fault(item, signal, now)


def _released(item: Item, _signal: Released, _now: datetime) -> Item:
    state = S.EXPIRED if item.reason_code in EXPIRIES else S.RELEASED
    return replace(item, state=state, next_at=None, hold_expires_at=None, reason={})


def _confirmed(item: Item, signal: Confirmed, _now: datetime) -> Item:
    item = _as_confirmed(item, signal)
    if item.awaits_acceptance:
        return needs_hand(item, "confirmed_dearer")
    return replace(item, state=S.CONFIRMED, next_at=None, reason_code="")


def _confirmed_unasked(item: Item, signal: Confirmed, _now: datetime) -> Item:
    code = "hold_confirmed" if item.state is S.RELEASING else "confirmed_unasked"
    return needs_hand(_as_confirmed(item, signal), code)


def _as_confirmed(item: Item, signal: Confirmed) -> Item:
    quote = item.quote_amount if signal.quote_amount is None else signal.quote_amount
    return replace(item, quote_amount=quote, reference=signal.reference or item.reference, reason={})


TABLE: Mapping[tuple[ItemState, type], Move] = {
    (S.HOLDING, Held): _held,
    (S.HOLDING, Pending): _pending,
    (S.HOLDING, Refused): _refused,
    (S.HOLDING, Rejected): _rejected_hold,
    (S.HOLDING, Confirmed): _confirmed_unasked,
    (S.PENDING_DECISION, Held): _held,
    (S.PENDING_DECISION, Pending): _pending,
    (S.PENDING_DECISION, Refused): _refused,
    (S.PENDING_DECISION, Rejected): _rejected,
    (S.PENDING_DECISION, Confirmed): _confirmed_unasked,
    (S.HELD, Held): _held,
    (S.HELD, Pending): _still_pending,
    (S.HELD, Refused): _refused,
    (S.HELD, Rejected): _rejected,
    (S.HELD, Confirmed): _confirmed_unasked,
    (S.CONFIRMING, Confirmed): _confirmed,
    (S.CONFIRMING, Refused): _refused,
    (S.CONFIRMING, Rejected): _rejected,
    (S.RELEASING, Released): _released,
    (S.RELEASING, Rejected): _rejected_release,
    (S.RELEASING, Confirmed): _confirmed_unasked,
}
