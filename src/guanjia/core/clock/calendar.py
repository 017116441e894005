"""Business hours: weekly intervals, holidays and make-up workdays (调休) in a time zone, with versions.

An instant is an aware datetime; business time is counted in whole seconds. A day is written in local
wall-clock minutes and turned into instants day by day, so that a day on which the clocks change is as
long as it really is: an hour that does not exist counts nothing, one that comes twice counts twice.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import accumulate, pairwise
from zoneinfo import ZoneInfo

DAY = 24 * 60
"""Minutes."""
HORIZON = timedelta(days=366 * 5)
"""How far ahead a deadline is looked for before the calendar is called empty."""
_STEP = timedelta(days=92)


@dataclass(frozen=True, slots=True)
class Hours:
    """Open from `start` to `end`, in minutes after local midnight: `0 <= start < end <= 1440`."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end <= DAY:
            raise ValueError(f"{self.start}-{self.end}: expected minutes 0 <= start < end <= {DAY}")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of open time, `start` included, `end` not; seconds since 1970 in UTC."""

    start: int
    end: int


@dataclass(frozen=True)
class Calendar:
    """Open hours of the seven days from Monday, and of single days that differ.

    `days` holds holidays (no hours) and make-up workdays alike. Raises ValueError for hours that overlap
    or are out of order, a week that has not seven days, or an unknown zone.
    """

    zone: str
    week: tuple[tuple[Hours, ...], ...]
    days: Mapping[date, tuple[Hours, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.week) != 7:
            raise ValueError(f"a week has seven days, not {len(self.week)}")
        for hours in (*self.week, *self.days.values()):
            if any(later.start < earlier.end for earlier, later in pairwise(hours)):
                raise ValueError("hours of a day overlap or are out of order")
        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError) as unknown:  # ZoneInfoNotFoundError is a KeyError
            raise ValueError(f"no time zone {self.zone!r}") from unknown

    def hours_on(self, day: date) -> tuple[Hours, ...]:
        return self.days.get(day, self.week[day.weekday()])

    def spans(self, start: datetime, end: datetime) -> Iterator[Span]:
        """Open time within `start`..`end`, in order, cut to fit."""
        zone = ZoneInfo(self.zone)
        first, last = _second(start), _second(end)
        day = start.astimezone(zone).date() - timedelta(days=1)
        until = end.astimezone(zone).date() + timedelta(days=1)
        while day <= until:
            for hours in self.hours_on(day):
                span = Span(max(_at(day, hours.start, zone), first), min(_at(day, hours.end, zone), last))
                if span.start < span.end:
                    yield span
            day += timedelta(days=1)


def _at(day: date, minute: int, zone: ZoneInfo) -> int:
    """The instant of a local wall-clock time. One that is skipped counts as where the clock goes on; of one
    that comes twice the first is meant."""
    if minute == DAY:
        day, minute = day + timedelta(days=1), 0
    local = datetime.combine(day, time(minute // 60, minute % 60), tzinfo=zone)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        # In the gap, the offset before it leads past the gap, and that after it to before it: the gap
        # itself is where the two readings change over.
        instant = _gap_end(local, zone)
    return int(instant.timestamp())


def _gap_end(local: datetime, zone: ZoneInfo) -> datetime:
    after = local.replace(fold=0).astimezone(UTC)  # read with the offset before the gap
    before = local.replace(fold=1).astimezone(UTC)  # read with the offset after it
    low, high = int(before.timestamp()), int(after.timestamp())
    offset = after.astimezone(zone).utcoffset()
    while low < high:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, UTC).astimezone(zone).utcoffset() == offset:
            high = middle
        else:
            low = middle + 1
    return datetime.fromtimestamp(low, UTC)


def _second(at: datetime) -> int:
    return int(at.timestamp())


@dataclass(frozen=True)
class Schedule:
    """Versions of a calendar: each is in force from its instant until the next one's.

    The first is in force for all time before the second. An edit never changes what has been counted:
    the time before it was counted by the calendar that people saw then.
    """

    versions: tuple[tuple[datetime, Calendar], ...]
    _known: dict[int, _Block] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.versions:
            raise ValueError("a schedule needs a calendar")
        if any(later <= earlier for (earlier, _), (later, _) in pairwise(self.versions)):
            raise ValueError("versions are out of order")

    @classmethod
    def of(cls, calendar: Calendar) -> Schedule:
        """One calendar, for all time."""
        return cls(((datetime(1970, 1, 1, tzinfo=UTC), calendar),))

    def elapsed(self, start: datetime, end: datetime) -> int:
        """Open seconds from `start` to `end`; 0 where `end` is not after `start`. O(log days)."""
        if end <= start:
            return 0
        first, last = _second(start), _second(end)
        return sum(block.count(first, last) for block in self._blocks(first, last))

    def due(self, start: datetime, seconds: int) -> datetime:
        """The earliest instant by which `seconds` of open time have passed since `start`.

        A promise that uses a day up ends when that day closes, not when the next one opens; 0 seconds
        are due at once. Raises OverflowError where HORIZON holds too little open time.
        """
        if seconds <= 0:
            return start
        first, left = _second(start), seconds
        for block in self._blocks(first, _second(start + HORIZON)):
            inside = block.count(first, block.end)
            if inside >= left:
                return datetime.fromtimestamp(block.reach(first, left), UTC)
            left -= inside
        raise OverflowError("the calendar has too little open time in the next five years")

    def spans(self, start: datetime, end: datetime) -> Iterator[Span]:
        """Open time within `start`..`end`, in order, cut to fit."""
        for begin, until, calendar in self._eras():
            low, high = max(_second(start), begin), min(_second(end), until)
            if low < high:
                yield from calendar.spans(datetime.fromtimestamp(low, UTC), datetime.fromtimestamp(high, UTC))

    def _blocks(self, first: int, last: int) -> Iterator[_Block]:
        size = int(_STEP.total_seconds())
        for number in range(first // size, last // size + 1):
            block = self._known.get(number)
            if block is None:
                block = self._known[number] = self._block(number * size, (number + 1) * size)
            yield block

    def _block(self, start: int, end: int) -> _Block:
        quarter = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
        return _Block(end, tuple(self.spans(*quarter)))

    def _eras(self) -> Iterator[tuple[int, int, Calendar]]:
        edges = [-(2**62), *(_second(since) for since, _ in self.versions[1:]), 2**62]
        for (low, high), (_, calendar) in zip(pairwise(edges), self.versions, strict=True):
            yield low, high, calendar


@dataclass(frozen=True)
class _Block:
    """The open time of one quarter, with what has passed before each span: a question is two searches."""

    end: int
    spans: Sequence[Span]

    @cached_property
    def _starts(self) -> list[int]:
        return [span.start for span in self.spans]

    @cached_property
    def _before(self) -> list[int]:
        return [0, *accumulate(span.end - span.start for span in self.spans)]

    def count(self, first: int, last: int) -> int:
        return max(self._passed(last) - self._passed(first), 0)

    def reach(self, first: int, seconds: int) -> int:
        """The second at which `seconds` have passed since `first`; they fit into this block."""
        wanted = self._passed(first) + seconds
        index = bisect_left(self._before, wanted) - 1
        return self.spans[index].start + wanted - self._before[index]

    def _passed(self, at: int) -> int:
        index = bisect_right(self._starts, at) - 1
        if index < 0:
            return 0
        span = self.spans[index]
        return self._before[index] + min(at, span.end) - span.start
