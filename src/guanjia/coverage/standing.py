"""How a person stands to a merchant, and who is accountable for it, read in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from guanjia.base.sql import prepared
from guanjia.people.models import Role, User

ANSWERS = Q(person__is_active=True) | Q(team__lead__is_active=True) | Q(pool__lead__is_active=True)
"""A responsibility whose one person to turn to is there; otherwise the home pool answers."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person is to a merchant at an instant, and who is accountable for it then.

    `roles` are those of the responsibilities held alone or in a group; `at_home`: works in the home pool,
    and nobody else answers. Of `person`, `team` and `pool` exactly one is there: the accountable holder,
    called `holder`, whose one person to turn to is `answerable`. `stands_in` are the
    roles of those for whom this person stands in while they are away. All are ids.
    """

    merchant: int
    ref: str
    name: str
    member: str | None
    leads: bool
    roles: frozenset[str]
    at_home: bool
    person: int | None
    team: int | None
    pool: int | None
    holder: str
    answerable: int
    stands_in: Sequence[str] = ()


HELD = """coverage_responsibility r
    LEFT JOIN people_user p ON p.id = r.person_id
    LEFT JOIN people_team t ON t.id = r.team_id
    LEFT JOIN people_pool g ON g.id = r.pool_id"""
"""SQL: responsibilities `r` with their holders."""
HOLDER = "coalesce(p.name, t.name, g.name)"
ACCOUNTABLE = f"""
  SELECT false AS home, r.person_id, r.team_id, r.pool_id, {HOLDER} AS name, w.id AS answerable,
    w.name AS answers, lower(r.during) AS since
  FROM {HELD}
    JOIN people_user w ON w.id = coalesce(r.person_id, t.lead_id, g.lead_id) AND w.is_active
  WHERE r.merchant_id = m.id AND r.role = 'account_manager' AND r.during @> %(at)s::timestamptz
  UNION ALL
  SELECT true, NULL, NULL, h.id, h.name, h.lead_id, w.name, NULL
  FROM people_pool h JOIN people_user w ON w.id = h.lead_id WHERE h.id = m.home_pool_id
  ORDER BY home LIMIT 1
"""  # noqa: S608 - our own text
"""SQL: `accountable_for`, once more, of a merchant `m`: a door that asks for more about it asks once."""
_STANDING = f"""
WITH teams AS (SELECT team_id AS id FROM people_team_members WHERE user_id = %(user)s
               UNION SELECT id FROM people_team WHERE lead_id = %(user)s),
  pools AS (SELECT pool_id AS id FROM people_pool_members WHERE user_id = %(user)s
            UNION SELECT id FROM people_pool WHERE lead_id = %(user)s),
  away AS (SELECT user_id AS id FROM people_absence
           WHERE substitute_id = %(user)s AND during @> %(at)s::timestamptz)
SELECT m.id, m.ref, m.name,
  (SELECT b.role FROM merchants_member b WHERE b.merchant_id = m.id AND b.user_id = %(user)s),
  EXISTS (SELECT FROM people_rolegrant g WHERE g.user_id = %(user)s AND g.role = %(lead)s),
  ARRAY(SELECT r.role FROM coverage_responsibility r
        WHERE r.merchant_id = m.id AND r.during @> %(at)s::timestamptz
          AND (r.person_id = %(user)s OR r.team_id IN (SELECT id FROM teams)
               OR r.pool_id IN (SELECT id FROM pools))),
  a.home AND m.home_pool_id IN (SELECT id FROM pools),
  a.person_id, a.team_id, a.pool_id, a.name, a.answerable,
  ARRAY(SELECT r.role FROM away JOIN coverage_responsibility r ON r.merchant_id = m.id
          WHERE r.during @> %(at)s::timestamptz AND (r.person_id = away.id
            OR EXISTS (SELECT FROM people_team t WHERE t.id = r.team_id AND t.lead_id = away.id)
            OR EXISTS (SELECT FROM people_team_members b
                       WHERE b.team_id = r.team_id AND b.user_id = away.id)
            OR EXISTS (SELECT FROM people_pool g WHERE g.id = r.pool_id AND g.lead_id = away.id)
            OR EXISTS (SELECT FROM people_pool_members b
                       WHERE b.pool_id = r.pool_id AND b.user_id = away.id)))
  || ARRAY(SELECT 'account_manager' FROM away JOIN people_pool g ON g.id = m.home_pool_id
          WHERE a.home AND (g.lead_id = away.id OR EXISTS (
            SELECT FROM people_pool_members b WHERE b.pool_id = g.id AND b.user_id = away.id)))
FROM merchants_merchant m CROSS JOIN LATERAL ({ACCOUNTABLE}) a
WHERE m.ref = %(ref)s
"""  # noqa: S608 - our own text


def standing(user: User, merchant_ref: str, *, at: datetime) -> Standing | None:
    """How this person stands to the merchant with this reference; None if there is none. One statement."""
    about = {"user": user.pk, "ref": merchant_ref, "at": at, "lead": Role.SERVICE_LEAD}
    for merchant, ref, name, member, leads, roles, *rest in prepared(_STANDING, about):
        return Standing(merchant, ref, name, member, leads, frozenset(roles), *rest)
    return None
