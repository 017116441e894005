"""Merchants at the desk: the portfolio, and all that is known about one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.sql import rows
from guanjia.base.texts import pick
from guanjia.cases.models import LIVE, Case, CaseState
from guanjia.coverage.models import Responsibility, ResponsibilityRole
from guanjia.coverage.queries import accountable_for
from guanjia.doors.desk.queries.lists import title_of
from guanjia.doors.desk.rules import Scope
from guanjia.merchants.models import FactDefinition, MemberRole, Merchant
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


_LINES = """
SELECT l.titles, count(*) FILTER (WHERE i.state = 'confirmed'), count(*)
FROM (SELECT id FROM packages_package WHERE merchant_id = %s ORDER BY id DESC LIMIT 50) p
JOIN packages_item i ON i.package_id = p.id JOIN lines_service s ON s.id = i.service_id
JOIN lines_line l ON l.id = s.line_id GROUP BY l.id ORDER BY count(*) DESC, l.id
"""


def merchant_look(merchant: Merchant, now: datetime) -> MerchantLook:
    """All that is known about a merchant; the same few statements for each."""
    accountable = accountable_for(merchant, at=now)
    holder = accountable.person or accountable.team or accountable.pool
    held = _responsibilities(merchant, now)
    since = [
        r.during.lower for r in held if r.role == ResponsibilityRole.ACCOUNT_MANAGER and r.holder == holder
    ]
    people = list(merchant.members.select_related("user").order_by("pk")[:PEOPLE_MOST])
    return MerchantLook(
        ref=merchant.ref,
        name=merchant.name,
        manager=str(holder),
        answerable=accountable.answerable.name,
        since=since[0] if since else None,
        backups=tuple(str(r.holder) for r in held if r.role == ResponsibilityRole.BACKUP),
        facts=tuple(_facts(merchant)),
        people=tuple(Person(one.user.name, _(MemberRole(one.role).label)) for one in people),
        members=frozenset(one.user_id for one in people),
        live=tuple(_cases(merchant, live=True)),
        past=tuple(_cases(merchant, live=False)),
        lines=tuple((title_of(titles), good, every) for titles, good, every in rows(_LINES, [merchant.pk])),
    )


def _responsibilities(merchant: Merchant, now: datetime) -> list[Responsibility]:
    found = Responsibility.objects.select_related("person", "team", "pool")
    return list(found.filter(merchant=merchant, during__contains=now).order_by("pk")[:PEOPLE_MOST])


def _facts(merchant: Merchant) -> list[Fact]:
    """Known values under their titles; a fact that nobody has defined keeps its key."""
    known: dict[str, Any] = {key: value for key, value in merchant.facts.items() if value not in (None, "")}
    titles = {one.key: pick(one.titles) for one in FactDefinition.objects.filter(key__in=known)}
    own = {"shop_name": _("店铺名")}
    return [Fact(titles.get(key) or own.get(key, key), _readable(value)) for key, value in known.items()]


def _readable(value: Any) -> str:
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, list):
        return _("、").join(str(one) for one in value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _cases(merchant: Merchant, *, live: bool) -> list[CaseLine]:
    found = Case.objects.filter(merchant=merchant)
    over = [CaseState.SOLVED, CaseState.CLOSED]
    if live:
        found = found.filter(state__in=LIVE).order_by("due_at", "pk")  # as its index says it
    else:
        found = found.filter(state__in=over).order_by("-pk")
    return [
        CaseLine(c.number, c.title, c.state, _(c.get_state_display()), c.due_at, c.solved_at or c.opened_at)
        for c in found[:CASES_MOST]
    ]


def packages_of(merchant: Merchant) -> list[PackageLine]:
    return latest(merchant.packages.all())[:CASES_MOST]


def known_merchants(scope: Scope, now: datetime) -> list[PortfolioRow]:
    """For filling in a reference while opening a case."""
    return portfolio(scope, "", 0, now)[0]
