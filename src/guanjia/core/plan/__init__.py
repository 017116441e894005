"""Plans: tasks behind other tasks, and the working days on which each of them falls.

Pure. Days are counted as people count them: what takes two days and begins on a Monday is due when
Wednesday closes; what begins one day after a Monday begins when Tuesday opens; nothing takes or waits
for a day that is no working day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from guanjia.core.clock.calendar import HORIZON, Schedule


class Circle(ValueError):  # noqa: N818 - it is what is wrong with the steps
    """Steps that wait for each other; `keys` names them."""

    def __init__(self, keys: Sequence[int]) -> None:
        super().__init__(f"steps wait for each other: {list(keys)}")
        self.keys = tuple(keys)


@dataclass(frozen=True, slots=True)
class Step:
    """One task of a plan: `after` are keys of the steps that must have ended, `lag` the working days
    between the last of them and its beginning, `days` the working days that it takes."""

    key: int
    after: tuple[int, ...] = ()
    lag: int = 0
    days: int = 1


@dataclass(frozen=True, slots=True)
class Dates:
    starts_at: datetime
    due_at: datetime


def in_order(steps: Iterable[Step]) -> list[Step]:
    """Every step behind those it waits for; of several that could be next, the lowest key first.

    Raises Circle, and KeyError for a step that waits for one that is not there. O(n²) for n steps.
    """
    left = {step.key: step for step in sorted(steps, key=lambda step: step.key)}
    for step in left.values():
        for key in step.after:
            left[key]
    ordered: list[Step] = []
    while left:
        free = next((step for step in left.values() if not left.keys() & set(step.after)), None)
        if free is None:
            raise Circle(list(left))
        ordered.append(left.pop(free.key))
    return ordered


def dates(steps: Iterable[Step], start: datetime, schedule: Schedule) -> Mapping[int, Dates]:
    """When each step begins and is due, if the plan begins at `start` and every step takes its days.

    1. In an order in which nothing comes before what it waits for. 2. A step begins when the last of those
    is due, `lag` working days later. 3. It is due `days` working days after that.
    """
    found: dict[int, Dates] = {}
    for step in in_order(steps):
        ended = max((found[key].due_at for key in step.after), default=start)
        found[step.key] = begun(ended, schedule, lag=step.lag, days=step.days)
    return found


def begun(ended: datetime, schedule: Schedule, *, lag: int, days: int) -> Dates:
    """The dates of a step whose last predecessor has ended at this instant."""
    starts_at = opens(schedule, ended, lag)
    return Dates(starts_at, closes(schedule, starts_at, days))


def opens(schedule: Schedule, at: datetime, days: int) -> datetime:
    """When the working day opens that is `days` after the day of `at`; `at` itself for none."""
    if days <= 0:
        return at
    for number, (_day, opening, _closing) in enumerate(_later(schedule, at), start=1):
        if number == days:
            return opening
    raise OverflowError("the calendar has too few working days in the next five years")


def closes(schedule: Schedule, at: datetime, days: int) -> datetime:
    """When the working day closes that is `days` after the day of `at`. No days: today's close, or that of
    the next working day where today has none left."""
    today = _zone_day(schedule, at)
    if days <= 0:
        for day, _opening, closing in _days(schedule, at):
            if day >= today and closing > at:
                return closing
    for number, (_day, _opening, closing) in enumerate(_later(schedule, at), start=1):
        if number == days:
            return closing
    raise OverflowError("the calendar has too few working days in the next five years")


def _later(schedule: Schedule, at: datetime) -> Iterator[tuple[date, datetime, datetime]]:
    today = _zone_day(schedule, at)
    return (found for found in _days(schedule, at) if found[0] > today)


def _days(schedule: Schedule, at: datetime) -> Iterator[tuple[date, datetime, datetime]]:
    """Working days from `at` on, each with its opening (of what is left of it) and its closing."""
    now: tuple[date, datetime, datetime] | None = None
    for span in schedule.spans(at, at + HORIZON):
        start, end = datetime.fromtimestamp(span.start, UTC), datetime.fromtimestamp(span.end, UTC)
        day = _zone_day(schedule, start)
        if now and now[0] == day:
            now = (day, now[1], end)
            continue
        if now:
            yield now
        now = (day, start, end)
    if now:
        yield now


def _zone_day(schedule: Schedule, at: datetime) -> date:
    return at.astimezone(ZoneInfo(schedule.versions[-1][1].zone)).date()
