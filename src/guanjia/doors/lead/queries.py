"""The board of the whole house.

Counts over all cases are kept figures: at most once a minute, the record of the lines at most once in ten
minutes, whoever asks first computes them (`base.figures`). Each statement reads one partial index alone
and ends after a time limit. What is listed here as rows is read at each view, LISTED_MOST rows at the
front of an index.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from guanjia.base.errors import Missing
from guanjia.base.figures import figures
from guanjia.base.sql import rows
from guanjia.base.texts import pick
from guanjia.cases.models import LIVE, ClockKind, TaskKind

BOARD_FRESH = timedelta(minutes=1)
RECORD_FRESH = timedelta(minutes=10)
LISTED_MOST = 50
PEOPLE_MOST = 30
LEAGUE_DAYS = 30
RECORD_DAYS = 91  # thirteen weeks
ROLLING = 7  # days
ESCALATIONS = (
    TaskKind.OVERDUE_DECISION,
    TaskKind.STUCK_CONFIRM,
    TaskKind.STUCK_RELEASE,
    TaskKind.LINE_FAULT,
)

# --- now ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Load:
    """Live cases of a person, a team or a pool, and how many of them are past their deadline."""

    name: str
    open: int
    overdue: int


@dataclass(frozen=True, slots=True)
class LineLoad:
    """Decisions that a line owes, and how many of them it owes too long."""

    slug: str
    title: str
    open: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Board:
    """The house as it was at `as_of`. `open` and `overdue` count all live cases."""

    as_of: datetime
    open: int
    overdue: int
    escalations: int
    lines: tuple[LineLoad, ...]
    groups: tuple[Load, ...]
    people: tuple[Load, ...]

    @property
    def owed(self) -> int:
        return sum(line.open for line in self.lines)

    @property
    def owed_too_long(self) -> int:
        return sum(line.overdue for line in self.lines)


_LINES = """
SELECT l.slug, l.titles, coalesce(k.open, 0), coalesce(k.overdue, 0) FROM lines_line l LEFT JOIN (
  SELECT line_id, count(*) AS open, count(*) FILTER (WHERE due_at < %(now)s) AS overdue
  FROM cases_clock WHERE stopped_at IS NULL AND line_id IS NOT NULL GROUP BY line_id
) k ON k.line_id = l.id
WHERE l.active ORDER BY 4 DESC, 3 DESC, 1 LIMIT 100
"""
_HOLDERS = """
SELECT g.name, h.open, h.overdue, h.all_open, h.all_overdue FROM (
  SELECT {holder}_id AS id, count(*) AS open, count(*) FILTER (WHERE due_at < %(now)s) AS overdue,
    (sum(count(*)) OVER ())::bigint AS all_open,
    (sum(count(*) FILTER (WHERE due_at < %(now)s)) OVER ())::bigint AS all_overdue
  FROM cases_case WHERE state IN {live} AND {holder}_id IS NOT NULL
  GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(most)s
) h JOIN people_{table} g ON g.id = h.id ORDER BY h.open DESC, h.overdue DESC, g.name
"""
_ESCALATED = "SELECT count(*) FROM cases_task WHERE done_at IS NULL AND kind = ANY(%(kinds)s)"
_TABLES = {"person": "user", "team": "team", "pool": "pool"}
_LIVE = "(" + ", ".join(f"'{state}'" for state in LIVE) + ")"  # as in the indexes' conditions


def board(now: datetime) -> Board | None:
    """None while it is being computed for the first time."""
    kept = figures("lead-now", lambda: _count(now), now=now, fresh=BOARD_FRESH)
    if kept is None:
        return None
    held = {kind: kept.content[kind] for kind in _TABLES}
    totals = [held_rows[0][3:] for held_rows in held.values() if held_rows]
    return Board(
        as_of=kept.computed_at,
        open=sum(opened for opened, _overdue in totals),
        overdue=sum(overdue for _opened, overdue in totals),
        escalations=kept.content["escalations"],
        lines=tuple(LineLoad(slug, pick(titles), *n) for slug, titles, *n in kept.content["lines"]),
        groups=tuple(Load(*row[:3]) for kind in ("team", "pool") for row in held[kind]),
        people=tuple(Load(*row[:3]) for row in held["person"]),
    )


def _count(now: datetime) -> dict[str, Any]:
    wanted = {"now": now, "most": PEOPLE_MOST, "kinds": list(ESCALATIONS)}
    held = {
        kind: rows(_HOLDERS.format(holder=kind, table=table, live=_LIVE), wanted)
        for kind, table in _TABLES.items()
    }
    lines = [(slug, _texts(titles), *n) for slug, titles, *n in rows(_LINES, wanted)]
    [(escalations,)] = rows(_ESCALATED, wanted)
    return {**held, "lines": lines, "escalations": escalations}


def _texts(titles: str | dict[str, str] | None) -> dict[str, str]:
    return json.loads(titles) if isinstance(titles, str) else titles or {}


# --- the record of the lines --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Day:
    """Decisions asked for on a day: answered in time, answered or still awaited too late; how many were
    answered at all, and how long they took together (seconds)."""

    day: date
    kept: int
    broken: int
    answered: int
    waited: int


@dataclass(frozen=True, slots=True)
class LineRecord:
    slug: str
    title: str
    days: tuple[Day, ...]

    def since(self, first: date) -> Standing:
        days = [day for day in self.days if day.day >= first]
        return Standing(
            self.slug,
            self.title,
            kept=sum(day.kept for day in days),
            broken=sum(day.broken for day in days),
            answered=sum(day.answered for day in days),
            waited=sum(day.waited for day in days),
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """A line's place in the league; a wait that is not over and not too long yet does not count."""

    slug: str
    title: str
    kept: int
    broken: int
    answered: int
    waited: int

    @property
    def share(self) -> float | None:
        return share(self.kept, self.broken)

    @property
    def answer(self) -> timedelta | None:
        """How long an answer took on average."""
        return timedelta(seconds=self.waited // self.answered) if self.answered else None


@dataclass(frozen=True, slots=True)
class Record:
    as_of: datetime
    lines: tuple[LineRecord, ...]

    @property
    def today(self) -> date:
        return timezone.localdate(self.as_of)

    def league(self) -> list[Standing]:
        """Of the last LEAGUE_DAYS days, the most reliable line first; lines without a promise due last."""
        first = self.today - timedelta(days=LEAGUE_DAYS - 1)
        found = [line.since(first) for line in self.lines]
        return sorted(found, key=lambda s: (s.share is None, -(s.share or 0), -s.kept, s.slug))

    def by_day(self) -> list[tuple[date, float | None]]:
        """For each of the last RECORD_DAYS days the share of promises that all lines kept in the ROLLING
        days up to it."""
        kept, broken = _sums((day.day, day) for line in self.lines for day in line.days)
        days = [self.today - timedelta(days=back) for back in range(RECORD_DAYS - 1, -1, -1)]
        return [(day, share(_rolled(kept, day), _rolled(broken, day))) for day in days]

    def by_week(self, slug: str) -> list[tuple[date, int, int]]:
        """Kept and broken by week (its Monday) for one line, the newest first."""
        own = [line for line in self.lines if line.slug == slug]
        kept, broken = _sums((_monday(day.day), day) for line in own for day in line.days)
        weeks = [_monday(self.today) - timedelta(weeks=back) for back in range(13)]
        return [(week, kept.get(week, 0), broken.get(week, 0)) for week in weeks]


def share(kept: int, broken: int) -> float | None:
    return kept / (kept + broken) if kept + broken else None


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _rolled(counts: Mapping[date, int], until: date) -> int:
    return sum(counts.get(until - timedelta(days=back), 0) for back in range(ROLLING))


def _sums(days: Iterable[tuple[date, Day]]) -> tuple[dict[date, int], dict[date, int]]:
    kept: dict[date, int] = {}
    broken: dict[date, int] = {}
    for key, day in days:
        kept[key] = kept.get(key, 0) + day.kept
        broken[key] = broken.get(key, 0) + day.broken
    return kept, broken


_DAYS = """
SELECT l.slug, l.titles, d.* FROM (SELECT * FROM lines_line WHERE active ORDER BY slug LIMIT 100) l
LEFT JOIN LATERAL (
  SELECT (started_at AT TIME ZONE %(zone)s)::date AS day,
    count(*) FILTER (WHERE stopped_at <= due_at),
    count(*) FILTER (WHERE coalesce(stopped_at, %(now)s) > due_at),
    count(stopped_at),
    coalesce(extract(epoch FROM sum(stopped_at - started_at)), 0)::bigint
  FROM cases_clock WHERE line_id = l.id AND started_at >= %(since)s GROUP BY 1
) d ON true ORDER BY l.slug, d.day
"""


def record(now: datetime) -> Record | None:
    """None while it is being computed for the first time."""
    kept = figures("lead-record", lambda: _days(now), now=now, fresh=RECORD_FRESH)
    if kept is None:
        return None
    lines = (
        LineRecord(slug, pick(titles), tuple(Day(date.fromisoformat(day), *n) for day, *n in days))
        for slug, titles, days in kept.content
    )
    return Record(kept.computed_at, tuple(lines))


def _days(now: datetime) -> list[tuple[str, Mapping[str, str], list[Sequence[Any]]]]:
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    since = midnight - timedelta(days=RECORD_DAYS - 1)
    found: dict[str, tuple[str, Mapping[str, str], list[Sequence[Any]]]] = {}
    for slug, titles, day, *n in rows(_DAYS, {"now": now, "since": since, "zone": settings.TIME_ZONE}):
        line = found.setdefault(slug, (slug, _texts(titles), []))
        if day is not None:
            line[2].append((day.isoformat(), *n))
    return list(found.values())


# --- rows ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wait:
    """Something that is waited for: on which case, for what, by whom it is owed, since and until when."""

    number: str
    title: str
    merchant: str
    kind: str
    line: str
    service: str
    owner: str
    since: datetime
    due_at: datetime


_WAITS = """
SELECT c.number, c.title, m.name, k.kind, l.titles, s.titles, u.name, k.since, k.due_at FROM (
  SELECT case_id, kind, item, {who} AS who, {since} AS since, due_at, id FROM {table}
  WHERE {where} ORDER BY due_at, id LIMIT %(most)s
) k
JOIN cases_case c ON c.id = k.case_id
JOIN merchants_merchant m ON m.id = c.merchant_id
JOIN people_user u ON u.id = k.who
LEFT JOIN packages_item i ON i.uid = k.item
LEFT JOIN lines_service s ON s.id = i.service_id
LEFT JOIN lines_line l ON l.id = s.line_id
ORDER BY k.due_at, k.id
"""
_CLOCKS = {"who": "owner_id", "since": "started_at", "table": "cases_clock"}
_TASKS = {"who": "assignee_id", "since": "created_at", "table": "cases_task"}


def oldest_waits(most: int = LISTED_MOST) -> list[Wait]:
    """Running clocks of all kinds, those first that are over longest."""
    return _waits(_CLOCKS, "stopped_at IS NULL", {"most": most})


def waits_of_line(slug: str) -> list[Wait]:
    """What one line owes an answer for."""
    where = "line_id = (SELECT id FROM lines_line WHERE slug = %(line)s) AND stopped_at IS NULL"
    return _waits(_CLOCKS, where, {"most": LISTED_MOST, "line": slug})


def escalations(most: int = LISTED_MOST) -> list[Wait]:
    """Open work that somebody got because a line was silent or something is stuck."""
    wanted = {"most": most, "kinds": list(ESCALATIONS)}
    return _waits(_TASKS, "done_at IS NULL AND kind = ANY(%(kinds)s)", wanted)


def _waits(source: Mapping[str, str], where: str, wanted: Mapping[str, object]) -> list[Wait]:
    words = dict(TaskKind.choices if source is _TASKS else ClockKind.choices)
    return [
        Wait(
            number,
            title,
            merchant,
            _(words[kind]),
            pick(_texts(line)),
            pick(_texts(service)),
            owner,
            since,
            due_at,
        )
        for number, title, merchant, kind, line, service, owner, since, due_at in rows(
            _WAITS.format(**source, where=where), wanted
        )
    ]


@dataclass(frozen=True, slots=True)
class LineName:
    slug: str
    title: str
    lead: str


def line_named(slug: str) -> LineName:
    """Raises Missing for a line that is not in operation."""
    about = (
        "SELECT l.slug, l.titles, u.name FROM lines_line l JOIN people_user u ON u.id = l.lead_id"
        " WHERE l.slug = %s AND l.active"
    )
    for found, titles, lead in rows(about, [slug]):
        return LineName(found, pick(_texts(titles)), lead)
    raise Missing(_("没有业务线“%(line)s”。") % {"line": slug[:64]}, hint=_("请从全局重新选择。"))
