"""A merchant's needs as lists: each case with who is on it, its clock, and a track per line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput
from guanjia.base.sql import prepared, rows
from guanjia.base.texts import pick
from guanjia.cases.models import LIVE, CaseState
from guanjia.core.package import ItemState
from guanjia.packages.queries import ItemLook, LineTrack, PackageLook
from guanjia.packages.words import ATTENTION, item_word, package_word

LIVE_MOST, FINISHED_MOST, PROPOSALS_MOST, PAGE = 8, 4, 10, 20
RECENT, WAITING_MOST = 500, 40
"""Newest cases among which the home looks for finished ones; waiting ones whose prices it compares."""

TONES: Mapping[str, str] = {
    CaseState.OPEN: "brand",
    CaseState.WAITING_LINE: "warn",
    CaseState.WAITING_MERCHANT: "warn",
    CaseState.SOLVED: "ok",
    CaseState.CLOSED: "plain",
}
LANES: Mapping[str, str] = {
    ItemState.DRAFTED: "todo",
    ItemState.HOLDING: "now",
    ItemState.PENDING_DECISION: "wait",
    ItemState.HELD: "held",
    ItemState.CONFIRMING: "now",
    ItemState.CONFIRMED: "done",
    ItemState.REFUSED: "bad",
    ItemState.EXPIRED: "bad",
    ItemState.FAILED_NEEDS_HAND: "wait",
}
"""How a line's part of a package is drawn; what is not here is no longer needed."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One line's part of a package; `due_at` is when its answer is due, None where no clock runs."""

    title: str
    status: str
    text: str
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Track:
    """A package on its way over its lines."""

    number: str
    state_text: str
    tone: str
    lanes: tuple[Lane, ...]


@dataclass(frozen=True, slots=True)
class Need:
    """A case as one entry of a list. `due_at` is None when nothing is waited for."""

    number: str
    title: str
    state: str
    state_text: str
    tone: str
    who: str
    live: bool
    due_at: datetime | None
    opened_at: datetime
    solved_at: datetime | None
    track: Track | None


@dataclass(frozen=True, slots=True)
class Needs:
    """A page of needs; `next` is the `after` of the following page, empty on the last."""

    needs: tuple[Need, ...]
    next: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A price that waits for the merchant's answer. `total` is in minor units."""

    number: str
    case: str
    title: str
    lines: tuple[str, ...]
    total: int
    currency: str
    due_at: datetime | None


# Each list is one statement, and its innermost part reads one index up to its end: what it costs grows
# with neither the merchant nor the marketplace. What must match a partial index is written out.
_LIVE = "state IN ('open', 'waiting_line', 'waiting_merchant')"
_COLUMNS = "id, number, title, state, due_at, opened_at, solved_at, person_id, team_id, pool_id"
_IN_PROGRESS = f"SELECT {_COLUMNS} FROM cases_case WHERE merchant_id = %(merchant)s AND {_LIVE}"  # noqa: S608 - our own text
_YOURS = f"{_IN_PROGRESS} AND state = 'waiting_merchant'"
_BEHIND = """ AND (due_at > %(due_at)s::timestamptz OR due_at IS NULL
                   OR due_at = %(due_at)s::timestamptz AND id > %(id)s)"""
_BEHIND_UNTIMED = " AND due_at IS NULL AND id > %(id)s"
_EVERYTHING = f"""
SELECT {_COLUMNS} FROM cases_case WHERE merchant_id = %(merchant)s AND id < %(before)s
ORDER BY id DESC"""  # noqa: S608 - our own text
_FINISHED = f"""
SELECT {_COLUMNS} FROM cases_case WHERE merchant_id = %(merchant)s AND id < %(before)s AND NOT {_LIVE}
ORDER BY id DESC"""  # noqa: S608 - our own text
_JUST_FINISHED = f"""
SELECT * FROM (SELECT {_COLUMNS} FROM cases_case WHERE merchant_id = %(merchant)s
               ORDER BY id DESC LIMIT {RECENT}) newest
WHERE NOT {_LIVE} ORDER BY id DESC"""  # noqa: S608 - our own text
# Of a live case, the newest package that is under way, else the newest.
_NEEDS = f"""
SELECT c.id, c.number, c.title, c.state, coalesce(p.name, t.name, g.name), c.due_at, c.opened_at,
  c.solved_at, k.number, k.state, k.asks, k.items
FROM (%s) c
  LEFT JOIN people_user p ON p.id = c.person_id
  LEFT JOIN people_team t ON t.id = c.team_id
  LEFT JOIN people_pool g ON g.id = c.pool_id
  LEFT JOIN LATERAL (
    SELECT a.number, a.state, a.accept_due_at IS NOT NULL AS asks,
      (SELECT json_agg(json_build_array(l.slug, l.titles, i.state, i.decision_due_at) ORDER BY i.position)
       FROM packages_item i JOIN lines_service s ON s.id = i.service_id JOIN lines_line l ON l.id = s.line_id
       WHERE i.package_id = a.id) AS items
    FROM packages_package a WHERE a.case_id = c.id AND a.state <> 'drafted' AND c.{_LIVE}
    ORDER BY a.ended_at IS NOT NULL, a.id DESC LIMIT 1
  ) k ON true
ORDER BY %s"""  # noqa: S608 - our own text
_BY_CLOCK, _BY_AGE = "c.due_at, c.id", "c.id DESC"
# The clock of a case that waits for its merchant is that of the price.
_PROPOSALS = f"""
SELECT a.number, c.number, c.title, a.currency, a.accept_due_at, i.total, i.lines
FROM (SELECT id, number, title FROM cases_case WHERE merchant_id = %(merchant)s
        AND state = 'waiting_merchant' ORDER BY due_at LIMIT {WAITING_MOST}) c
  JOIN packages_package a ON a.case_id = c.id AND a.accept_due_at IS NOT NULL
    AND a.state NOT IN ('done', 'released')
  CROSS JOIN LATERAL (
    SELECT sum(quote_amount) FILTER (WHERE i.state IN ('drafted', 'held')) AS total,
      json_agg(l.titles ORDER BY i.position) AS lines
    FROM packages_item i JOIN lines_service s ON s.id = i.service_id JOIN lines_line l ON l.id = s.line_id
    WHERE i.package_id = a.id
  ) i
ORDER BY a.accept_due_at, a.id LIMIT {PROPOSALS_MOST}"""  # noqa: S608 - our own text
_LAST = 2**63 - 1


def live_needs(merchant: int, *, after: str = "", waiting: bool = False, limit: int = PAGE) -> Needs:
    """What is in progress, the most urgent clock first; `waiting` leaves what waits for the merchant.

    One statement. Raises BadInput for an `after` that no page gave.
    """
    behind, values = _behind(after) if after else ("", {})
    inner = f"{_YOURS if waiting else _IN_PROGRESS}{behind} ORDER BY due_at, id"
    found = _read(inner, limit + 1, _BY_CLOCK, {"merchant": merchant, **values})
    return Needs(_needs(found[:limit]), _urgency(found[limit - 1]) if len(found) > limit else "")


def past_needs(merchant: int, *, after: str = "", finished: bool = True, limit: int = PAGE) -> Needs:
    """What is finished, or with `finished` off everything, the newest first. Raises BadInput."""
    if after and not re.fullmatch(r"[0-9]{1,18}", after):
        raise _no_such_page()
    values = {"merchant": merchant, "before": int(after) if after else _LAST}
    found = _read(_FINISHED if finished else _EVERYTHING, limit + 1, _BY_AGE, values)
    return Needs(_needs(found[:limit]), str(found[limit - 1][0]) if len(found) > limit else "")


def just_finished(merchant: int) -> tuple[Need, ...]:
    """The newest that are finished, among the RECENT newest cases. One statement."""
    return _needs(_read(_JUST_FINISHED, FINISHED_MOST, _BY_AGE, {"merchant": merchant}))


def _read(inner: str, most: int, order: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """`most` is written out too: a plan must know how little is wanted. By the clock, each merchant gets a
    plan of its own: one for all of them would sort all that a giant has in progress."""
    read = rows if order == _BY_CLOCK else prepared
    return read(_NEEDS % (f"{inner} LIMIT {most}", order), values)


def proposals(merchant: int) -> list[Proposal]:
    """What waits for the merchant's yes or no, the first clock to run out first. One statement."""
    return [
        Proposal(number, case, title, _named(lines), int(total or 0), currency, due_at)
        for number, case, title, currency, due_at, total, lines in prepared(
            _PROPOSALS, {"merchant": merchant}
        )
    ]


def _named(lines: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """Each line once, in the order in which the package names them."""
    return tuple(dict.fromkeys(pick(titles) for titles in lines))


def _urgency(row: Sequence[Any]) -> str:
    """Where a page ends: the clock and the id of its last case."""
    pk, due_at = row[0], row[5]
    return f"{due_at.timestamp() * 1e6:.0f}-{pk}" if due_at else f"-{pk}"


def _behind(after: str) -> tuple[str, dict[str, Any]]:
    cursor = re.fullmatch(r"([0-9]{0,17})-([0-9]{1,18})", after)
    if cursor is None:
        raise _no_such_page()
    if not cursor[1]:
        return _BEHIND_UNTIMED, {"id": int(cursor[2])}
    return _BEHIND, {"due_at": _instant(int(cursor[1])), "id": int(cursor[2])}


def _instant(microseconds: int) -> datetime:
    seconds, rest = divmod(microseconds, 1_000_000)
    try:
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)
    except (ValueError, OverflowError, OSError):
        raise _no_such_page() from None


def _no_such_page() -> BadInput:
    return BadInput(_("没有这一段列表。"), hint=_("请从列表的第一页重新翻。"))


def _needs(found: Sequence[Sequence[Any]]) -> tuple[Need, ...]:
    return tuple(_need(*row[1:8], track=_track(*row[8:])) for row in found)


def _need(
    number: str,
    title: str,
    state: str,
    who: str,
    due_at: datetime | None,
    opened_at: datetime,
    solved_at: datetime | None,
    *,
    track: Track | None,
) -> Need:
    live = state in LIVE
    return Need(
        number=number,
        title=title,
        state=state,
        state_text=state_word(state),
        tone=TONES[state],
        who=who,
        live=live,
        due_at=due_at if live else None,
        opened_at=opened_at,
        solved_at=solved_at,
        track=track,
    )


def state_word(state: str) -> str:
    """A case's state as its merchant reads it: waiting for the merchant is waiting for *you*."""
    ours = {CaseState.WAITING_MERCHANT: _("等您答复"), CaseState.CLOSED: _("已结束")}
    return ours.get(CaseState(state)) or _(CaseState(state).label)


def _track(number: str | None, state: str, asks: bool, items: Sequence[Sequence[Any]]) -> Track | None:
    """From what the statement of a list reads: no more of an item than its line, its state and its clock."""
    if number is None:
        return None
    by_line: dict[str, list[Sequence[Any]]] = {}
    for item in items:
        by_line.setdefault(item[0], []).append(item)
    text, tone = package_word(state, asks=asks)
    return Track(number, text, tone, tuple(_drawn(of_line) for of_line in by_line.values()))


def _drawn(items: Sequence[Sequence[Any]]) -> Lane:
    state = min((ItemState(item[2]) for item in items), key=ATTENTION.index)
    waiting = [item[3] for item in items if item[2] == ItemState.PENDING_DECISION and item[3]]
    due_at = min(map(datetime.fromisoformat, waiting), default=None)
    return Lane(pick(items[0][1]), LANES.get(state, "off"), item_word(state)[0], due_at)


def track_of(look: PackageLook) -> Track:
    """A package with one lane for each of its lines."""
    items = {item.position: item for item in look.items}
    lanes = tuple(_lane(line, [items[position] for position in line.items]) for line in look.tracks)
    return Track(look.number, look.state_text, look.tone, lanes)


def _lane(line: LineTrack, items: Sequence[ItemLook]) -> Lane:
    waiting = [
        item.decision_due_at
        for item in items
        if item.state == ItemState.PENDING_DECISION and item.decision_due_at
    ]
    status = LANES.get(ItemState(line.state), "off")
    return Lane(line.title, status, line.state_text, min(waiting, default=None))
