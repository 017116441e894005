"""A clock, read from its history: how much has passed, what is left, when it is due, and why.

1. Events are taken in order of their instants; those of one instant in the order given.
2. Time passes only between a start (or a resume) and the next pause, stop or cancel, and only while the
   schedule is open.
3. A pause freezes what is left, so the deadline moves by exactly the open time that the pause lasted.
4. A reset begins again with the whole target; a new target keeps what has passed.
5. A stopped clock is kept if what had passed is no more than the target of that instant; a cancelled one
   is neither kept nor broken.

Cost: O(events x log days).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from guanjia.core.clock.calendar import Schedule


class Status(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    CANCELLED = "cancelled"


class ClockFault(ValueError):  # noqa: N818 - what is at fault is the history
    """A history that cannot have happened; the text names the event."""


@dataclass(frozen=True, slots=True)
class Event:
    at: datetime


@dataclass(frozen=True, slots=True)
class Started(Event):
    """`target` is the promise in open seconds."""

    target: int


@dataclass(frozen=True, slots=True)
class Paused(Event):
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Resumed(Event):
    pass


@dataclass(frozen=True, slots=True)
class Reset(Event):
    pass


@dataclass(frozen=True, slots=True)
class TargetSet(Event):
    """Another promise from now on, for example because the priority changed."""

    target: int


@dataclass(frozen=True, slots=True)
class Stopped(Event):
    pass


@dataclass(frozen=True, slots=True)
class Cancelled(Event):
    pass


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the clock's life: running or paused, and how many open seconds it lasted."""

    status: Status
    start: datetime
    end: datetime
    seconds: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """The clock at an instant. Seconds are open time; `due_at` is None unless it runs; `kept` None until
    it has stopped. `segments` add up: the running ones since the last reset make `passed`."""

    status: Status
    target: int
    passed: int
    due_at: datetime | None
    kept: bool | None
    segments: tuple[Segment, ...]

    @property
    def left(self) -> int:
        """Negative once the promise is broken."""
        return self.target - self.passed

    @property
    def paused(self) -> int:
        """Open seconds for which it stood still."""
        return sum(s.seconds for s in self.segments if s.status is Status.PAUSED)


@dataclass(frozen=True, slots=True)
class _State:
    status: Status
    since: datetime
    target: int
    passed: int
    reason: str = ""
    segments: tuple[Segment, ...] = ()
    counted_from: int = 0
    """The first segment since the last reset."""


def read(events: Sequence[Event], schedule: Schedule, *, now: datetime) -> Reading:
    """The clock as of `now`; events after it are not looked at. Raises ClockFault."""
    past = [event for event in sorted(events, key=lambda event: event.at) if event.at <= now]
    if not past or not isinstance(past[0], Started):
        raise ClockFault("a history begins with a start")
    state = _State(Status.RUNNING, past[0].at, past[0].target, 0)
    for event in past[1:]:
        state = _follow(_pass(state, event.at, schedule), event)
    return _reading(_pass(state, now, schedule), schedule)


def _pass(state: _State, until: datetime, schedule: Schedule) -> _State:
    """Time goes by until `until`."""
    if state.status not in (Status.RUNNING, Status.PAUSED) or until <= state.since:
        return state
    seconds = schedule.elapsed(state.since, until)
    segment = Segment(state.status, state.since, until, seconds, state.reason)
    passed = state.passed + (seconds if state.status is Status.RUNNING else 0)
    return replace(state, since=until, passed=passed, segments=(*state.segments, segment))


_BY = {
    (Paused, Status.RUNNING): Status.PAUSED,
    (Resumed, Status.PAUSED): Status.RUNNING,
    (Stopped, Status.RUNNING): Status.STOPPED,
    (Stopped, Status.PAUSED): Status.STOPPED,
    (Cancelled, Status.RUNNING): Status.CANCELLED,
    (Cancelled, Status.PAUSED): Status.CANCELLED,
    (Reset, Status.RUNNING): Status.RUNNING,
    (Reset, Status.PAUSED): Status.RUNNING,
    (Reset, Status.STOPPED): Status.RUNNING,
    (TargetSet, Status.RUNNING): Status.RUNNING,
    (TargetSet, Status.PAUSED): Status.PAUSED,
}
"""What an event makes of a clock; where it says nothing, the event cannot have happened."""


def _follow(state: _State, event: Event) -> _State:
    status = _BY.get((type(event), state.status))
    if status is None:
        raise ClockFault(f"{type(event).__name__} at {event.at.isoformat()}: the clock is {state.status}")
    state = replace(state, status=status, since=max(state.since, event.at))
    if isinstance(event, Reset):
        return replace(state, passed=0, reason="", counted_from=len(state.segments))
    if isinstance(event, TargetSet):
        return replace(state, target=event.target)
    return replace(state, reason=event.reason if isinstance(event, Paused) else "")


def _reading(state: _State, schedule: Schedule) -> Reading:
    due_at = _due(state, schedule) if state.status is Status.RUNNING else None
    kept = state.passed <= state.target if state.status is Status.STOPPED else None
    return Reading(state.status, state.target, state.passed, due_at, kept, state.segments)


def _due(state: _State, schedule: Schedule) -> datetime:
    """When what is counted reaches the target: in one of the past segments, or in the time to come."""
    left = state.target
    for segment in state.segments[state.counted_from :]:
        if segment.status is Status.RUNNING:
            if segment.seconds >= left:
                return schedule.due(segment.start, left)
            left -= segment.seconds
    return schedule.due(state.since, left)
