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

LOST = frozenset({"hold_lapsed", "unknown_hold", "hold_released"})
"""Error codes that say: there is no such hold (any more)."""
REFUSALS = frozenset({"schema_violation", "unknown_service"})
EXPIRIES = frozenset({"line_unreachable", "line_silent"})
"""Reasons given by a clock, not by a line."""


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


def hold(item: Item, now: datetime) -> Item:
    return replace(item, state=S.HOLDING, attempts=0, next_at=now, give_up_at=now + HOLD_WINDOW)


def release(item: Item, now: datetime, code: str = "") -> Item:
    """Give the item up. An untouched or refused item has nothing to give back."""
    code = item.reason_code or code
    if item.state is S.DRAFTED:
        return replace(item, state=S.RELEASED, reason_code=code, next_at=None)
    if item.state in (S.HOLDING, S.HELD, S.PENDING_DECISION):
        return replace(item, state=S.RELEASING, attempts=0, next_at=now, reason_code=code)
    return item


def confirm(item: Item, now: datetime) -> Item:
    return replace(item, state=S.CONFIRMING, attempts=0, next_at=now)


def _half_way(now: datetime, expires_at: datetime) -> datetime:
    return now + max(expires_at - now, timedelta()) / 2


def _held(item: Item, signal: Held, now: datetime) -> Item:
    quote = signal.quote_amount if signal.quote_amount is not None else item.quote_amount
    return replace(
        item,
        state=S.HELD,
        attempts=0,
        hold_expires_at=signal.expires_at,
        next_at=_half_way(now, signal.expires_at),
        quote_amount=quote,
        reference=signal.reference or item.reference,
    )


def _pending(item: Item, signal: Pending, now: datetime) -> Item:
    quote = signal.quote_amount if signal.quote_amount is not None else item.quote_amount
    if item.by_silence:  # the wait is over; the answer only tells the renewed expiry
        return replace(
            item,
            attempts=0,
            hold_expires_at=signal.expires_at,
            next_at=_half_way(now, signal.expires_at),
        )
    return replace(
        item,
        state=S.PENDING_DECISION,
        attempts=0,
        hold_expires_at=signal.expires_at,
        decision_due_at=item.decision_due_at or signal.decision_due_at,
        next_at=min(now + LOOK_EVERY, _half_way(now, signal.expires_at)),
        quote_amount=quote,
    )


def _refused(item: Item, signal: Refused, _now: datetime) -> Item:
    return replace(item, state=S.REFUSED, next_at=None, reason_code=signal.code, reason=dict(signal.reason))


def _later(item: Item, signal: LineSignal, now: datetime) -> Item:
    attempts = item.attempts + 1
    next_at = now + backoff(attempts)
    if isinstance(signal, Unreachable) and signal.retry_at:
        next_at = max(next_at, signal.retry_at)
    return replace(item, attempts=attempts, next_at=next_at)


def _hold_again(item: Item, now: datetime) -> Item:
    """The hold is gone before anything was confirmed: take a new one, under a new name."""
    return replace(
        item,
        state=S.HOLDING,
        generation=item.generation + 1,
        attempts=item.attempts + 1,
        next_at=now + backoff(item.attempts + 1),
        give_up_at=now + HOLD_WINDOW,
        hold_expires_at=None,
        decision_due_at=None,
        escalated=False,
        by_silence=False,
    )


def _rejected_hold(item: Item, signal: Rejected, now: datetime) -> Item:
    if signal.code in REFUSALS:
        reason = {"detail": signal.detail}
        return replace(item, state=S.REFUSED, next_at=None, reason_code=signal.code, reason=reason)
    if signal.code in LOST:
        return _hold_again(item, now)
    return _fault(item, signal, now)


def _rejected_wait(item: Item, signal: Rejected, now: datetime) -> Item:
    """A look or a renewal was rejected."""
    if signal.code in LOST:
        return _hold_again(item, now)
    if signal.code == "hold_refused":
        return replace(item, state=S.REFUSED, next_at=None, reason_code="refused_by_line")
    return _fault(item, signal, now)


def _fault(item: Item, signal: Rejected, now: datetime) -> Item:
    """The line breaks the contract or we do: keep trying, and remember why for the task."""
    return replace(_later(item, signal, now), reason_code=signal.code, reason={"detail": signal.detail})


def _needs_hand(item: Item, code: str) -> Item:
    return replace(item, state=S.FAILED_NEEDS_HAND, next_at=None, reason_code=code)


def _held_again(item: Item, signal: Held, now: datetime) -> Item:
    """Forward recovery: the lost hold is back, unless it now costs more than was accepted."""
    if not item.must_hold_again:
        return item
    again = replace(item, hold_expires_at=signal.expires_at, next_at=now, quote_amount=signal.quote_amount)
    return _needs_hand(again, "quote_rose") if again.awaits_acceptance else again


def _confirmed(item: Item, signal: Confirmed, _now: datetime) -> Item:
    return replace(
        item,
        state=S.CONFIRMED,
        next_at=None,
        reason_code="",
        reason={},
        reference=signal.reference or item.reference,
    )


def _rejected_confirm(item: Item, signal: Rejected, now: datetime) -> Item:
    if signal.code in LOST:  # forward recovery: hold again, then confirm that
        return replace(
            item,
            generation=item.generation + 1,
            attempts=item.attempts + 1,
            next_at=now if item.attempts == 0 else now + backoff(item.attempts),
            hold_expires_at=None,
            by_silence=False,
            reason_code=signal.code,
        )
    if signal.code in {"hold_refused", *REFUSALS}:
        return _needs_hand(item, signal.code)
    return _fault(item, signal, now)


def _refused_confirm(item: Item, signal: Refused, _now: datetime) -> Item:
    return replace(_needs_hand(item, signal.code), reason=dict(signal.reason))


def _released(item: Item, _signal: Released, _now: datetime) -> Item:
    state = S.EXPIRED if item.reason_code in EXPIRIES else S.RELEASED
    return replace(item, state=state, next_at=None, hold_expires_at=None)


def _rejected_release(item: Item, signal: Rejected, now: datetime) -> Item:
    if signal.code == "hold_confirmed":  # the line confirmed what we never asked it to
        return _needs_hand(item, signal.code)
    return _fault(item, signal, now)


def _confirmed_unasked(item: Item, _signal: Confirmed, _now: datetime) -> Item:
    return _needs_hand(item, "hold_confirmed")


TABLE: Mapping[tuple[ItemState, type], Move] = {
    (S.HOLDING, Held): _held,
    (S.HOLDING, Pending): _pending,
    (S.HOLDING, Refused): _refused,
    (S.HOLDING, Rejected): _rejected_hold,
    (S.HOLDING, Confirmed): _confirmed_unasked,
    (S.PENDING_DECISION, Held): _held,
    (S.PENDING_DECISION, Pending): _pending,
    (S.PENDING_DECISION, Refused): _refused,
    (S.PENDING_DECISION, Rejected): _rejected_wait,
    (S.PENDING_DECISION, Confirmed): _confirmed_unasked,
    (S.HELD, Held): _held,
    (S.HELD, Pending): _pending,
    (S.HELD, Refused): _refused,
    (S.HELD, Rejected): _rejected_wait,
    (S.HELD, Confirmed): _confirmed_unasked,
    (S.CONFIRMING, Held): _held_again,
    (S.CONFIRMING, Confirmed): _confirmed,
    (S.CONFIRMING, Refused): _refused_confirm,
    (S.CONFIRMING, Rejected): _rejected_confirm,
    (S.RELEASING, Released): _released,
    (S.RELEASING, Rejected): _rejected_release,
    (S.RELEASING, Confirmed): _confirmed_unasked,
}
