"""Who of the house may see a merchant: whom one can ask to look at its cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from guanjia.base.sql import prepared
from guanjia.cases.models import Case
from guanjia.coverage.standing import ACCOUNTABLE
from guanjia.people.models import Role

COLLEAGUES_MOST = 500


@dataclass(frozen=True, slots=True)
class Colleague:
    pk: int
    username: str
    name: str


# The relations of `coverage.rules` that may write notes, from the merchant's side. A merchant's own people
# are never among them, whatever else they are.
_COLLEAGUES = f"""
WITH held AS (SELECT r.person_id, r.team_id, r.pool_id FROM coverage_responsibility r
    WHERE r.merchant_id = %(merchant)s AND r.during @> %(at)s::timestamptz
  UNION ALL
  SELECT NULL, NULL, m.home_pool_id FROM merchants_merchant m CROSS JOIN LATERAL ({ACCOUNTABLE}) a
    WHERE m.id = %(merchant)s AND a.home),
known AS (
  SELECT user_id AS id FROM people_rolegrant WHERE role = %(lead)s
  UNION SELECT person_id FROM held WHERE person_id IS NOT NULL
  UNION SELECT t.lead_id FROM people_team t JOIN held ON held.team_id = t.id
  UNION SELECT b.user_id FROM people_team_members b JOIN held ON held.team_id = b.team_id
  UNION SELECT g.lead_id FROM people_pool g JOIN held ON held.pool_id = g.id
  UNION SELECT b.user_id FROM people_pool_members b JOIN held ON held.pool_id = b.pool_id)
SELECT u.id, u.username, u.name FROM people_user u JOIN known ON known.id = u.id
WHERE u.is_active AND (%(among)s::bigint[] IS NULL OR u.id = ANY(%(among)s::bigint[]))
  AND NOT EXISTS (SELECT FROM merchants_member b WHERE b.merchant_id = %(merchant)s AND b.user_id = u.id)
ORDER BY u.name, u.id LIMIT {COLLEAGUES_MOST}
"""  # noqa: S608 - our own text


def colleagues(merchant: int, *, now: datetime, among: Sequence[int] | None = None) -> list[Colleague]:
    """Those who may see this merchant now, by name; `among`: of these people only. One statement."""
    about = {"merchant": merchant, "at": now, "lead": Role.SERVICE_LEAD}
    found = prepared(_COLLEAGUES, {**about, "among": list(among) if among is not None else None})
    return [Colleague(*row) for row in found]


def watchers(case: Case, *, now: datetime) -> list[Colleague]:
    """Who follows this case and may still see it: nobody else is told anything."""
    followed = list(case.watches.values_list("user_id", flat=True))
    return colleagues(case.merchant_id, now=now, among=followed) if followed else []
