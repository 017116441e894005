"""Whose replies are read before a merchant sees them, and by whom."""

from __future__ import annotations

from guanjia.base.sql import prepared
from guanjia.people.models import User

# What is said of the person goes before what is said of a team.
_APPROVER = """
SELECT a.approver_id FROM cases_apprentice a WHERE a.user_id = %(user)s
UNION ALL
(SELECT a.approver_id FROM people_team_members b JOIN people_team t ON t.id = b.team_id
   JOIN cases_apprentice a ON a.team_id = t.id
 WHERE b.user_id = %(user)s AND t.lead_id <> %(user)s AND a.approver_id <> %(user)s ORDER BY a.id)
LIMIT 1
"""


def approver_of(user: User) -> int | None:
    """Who reads this person's public replies first; None where nobody does. One statement."""
    found = prepared(_APPROVER, {"user": user.pk})
    return found[0][0] if found else None
