"""Which cases a rule is about: its conditions asked of the database, never of all cases at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from guanjia.base.sql import rows
from guanjia.routines.conditions import Asked, Condition, ask, compiled, value_sql
from guanjia.routines.occasions import OCCASIONS
from guanjia.routines.rule import Rule, Scope

BACK = timedelta(days=7)
_SCOPE = {
    Scope.LIVE: "c.state IN ('open', 'waiting_line', 'waiting_merchant')",
    Scope.SOLVED: "c.state = 'solved'",
}
_FROM = "cases_case c JOIN merchants_merchant m ON m.id = c.merchant_id"
_TOUCHED = "SELECT FROM routines_touched t WHERE t.routine_id = %(routine)s AND t.case_id = c.id"
# The window is cut first, by the index of its scope: however few cases fit, a step looks at no more.
_WINDOW = """
WITH looked AS MATERIALIZED (
  SELECT c.id FROM cases_case c WHERE {scope} AND c.id > %(after)s ORDER BY c.id LIMIT %(size)s
), hits AS (
  SELECT c.id FROM looked JOIN cases_case c USING (id) JOIN merchants_merchant m ON m.id = c.merchant_id
  WHERE {asked} ORDER BY c.id LIMIT %(most)s
)
SELECT (SELECT max(id) FROM looked), (SELECT count(*) FROM looked), ARRAY(SELECT id FROM hits ORDER BY id)
"""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of cases: the ids that fit, how many were looked at, and where to go on (None: the end)."""

    hits: tuple[int, ...]
    looked: int
    after: int | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One condition asked of one case: whether it holds, and what the case has there."""

    condition: Condition
    holds: bool
    found: Any


def asked_of(rule: Rule, routine: int, now: datetime) -> Asked:
    """The rule's conditions, and "not again on this case", in SQL."""
    found = compiled(rule.every, rule.some)
    params = {**found.params, "now": now, "routine": routine}
    if rule.again is None:
        return Asked(f"{found.sql} AND NOT EXISTS ({_TOUCHED})", params)
    if not rule.again:
        return Asked(found.sql, params)
    since = f"{_TOUCHED} AND t.last_at > %(again)s"
    return Asked(f"{found.sql} AND NOT EXISTS ({since})", {**params, "again": now - rule.again})


def window(rule: Rule, routine: int, *, after: int, size: int, most: int, now: datetime) -> Window:
    """Up to `most` cases that fit among the next `size` of the rule's scope, in order of their ids."""
    asked = asked_of(rule, routine, now)
    statement = _WINDOW.format(scope=_SCOPE[rule.scope], asked=asked.sql)
    [(end, looked, hits)] = rows(statement, {**asked.params, "after": after, "size": size, "most": most})
    if len(hits) == most:
        return Window(tuple(hits), looked, hits[-1])
    return Window(tuple(hits), looked, end if looked == size else None)


def still_fit(rule: Rule, routine: int, cases: Sequence[int], now: datetime) -> list[int]:
    """Locks the cases, and asks once more: somebody may just have changed them."""
    asked = asked_of(rule, routine, now)
    statement = (
        f"SELECT c.id FROM {_FROM} WHERE c.id = ANY(%(cases)s) AND {asked.sql}"  # noqa: S608 - our own text
        " ORDER BY c.id FOR NO KEY UPDATE OF c"
    )
    return [pk for (pk,) in rows(statement, {**asked.params, "cases": list(cases)})]


def event_fits(rule: Rule, routine: int, event: int, case: int, now: datetime) -> bool:
    """Whether the event is one that the rule waits for, on a case that it is about; locks the case."""
    asked = asked_of(rule, routine, now)
    statement = (
        f"SELECT c.id FROM {_FROM}, ledger_event e WHERE c.id = %(case)s AND e.id = %(event)s"  # noqa: S608
        f" AND ({_occasions(rule)}) AND {asked.sql} FOR NO KEY UPDATE OF c"
    )
    return bool(rows(statement, {**asked.params, "case": case, "event": event}))


def _occasions(rule: Rule) -> str:
    """Any of the rule's occasions; our own text, no values."""
    wanted = [OCCASIONS[key] for key in rule.occasions]
    return " OR ".join(f"(e.kind = '{one.kind}' AND {one.where})" for one in wanted) or "false"


def fired(rule: Rule, routine: int, *, now: datetime, most: int) -> list[tuple[int, datetime]]:
    """Case and instant of what the rule would have fired on within BACK, the latest first, if the cases had
    been then as they are now."""
    asked = compiled(rule.every, rule.some)
    case_of = (
        "c.number = CASE WHEN e.subject LIKE 'case:%%' THEN substr(e.subject, 6) ELSE"
        " (SELECT k.number FROM packages_package p JOIN cases_case k ON k.id = p.case_id"
        "  WHERE 'package:' || p.number = e.subject) END"
    )
    statement = (
        f"SELECT c.id, e.at FROM ledger_event e JOIN cases_case c ON {case_of}"  # noqa: S608
        " JOIN merchants_merchant m ON m.id = c.merchant_id"
        " WHERE e.at > %(since)s AND e.at <= %(now)s AND e.kind = ANY(%(kinds)s)"
        f" AND ({_occasions(rule)}) AND {asked.sql} ORDER BY e.id DESC LIMIT %(most)s"
    )
    kinds = sorted({OCCASIONS[key].kind for key in rule.occasions})
    params = {**asked.params, "now": now, "since": now - BACK, "kinds": kinds, "most": most}
    found: list[Any] = rows(statement, params)
    return found


def explained(rule: Rule, case: int, now: datetime) -> tuple[list[Verdict], list[Verdict]]:
    """Each condition of the rule asked of one case: those that must all hold, and those of which one must."""
    groups = (("a", rule.every), ("o", rule.some))
    named = [(f"{group}{n}", one) for group, conditions in groups for n, one in enumerate(conditions)]
    params: dict[str, object] = {"now": now, "case": case}
    columns: list[str] = []
    for name, condition in named:
        asked = ask(condition, name)
        params |= asked.params
        columns += [asked.sql, value_sql(condition, name)]
    if not named:
        return [], []
    [answer] = rows(f"SELECT {', '.join(columns)} FROM {_FROM} WHERE c.id = %(case)s", params)  # noqa: S608
    verdicts = [Verdict(one, answer[2 * n], answer[2 * n + 1]) for n, (_name, one) in enumerate(named)]
    return verdicts[: len(rule.every)], verdicts[len(rule.every) :]


def touched_at(routine: int, case: int) -> datetime | None:
    """When the routine last changed this case."""
    statement = "SELECT last_at FROM routines_touched WHERE routine_id = %s AND case_id = %s"
    return next((at for (at,) in rows(statement, [routine, case])), None)
