"""Who works at the desk, and what is theirs there."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from guanjia.base.errors import Forbidden
from guanjia.base.sql import prepared
from guanjia.people.models import Role, User


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose cases somebody sees at the desk: their own, their teams' and their pools'. `stands_in` names
    those who are away now, and for whom this person stands in."""

    user: int
    teams: tuple[tuple[int, str], ...]
    pools: tuple[int, ...]
    stands_in: tuple[str, ...] = ()

    @property
    def team_ids(self) -> list[int]:
        return [pk for pk, _name in self.teams]


_SCOPE = """
SELECT
  EXISTS (SELECT FROM people_rolegrant WHERE user_id = %(user)s AND role = ANY(%(roles)s)),
  ARRAY(SELECT ARRAY[g.id::text, g.name] FROM people_team g WHERE g.lead_id = %(user)s
        OR g.id IN (SELECT team_id FROM people_team_members WHERE user_id = %(user)s) ORDER BY g.id),
  ARRAY(SELECT g.id FROM people_pool g WHERE g.lead_id = %(user)s
        OR g.id IN (SELECT pool_id FROM people_pool_members WHERE user_id = %(user)s) ORDER BY g.id),
  ARRAY(SELECT u.name FROM people_absence a JOIN people_user u ON u.id = a.user_id
        WHERE a.substitute_id = %(user)s AND a.during @> now() ORDER BY u.name)
"""


def at_desk(user: User) -> Scope:
    """What is this person's at the desk; one statement. Raises Forbidden for who does not work there."""
    roles = [Role.ACCOUNT_MANAGER.value, Role.SERVICE_LEAD.value]
    [(works, teams, pools, away)] = prepared(_SCOPE, {"user": user.pk, "roles": roles})
    if not (works or teams or pools):
        raise Forbidden(_("工作台是客户经理用的。"), hint=_("如果您负责商家，请服务体系负责人给您这个角色。"))
    named = tuple((int(pk), name) for pk, name in teams)
    return Scope(user.pk, named, tuple(pools), tuple(away))
