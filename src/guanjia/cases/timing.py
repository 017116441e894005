"""A clock as its row keeps it, and as `core.clock` reads it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypedDict

from guanjia.cases.models import Clock, ClockStatus
from guanjia.cases.promises import ALWAYS, Counting, book
from guanjia.core.clock import (
    Cancelled,
    Event,
    Paused,
    Reading,
    Reset,
    Resumed,
    Schedule,
    Started,
    Stopped,
    TargetSet,
    read,
)

SECOND = timedelta(seconds=1)


class Happened(TypedDict, total=False):
    """One entry of a clock's history: `did` is paused, resumed, reset or target_set."""

    at: str
    did: str
    why: str
    target: int


def entry(now: datetime, did: str, *, why: str = "", target: int | None = None) -> Happened:
    """What happens to a clock, as its row keeps it."""
    found = Happened(at=now.isoformat(), did=did)
    if why:
        found["why"] = why
    if target is not None:
        found["target"] = target
    return found


def events_of(clock: Clock) -> list[Event]:
    """The life of a clock from its row: it starts, what happened to it, and its end if it has one."""
    life: list[Event] = [Started(clock.started_at, clock.promised)]
    life += [_event(happened) for happened in clock.history]
    if clock.stopped_at is not None:
        end = Cancelled if clock.status == ClockStatus.CANCELLED else Stopped
        life.append(end(clock.stopped_at))
    return life


def _event(happened: Mapping[str, Any]) -> Event:
    at = datetime.fromisoformat(happened["at"])
    match happened["did"]:
        case "paused":
            return Paused(at, happened.get("why", ""))
        case "resumed":
            return Resumed(at)
        case "reset":
            return Reset(at)
        case "target_set":
            return TargetSet(at, happened["target"])
    raise ValueError(f"no such thing happens to a clock: {happened['did']!r}")


def schedule_of(clock: Clock) -> Schedule:
    return book().counting(clock.calendar).schedule if clock.calendar else ALWAYS


def reading(clock: Clock, now: datetime) -> Reading:
    """The clock as of `now`, counted from its history. Two machines' times differ a little: a clock that
    has yet to start here has just started."""
    now = max(now, clock.started_at)
    return read(events_of(clock), schedule_of(clock), now=now)


def acts_at(clock: Clock, schedule: Schedule) -> datetime | None:
    """When a running clock has to be told of next: its warning, or its breach a second past `due_at`."""
    if clock.status != ClockStatus.RUNNING or clock.breached_at is not None or clock.due_at is None:
        return None
    if clock.warned_at is None and clock.counted_at is not None and 0 < clock.warn_share < 100:
        spare = clock.target * (100 - clock.warn_share) // 100
        if clock.remaining > spare:
            return schedule.due(clock.counted_at, clock.remaining - spare)
    return clock.due_at + SECOND


def count(clock: Clock, now: datetime) -> None:
    """Set what follows from the history as of `now`: what is left, the deadline, and when it acts."""
    counting: Counting = book().counting(clock.calendar)
    found = read(events_of(clock), counting.schedule, now=now)
    clock.status = ClockStatus(found.status.value)
    clock.target, clock.remaining, clock.counted_at = found.target, found.left, now
    clock.counted_with = counting.newest
    if clock.stopped_at is None:
        clock.due_at = found.due_at
        if found.due_at is not None and found.due_at > now:
            clock.breached_at = None  # a longer promise, or a new run: it can still be kept
    clock.acts_at = acts_at(clock, counting.schedule)
