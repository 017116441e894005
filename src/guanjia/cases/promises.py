"""What we promise, and by which calendar: both with versions, each in force from its instant.

A version takes effect NOTICE after it was made at the soonest, and a process reads the versions anew
after FRESH_SECONDS, which is less: whoever asks knows every version that is in force, without asking the
database each time.
"""

from __future__ import annotations

import json
import threading
import time
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from guanjia.base.sql import rows
from guanjia.cases import workdays
from guanjia.cases.models import Case, CaseKind, ClockKind, Priority
from guanjia.core.clock import Calendar, Hours, Schedule

NOTICE = timedelta(seconds=60)
FRESH_SECONDS = 20.0
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = 3600
ALWAYS = Schedule.of(Calendar("UTC", ((Hours(0, 1440),),) * 7))
"""The time of clocks without a calendar: every second counts."""
OURS = (ClockKind.FIRST_ANSWER, ClockKind.NEXT_ANSWER, ClockKind.RESOLUTION)
"""What a case is promised; a line's own time to decide is promised too where a rule names the line."""


@dataclass(frozen=True, slots=True)
class About:
    """What a promise depends on. `tier` is `team`, `person` or `pool`: who is accountable."""

    kind: str = CaseKind.NEED
    priority: int = Priority.NORMAL
    tier: str = "person"
    pool: int | None = None
    line: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table of promises: whom it is for (empty: everybody), and how many seconds it gives.

    `pool` is a pool that answers for its merchants; `line` makes it a promise of that line.
    """

    seconds: Mapping[str, int]
    calendar: str = workdays.CODE
    warn_share: int = 75
    kind: str = ""
    priority: int | None = None
    tier: str = ""
    pool: int | None = None
    line: str = ""

    @property
    def conditions(self) -> int:
        """How narrow the row is: of two that fit, the narrower holds."""
        return sum((bool(self.kind), self.priority is not None, bool(self.tier), self.pool is not None))

    def fits(self, about: About) -> bool:
        return (
            self.line == about.line
            and self.kind in ("", about.kind)
            and self.priority in (None, about.priority)
            and self.tier in ("", about.tier)
            and self.pool in (None, about.pool)
        )


def narrowest_first(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The order in which rows are tried; rows equally narrow stay as they were written."""
    return tuple(sorted(rules, key=lambda rule: -rule.conditions))


@dataclass(frozen=True, slots=True)
class Promise:
    """Seconds of `calendar`'s time; the warning comes when `warn_share` per cent of them have passed."""

    seconds: int
    calendar: str
    warn_share: int


HOUSE_RULES: tuple[Rule, ...] = (
    Rule(
        {
            ClockKind.FIRST_ANSWER: 4 * HOUR,
            ClockKind.NEXT_ANSWER: 4 * HOUR,
            ClockKind.RESOLUTION: 27 * HOUR,  # three workdays
        }
    ),
)
"""What is promised before a lead has said anything else."""


@dataclass(frozen=True)
class Counting:
    """A calendar with all its versions, and their numbers: 0 is the one that came with the house."""

    schedule: Schedule
    numbers: tuple[int, ...] = (0,)
    names: tuple[str, ...] = ("",)

    @property
    def newest(self) -> int:
        """With which version deadlines are counted: the future ones are known too."""
        return self.numbers[-1]


@dataclass(frozen=True)
class Book:
    """All versions of the promises and of the calendars, as they were read."""

    calendars: Mapping[str, Counting]
    promises: Sequence[tuple[datetime, tuple[Rule, ...]]] = ((EPOCH, HOUSE_RULES),)
    _since: list[datetime] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_since", [since for since, _rules in self.promises])

    def counting(self, code: str) -> Counting:
        """The calendar with this code; without one, every second counts."""
        return self.calendars[code] if code else _ALWAYS

    def rules(self, at: datetime) -> tuple[Rule, ...]:
        """The table of promises in force at an instant."""
        return self.promises[max(bisect_right(self._since, at) - 1, 0)][1]

    def promise(self, kind: str, about: About, at: datetime) -> Promise | None:
        """What the first rule that fits gives; the house's own where none does, None for other kinds."""
        for rule in (*self.rules(at), *HOUSE_RULES):
            if kind in rule.seconds and rule.fits(about):
                return Promise(rule.seconds[kind], rule.calendar, rule.warn_share)
        return None


_ALWAYS = Counting(ALWAYS)


def about(case: Case) -> About:
    """What the promises to this case depend on."""
    tier = "person" if case.person_id else "team" if case.team_id else "pool"
    return About(case.kind, case.priority, tier, case.pool_id)


# --- reading ------------------------------------------------------------------------------------


def calendar_of(zone: str, week: Sequence[Sequence[Sequence[int]]], days: Mapping[str, Any]) -> Calendar:
    """A calendar from its columns."""
    return Calendar(
        zone,
        tuple(hours_of(hours) for hours in week),
        {date.fromisoformat(day): hours_of(hours) for day, hours in days.items()},
    )


def hours_of(pairs: Iterable[Sequence[int]]) -> tuple[Hours, ...]:
    return tuple(Hours(start, end) for start, end in pairs)


def read_book() -> Book:
    """All versions, from the database; two statements."""
    promises = [(EPOCH, HOUSE_RULES)]
    for since, rules in rows("SELECT since, rules::text FROM cases_promiseversion ORDER BY since"):
        promises.append((since, tuple(Rule(**rule) for rule in json.loads(rules))))
    return Book(_calendars(), tuple(promises))


def _calendars() -> dict[str, Counting]:
    found: dict[str, list[tuple[datetime, int, str, Calendar]]] = {
        workdays.CODE: [(EPOCH, 0, "", workdays.shipped())]
    }
    for code, since, number, name, zone, week, days in rows(
        "SELECT code, since, version, name, zone, week::text, days::text"
        " FROM cases_calendarversion ORDER BY since"
    ):
        calendar = calendar_of(zone, json.loads(week), json.loads(days))
        found.setdefault(code, []).append((since, number, name, calendar))
    return {code: _counting(versions) for code, versions in found.items()}


def _counting(versions: Sequence[tuple[datetime, int, str, Calendar]]) -> Counting:
    sinces, numbers, names, calendars = zip(*versions, strict=True)
    return Counting(Schedule(tuple(zip(sinces, calendars, strict=True))), numbers, names)


# --- kept in mind -------------------------------------------------------------------------------


class _Shelf:
    """The book of this process. Threads may read it at once; who finds it old reads it anew."""

    def __init__(self) -> None:
        self.book = Book(_house_calendars())
        self.until = 0.0
        self.lock = threading.Lock()


def _house_calendars() -> dict[str, Counting]:
    return {workdays.CODE: Counting(Schedule.of(workdays.shipped()))}


_shelf = _Shelf()


def book() -> Book:
    """The versions as this process knows them: every one that is in force by now."""
    if time.monotonic() < _shelf.until:
        return _shelf.book
    with _shelf.lock:
        if time.monotonic() >= _shelf.until:
            found = read_book()
            if found != _shelf.book:
                _shelf.book = found
            _shelf.until = time.monotonic() + FRESH_SECONDS
        return _shelf.book


def forget() -> None:
    """Read the versions anew at the next question: one has just been made here."""
    _shelf.until = 0.0


def house_book() -> Book:
    """What comes with the house, before a lead has said anything."""
    return Book(_house_calendars())


def begin_with(known: Book, seconds: float) -> None:
    """Take this for all there is, for so long: where no version can have been made."""
    _shelf.book, _shelf.until = known, time.monotonic() + seconds
