"""Whose cases and merchants somebody finds: those that `coverage.rules` lets them see, and no others.

A service lead finds all. Whoever answers for merchants, alone, in a team or as a backup, finds these; who
works in a pool also finds those that have it for their home and nobody else to answer. A merchant's own
people find their merchant's, and of those what is public. A specialist of a line has no relation to a
merchant, and finds services alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from guanjia.base.sql import prepared
from guanjia.people.models import Role, User
from guanjia.search.terms import OF_MERCHANT

FEW = 3000
NAMED_MOST = 200
"""Merchants of a portfolio that are asked for by name; of a larger one each match is asked whose it is."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a search may find. `query` narrows it in the index, `where` checks each match (with `merchant`
    for the merchant's id, and `values` beside it); `notes`: internal notes are looked through; `few`: these
    merchants have less than FEW cases."""

    notes: bool
    query: str
    where: str
    values: Mapping[str, Any]
    few: bool = False

    @property
    def nothing(self) -> bool:
        return self.where == "false"


_HELD = """(r.person_id = %(user)s OR r.team_id = ANY(%(teams)s::bigint[])
    OR r.pool_id = ANY(%(pools)s::bigint[]))
  AND r.during @> %(now)s::timestamptz"""
# As `coverage.standing` has it. Scalar, so that it is asked of the matches that are shown and of no others.
_HIS = f"""coalesce((SELECT true FROM coverage_responsibility r WHERE r.merchant_id = merchant AND {_HELD}
  LIMIT 1), (SELECT true FROM merchants_merchant h WHERE h.id = merchant
  AND h.home_pool_id = ANY(%(pools)s::bigint[])
  AND NOT EXISTS (SELECT FROM coverage_responsibility a LEFT JOIN people_team t ON t.id = a.team_id
    LEFT JOIN people_pool g ON g.id = a.pool_id
    JOIN people_user w ON w.id = coalesce(a.person_id, t.lead_id, g.lead_id) AND w.is_active
    WHERE a.merchant_id = h.id AND a.role = 'account_manager' AND a.during @> %(now)s::timestamptz)
  LIMIT 1), false)"""  # noqa: S608 - our own text
_STAFF = """
SELECT EXISTS (SELECT FROM people_rolegrant WHERE user_id = %(user)s AND role = %(lead)s),
  ARRAY(SELECT team_id FROM people_team_members WHERE user_id = %(user)s
        UNION SELECT id FROM people_team WHERE lead_id = %(user)s),
  ARRAY(SELECT pool_id FROM people_pool_members WHERE user_id = %(user)s
        UNION SELECT id FROM people_pool WHERE lead_id = %(user)s)
"""
_NAMED = f"""
SELECT merchant_id FROM coverage_responsibility r WHERE r.person_id = %(user)s
  AND r.during @> %(now)s::timestamptz
UNION ALL SELECT merchant_id FROM coverage_responsibility r WHERE r.team_id = ANY(%(teams)s::bigint[])
  AND r.during @> %(now)s::timestamptz
LIMIT {NAMED_MOST + 1}
"""  # noqa: S608 - our own text
_COUNTED = f"""
SELECT count(*) FROM (
  SELECT FROM cases_case WHERE merchant_id = ANY(%(merchants)s::bigint[]) LIMIT {FEW}) n
"""  # noqa: S608 - our own text


def of_staff(user: User, now: datetime) -> Scope:
    """Three statements at most."""
    asked = {"user": user.pk, "lead": Role.SERVICE_LEAD.value}
    [(leads, teams, pools)] = prepared(_STAFF, asked)
    if not user.is_active:
        return Scope(False, "", "false", {})
    if leads:
        return Scope(True, "", "", {})
    values = {"user": user.pk, "teams": teams, "pools": pools, "now": now}
    if pools:
        return Scope(True, "", _HIS, values)
    named = {merchant for (merchant,) in prepared(_NAMED, {k: values[k] for k in ("user", "teams", "now")})}
    if not named:
        return Scope(True, "", "false", {})
    return Scope(True, "", _HIS, values) if len(named) > NAMED_MOST else _of(named, notes=True)


def of_merchant(merchant: int) -> Scope:
    """For the merchant's own people; who they are has been asked before."""
    return _of({merchant}, notes=False)


def _of(merchants: set[int], *, notes: bool) -> Scope:
    query = "|".join(f"'{OF_MERCHANT}{one}'" for one in sorted(merchants))
    where = "merchant = ANY(%(merchants)s::bigint[])"
    values = {"merchants": sorted(merchants)}
    [(cases,)] = prepared(_COUNTED, values)
    return Scope(notes, query, where, values, few=cases < FEW)
