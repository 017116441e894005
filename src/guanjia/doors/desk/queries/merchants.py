"""Merchants at the desk: the portfolio, and all that is known about one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.sql import prepared, rows
from guanjia.base.texts import pick
from guanjia.cases.models import CaseState
from guanjia.coverage.standing import ACCOUNTABLE, HELD, HOLDER
from guanjia.doors.desk.queries.lists import LIVE
from guanjia.doors.desk.rules import Scope
from guanjia.merchants.models import MemberRole, Merchant
from guanjia.packages.queries import PackageLine, latest

PAGE = 50
PEOPLE_MOST = 50
CASES_MOST = 8


@dataclass(frozen=True, slots=True)
class PortfolioRow:
    pk: int
    ref: str
    name: str
    live: int
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Fact:
    title: str
    value: str


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class CaseLine:
    number: str
    title: str
    state: str
    state_text: str
    due_at: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True)
class MerchantLook:
    """A merchant for the side of a case. `since` is None where the home pool answers; `lines` counts its
    packages' items per line: title, taken effect, all."""

    ref: str
    name: str
    manager: str
    answerable: str
    since: datetime | None
    backups: tuple[str, ...]
    facts: tuple[Fact, ...]
    people: tuple[Person, ...]
    members: frozenset[int]
    live: tuple[CaseLine, ...]
    past: tuple[CaseLine, ...]
    lines: tuple[tuple[str, int, int], ...]


_PORTFOLIO = """
WITH mine AS (
  SELECT m.id, m.ref, m.name FROM coverage_responsibility r JOIN merchants_merchant m ON m.id = r.merchant_id
  WHERE r.person_id = %(user)s AND r.during @> %(now)s::timestamptz AND m.id > %(after)s AND {match}
  UNION
  SELECT m.id, m.ref, m.name FROM coverage_responsibility r JOIN merchants_merchant m ON m.id = r.merchant_id
  WHERE r.team_id = ANY(%(team)s) AND r.during @> %(now)s::timestamptz AND m.id > %(after)s AND {match}
  ORDER BY id LIMIT %(most)s)
SELECT mine.*, (SELECT count(*) FROM (SELECT FROM cases_case c WHERE c.merchant_id = mine.id
    AND c.state IN ('open', 'waiting_line', 'waiting_merchant') LIMIT 100) n),
  (SELECT min(c.due_at) FROM cases_case c WHERE c.merchant_id = mine.id
    AND c.state IN ('open', 'waiting_line', 'waiting_merchant'))
FROM mine ORDER BY id
"""
_MATCH = "(m.name ILIKE %(like)s OR m.ref ILIKE %(prefix)s)"


def portfolio(scope: Scope, words: str, after: int, now: datetime) -> tuple[list[PortfolioRow], int | None]:
    """Merchants this person or their teams answer for, in the order they came in; and where to go on."""
    safe = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    given = {
        "user": scope.user,
        "team": scope.team_ids,
        "now": now,
        "after": after,
        "like": f"%{safe}%",
        "prefix": f"{safe}%",
        "most": PAGE + 1,
    }
    found = [PortfolioRow(*row) for row in rows(_PORTFOLIO.format(match=_MATCH if words else "true"), given)]
    return found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None


_CASE = "json_build_array(c.number, c.title, c.state, c.due_at, coalesce(c.solved_at, c.opened_at))"
_LOOK = f"""
SELECT m.ref, m.name, a.name, a.answers, a.since, m.facts::json,
  (SELECT json_object_agg(d.key, d.titles) FROM merchants_factdefinition d
   WHERE d.key IN (SELECT jsonb_object_keys(m.facts))),
  (SELECT json_agg(x.name) FROM (SELECT {HOLDER} AS name FROM {HELD} WHERE r.merchant_id = m.id
   AND r.role = 'backup' AND r.during @> %(at)s::timestamptz ORDER BY r.id LIMIT {PEOPLE_MOST}) x),
  (SELECT json_agg(x.one) FROM (SELECT json_build_array(u.id, u.name, b.role) AS one FROM merchants_member b
   JOIN people_user u ON u.id = b.user_id WHERE b.merchant_id = m.id ORDER BY b.id LIMIT {PEOPLE_MOST}) x),
  (SELECT json_agg(x.one) FROM (SELECT {_CASE} AS one FROM cases_case c WHERE c.merchant_id = m.id
   AND c.{LIVE} ORDER BY c.due_at, c.id LIMIT {CASES_MOST}) x),
  (SELECT json_agg(x.one) FROM (SELECT {_CASE} AS one FROM cases_case c WHERE c.merchant_id = m.id
   AND c.state IN ('solved', 'closed') ORDER BY c.id DESC LIMIT {CASES_MOST}) x),
  (SELECT json_agg(x.one) FROM (
   SELECT json_build_array(l.titles, count(*) FILTER (WHERE i.state = 'confirmed'), count(*)) AS one
   FROM (SELECT id FROM packages_package WHERE merchant_id = m.id ORDER BY id DESC LIMIT 50) p
   JOIN packages_item i ON i.package_id = p.id JOIN lines_service s ON s.id = i.service_id
   JOIN lines_line l ON l.id = s.line_id GROUP BY l.id ORDER BY count(*) DESC, l.id) x)
FROM merchants_merchant m CROSS JOIN LATERAL ({ACCOUNTABLE}) a WHERE m.id = %(merchant)s
"""  # noqa: S608 - our own text


def merchant_look(merchant: int, now: datetime) -> MerchantLook:
    """All that is known about a merchant, in one statement."""
    [row] = prepared(_LOOK, {"merchant": merchant, "at": now})
    ref, name, manager, answerable, since, facts, titles, backups, people, live, past, lines = row
    return MerchantLook(
        ref=ref,
        name=name,
        manager=manager,
        answerable=answerable,
        since=since,
        backups=tuple(backups or ()),
        facts=tuple(_facts(facts, titles or {})),
        people=tuple(Person(name, _(MemberRole(role).label)) for _pk, name, role in people or ()),
        members=frozenset(pk for pk, _name, _role in people or ()),
        live=tuple(_case(*one) for one in live or ()),
        past=tuple(_case(*one) for one in past or ()),
        lines=tuple((pick(titles), good, every) for titles, good, every in lines or ()),
    )


def _facts(facts: Mapping[str, Any], titles: Mapping[str, Mapping[str, str]]) -> Iterator[Fact]:
    """Known values under their titles; a fact that nobody has defined keeps its key."""
    own = {"shop_name": _("店铺名")}
    for key, value in facts.items():
        if value not in (None, ""):
            yield Fact(pick(titles.get(key, {})) or own.get(key, key), _readable(value))


def _readable(value: Any) -> str:
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, list):
        return _("、").join(str(one) for one in value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _case(number: str, title: str, state: str, due_at: str | None, at: str) -> CaseLine:
    due = datetime.fromisoformat(due_at) if due_at else None
    return CaseLine(number, title, state, _(CaseState(state).label), due, datetime.fromisoformat(at))


def packages_of(merchant: Merchant) -> list[PackageLine]:
    return latest(merchant.packages.all())[:CASES_MOST]


def known_merchants(scope: Scope, now: datetime) -> list[PortfolioRow]:
    """For filling in a reference while opening a case."""
    return portfolio(scope, "", 0, now)[0]
