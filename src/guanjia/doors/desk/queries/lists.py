"""Lists of cases, sorted by the clock.

Every list walks a partial index of its holder in the order of the clock and stops after a page, so that it
costs the same however many cases there are. What an index cannot narrow (a line, words in a title) is
looked for among the LOOK most urgent only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.sql import prepared, rows
from guanjia.base.texts import pick
from guanjia.cases.exporting import MOST
from guanjia.cases.models import CaseKind, CaseState, ClockKind, Priority
from guanjia.doors.desk.rules import Scope

PAGE = 25
BESIDE = 12
"""Rows of a list that stands beside a case."""
LOOK = 1000
SOON = timedelta(hours=2)
RECENT = timedelta(days=14)
LIVE = "state IN ('open', 'waiting_line', 'waiting_merchant')"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which list: one of `cases.rules.VIEWS`, narrowed by a line, marks, and words in the title or the
    merchant; the rows behind `after`."""

    view: str = "mine"
    line: int | None = None
    words: str = ""
    priority: int | None = None
    kind: str = ""
    tag: int | None = None
    after: tuple[datetime | None, int] | None = None
    saved: int | None = None

    @property
    def narrowed(self) -> bool:
        return bool(self.line or self.words or self.priority or self.kind or self.tag)


@dataclass(frozen=True, slots=True)
class Row:
    """A case as a row: `waits` says in words what for, `lines` how many business lines it touches, `mark`
    and `tone` what is unusual about its priority or kind, and how loud that is."""

    pk: int
    number: str
    title: str
    state: str
    due_at: datetime | None
    solved_at: datetime | None
    merchant: str
    waits: str
    lines: int
    mark: str
    tone: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a list; `next` is the `after` of the following page."""

    rows: tuple[Row, ...]
    next: str


_HOLDERS: Mapping[str, tuple[str, ...]] = {
    "mine": ("person",),
    "soon": ("person", "team"),
    "late": ("person", "team"),
    "line": ("person", "team"),
    "merchant": ("person", "team"),
    "watched": ("watcher",),
    "team": ("team",),
    "pool": ("pool",),
    "solved": ("person", "team"),
}
"""Whose cases a view holds."""
_OF = {"person": "c.person_id = %(user)s", "team": "c.team_id = g", "pool": "c.pool_id = g"}
_NARROW = {
    "soon": "c.due_at >= %(now)s::timestamptz AND c.due_at < %(soon)s::timestamptz",
    "late": "c.due_at < %(now)s::timestamptz",
    "line": "c.state = 'waiting_line'",
    "merchant": "c.state = 'waiting_merchant'",
}
_BY_LINE = """EXISTS (SELECT FROM packages_package p JOIN packages_item i ON i.package_id = p.id
  JOIN lines_service s ON s.id = i.service_id WHERE p.case_id = c.id AND s.line_id = %(line)s)"""
_BY_WORDS = """(c.title ILIKE %(like)s OR EXISTS (SELECT FROM merchants_merchant m
  WHERE m.id = c.merchant_id AND (m.name ILIKE %(like)s OR m.ref ILIKE %(like)s)))"""
_BY_PRIORITY = "c.priority = %(priority)s::smallint"
_BY_KIND = "c.kind = %(kind)s::text"
_BY_TAG = "EXISTS (SELECT FROM cases_tagging g WHERE g.tag_id = %(tag)s::bigint AND g.case_id = c.id)"
# What somebody follows or was named in, the latest LOOK of each. To follow gives no right: a case of a
# merchant that is not theirs (any more) is not in the list.
_FOLLOWED = f"""
(SELECT c.* FROM (
   (SELECT case_id FROM cases_watch WHERE user_id = %(user)s ORDER BY id DESC LIMIT {LOOK})
   UNION
   (SELECT case_id FROM cases_mention WHERE user_id = %(user)s ORDER BY id DESC LIMIT {LOOK})
 ) f JOIN cases_case c ON c.id = f.case_id
 WHERE c.person_id = %(user)s OR c.team_id = ANY(%(team)s::bigint[]) OR c.pool_id = ANY(%(pool)s::bigint[])
   OR EXISTS (SELECT FROM people_rolegrant WHERE user_id = %(user)s AND role = 'service_lead')
   OR EXISTS (SELECT FROM coverage_responsibility r WHERE r.merchant_id = c.merchant_id
     AND r.during @> %(now)s::timestamptz AND (r.person_id = %(user)s
       OR r.team_id = ANY(%(team)s::bigint[]) OR r.pool_id = ANY(%(pool)s::bigint[]))))
"""  # noqa: S608 - our own text
_ROWS = """
SELECT c.id, c.number, c.title, c.state, c.due_at, c.solved_at, m.name, w.kind, w.titles,
  c.priority, c.kind,
  (SELECT count(DISTINCT s.line_id) FROM packages_package p JOIN packages_item i ON i.package_id = p.id
   JOIN lines_service s ON s.id = i.service_id WHERE p.case_id = c.id)
FROM ({found}) f JOIN cases_case c ON c.id = f.id JOIN merchants_merchant m ON m.id = c.merchant_id
LEFT JOIN LATERAL (
  SELECT k.kind, l.titles FROM cases_clock k LEFT JOIN lines_line l ON l.id = k.line_id
  WHERE k.case_id = c.id AND k.stopped_at IS NULL ORDER BY k.due_at, k.id LIMIT 1) w ON true
ORDER BY {order}
"""


def listing(scope: Scope, wanted: Wanted, now: datetime, *, most: int = PAGE) -> Listing:
    """A page of a list, in one statement."""
    found = found_in(wanted)
    by = "f.due_at DESC, f.id DESC" if wanted.view == "solved" else "f.due_at, f.id"
    picked = f"SELECT * FROM ({found}) f ORDER BY {by} LIMIT {most + 1}"  # noqa: S608 - our own text
    got = prepared(_ROWS.format(found=picked, order=by), values(scope, wanted, now))
    shown = tuple(_row(row) for row in got[:most])
    return Listing(shown, cursor(shown[-1]) if len(got) > most else "")


def keys_of(scope: Scope, wanted: Wanted, now: datetime, *, most: int = MOST) -> list[int]:
    """Ids of a list from its beginning to its end, or to `most`."""
    found = found_in(replace(wanted, after=None), most=most)
    way = "DESC" if wanted.view == "solved" else "ASC"
    listed = f"SELECT f.id FROM ({found}) f ORDER BY f.due_at {way}, f.id {way} LIMIT {most}"  # noqa: S608
    return [key for (key,) in rows(listed, values(scope, wanted, now))]


def found_in(wanted: Wanted, *, most: int = PAGE + 1) -> str:
    """SQL for ids and instants of the rows of a list, `most` of each holder."""
    parts = [_of(holder, wanted, most) for holder in _HOLDERS[wanted.view]]
    return " UNION ALL ".join(parts)


def _of(holder: str, wanted: Wanted, most: int) -> str:
    solved = wanted.view == "solved"
    at = "c.solved_at" if solved else "c.due_at"
    where = [_OF.get(holder, "true"), "c.solved_at > %(since)s::timestamptz" if solved else f"c.{LIVE}"]
    if wanted.view in _NARROW:
        where.append(_NARROW[wanted.view])
    if wanted.after:
        where.append(_behind(at, solved=solved, still=wanted.after[0] is None))
    way = "DESC" if solved else "ASC"
    order = f"{at} {way}, c.id {way}"
    if not wanted.narrowed:
        return _each(holder, f"SELECT c.id, {at} AS due_at", " AND ".join(where), order, most)
    near = _each(holder, f"SELECT c.*, {at} AS at", " AND ".join(where), order, LOOK)
    narrow = " AND ".join(_narrowing(wanted))
    return (
        f"(SELECT c.id, c.at AS due_at FROM ({near}) c WHERE {narrow}"  # noqa: S608 - our own text
        f" ORDER BY c.at {way}, c.id {way} LIMIT {most})"
    )


def _behind(at: str, *, solved: bool, still: bool) -> str:
    """Cases whose clocks all stand still have no deadline: they come last, by their ids."""
    if solved:
        return f"({at}, c.id) < (%(at)s::timestamptz, %(id)s::bigint)"
    if still:
        return f"{at} IS NULL AND %(at)s::timestamptz IS NULL AND c.id > %(id)s::bigint"
    return f"(({at}, c.id) > (%(at)s::timestamptz, %(id)s::bigint) OR {at} IS NULL)"


def _narrowing(wanted: Wanted) -> list[str]:
    asked = {
        _BY_PRIORITY: wanted.priority,
        _BY_KIND: wanted.kind,
        _BY_TAG: wanted.tag,
        _BY_LINE: wanted.line,
        _BY_WORDS: wanted.words,
    }
    return [condition for condition, value in asked.items() if value]


def _each(holder: str, select: str, where: str, order: str, most: int) -> str:
    """For each of the holders the first rows of its own index."""
    source = _FOLLOWED if holder == "watcher" else "cases_case"
    one = f"{select} FROM {source} c WHERE {where} ORDER BY {order} LIMIT {most}"
    if holder in ("person", "watcher"):
        return f"({one})"
    return f"(SELECT x.* FROM unnest(%({holder})s::bigint[]) g, LATERAL ({one}) x)"  # noqa: S608


def values(scope: Scope, wanted: Wanted, now: datetime) -> dict[str, Any]:
    at, pk = wanted.after or (now, 0)
    return {
        "user": scope.user,
        "team": scope.team_ids,
        "pool": list(scope.pools),
        "now": now,
        "soon": now + SOON,
        "since": now - RECENT,
        "line": wanted.line,
        "priority": wanted.priority,
        "kind": wanted.kind,
        "tag": wanted.tag,
        "like": f"%{_literal(wanted.words)}%",
        "at": at,
        "id": pk,
    }


def _literal(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def cursor(row: Row) -> str:
    at = row.solved_at or row.due_at
    return f"{at.isoformat() if at else ''}~{row.pk}"


def behind(wanted: Wanted, after: str) -> Wanted:
    """The page behind a cursor; the first one for a cursor that is none."""
    if not after:
        return wanted
    at, _tilde, pk = after.partition("~")
    try:
        return replace(wanted, after=(datetime.fromisoformat(at) if at else None, int(pk[:18])))
    except ValueError:
        return wanted


def _row(row: tuple[Any, ...]) -> Row:
    pk, number, title, state, due_at, solved_at, merchant, clock, line, priority, kind, lines = row
    waits, mark = waits_for(state, clock, title_of(line)), mark_of(priority, kind)
    return Row(pk, number, title, state, due_at, solved_at, merchant, waits, lines, *mark)


def mark_of(priority: int, kind: str) -> tuple[str, str]:
    """What is unusual about a case in one word, and its tone; nothing for what is as always."""
    if priority == Priority.URGENT:
        return _(Priority.URGENT.label), "bad"
    if kind in (CaseKind.COMPLAINT, CaseKind.MAJOR):
        return _(CaseKind(kind).label), "warn"
    if priority == Priority.HIGH:
        return _(Priority.HIGH.label), "warn"
    return (_(Priority.LOW.label), "") if priority == Priority.LOW else ("", "")


def title_of(titles: str | None) -> str:
    """JSON as a plain statement returns it; empty for nothing."""
    return pick(json.loads(titles)) if titles else ""


def waits_for(state: str, kind: str | None, line: str) -> str:
    """What the clock that ends first waits for."""
    if state in (CaseState.SOLVED, CaseState.CLOSED) or kind is None:
        return _(CaseState(state).label)
    if kind == ClockKind.LINE_DECISION and line:
        return _("等%(line)s答复") % {"line": line}
    return {
        ClockKind.FIRST_ANSWER: _("等您首次答复"),
        ClockKind.REPLY_APPROVAL: _("答复待审"),
        ClockKind.MERCHANT_ANSWER: _("等商家答复"),
    }.get(ClockKind(kind), _("办理中"))
