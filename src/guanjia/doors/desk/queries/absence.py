"""Who may stand in, and what is theirs while they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput
from guanjia.base.sql import prepared
from guanjia.people.absences import stands_in_for
from guanjia.people.models import Absence, Role, User

PEOPLE_MOST = 500
PAGE = 25
TASKS_MOST = 30

_COLLEAGUES = f"""
SELECT u.id, u.name FROM people_user u WHERE u.is_active AND u.id <> %(user)s AND u.id IN (
  SELECT user_id FROM people_rolegrant WHERE role = ANY(%(roles)s)
  UNION SELECT user_id FROM people_team_members UNION SELECT lead_id FROM people_team
  UNION SELECT user_id FROM people_pool_members UNION SELECT lead_id FROM people_pool)
ORDER BY u.name, u.id LIMIT {PEOPLE_MOST}
"""  # noqa: S608 - our own text


def colleagues_at_desk(user: User | None) -> list[tuple[int, str]]:
    """Everybody who works at the desk, without this person."""
    roles = [Role.ACCOUNT_MANAGER.value, Role.SERVICE_LEAD.value]
    asked = {"user": user.pk if user else 0, "roles": roles}
    return [(pk, name) for pk, name in prepared(_COLLEAGUES, asked)]


def colleague(pk: str) -> User:
    """Raises BadInput for nobody."""
    known = int(pk) if pk.isdecimal() and len(pk) <= 18 else 0
    found = User.objects.filter(pk=known, is_active=True).first()
    if found is None:
        raise BadInput(_("没有这位同事。"), hint=_("请从名单里选一位。"))
    return found


@dataclass(frozen=True, slots=True)
class Row:
    """A case of somebody who is away; `of` is their name."""

    pk: int
    number: str
    title: str
    merchant: str
    due_at: datetime
    of: str


@dataclass(frozen=True, slots=True)
class Todo:
    number: str
    title: str
    due_at: datetime
    of: str


@dataclass(frozen=True, slots=True)
class StoodFor:
    """`next` is the `after` of the following page of cases."""

    absences: Sequence[Absence]
    cases: Sequence[Row]
    next: str
    tasks: Sequence[Todo]


_CASES = f"""
SELECT c.id, c.number, c.title, m.name, c.due_at, u.name
FROM unnest(%(absent)s::bigint[]) a(id) CROSS JOIN LATERAL (
  SELECT * FROM cases_case c WHERE c.person_id = a.id
    AND c.state IN ('open', 'waiting_line', 'waiting_merchant')
    AND (c.due_at, c.id) > (%(at)s::timestamptz, %(id)s::bigint)
  ORDER BY c.due_at, c.id LIMIT {PAGE + 1}) c
JOIN merchants_merchant m ON m.id = c.merchant_id JOIN people_user u ON u.id = a.id
ORDER BY c.due_at, c.id LIMIT {PAGE + 1}
"""  # noqa: S608 - our own text
_TASKS = f"""
SELECT c.number, t.title, t.due_at, u.name
FROM cases_task t JOIN cases_case c ON c.id = t.case_id JOIN people_user u ON u.id = t.assignee_id
WHERE t.assignee_id = ANY(%(absent)s::bigint[]) AND t.done_at IS NULL AND t.kind = 'by_hand'
ORDER BY t.due_at LIMIT {TASKS_MOST}
"""  # noqa: S608 - our own text


def stood_for(user: User, now: datetime, *, after: str = "") -> StoodFor:
    """Three statements. Raises ValueError for an `after` that is none."""
    away = stands_in_for(user, at=now)
    at, _tilde, pk = after.partition("~")
    begin = (datetime.fromisoformat(at), int(pk)) if after else (datetime.fromtimestamp(0, now.tzinfo), 0)
    absent = [one.user_id for one in away]
    rows = [Row(*row) for row in prepared(_CASES, {"absent": absent, "at": begin[0], "id": begin[1]})]
    shown = rows[:PAGE]
    following = f"{shown[-1].due_at.isoformat()}~{shown[-1].pk}" if len(rows) > PAGE else ""
    tasks = [Todo(*row) for row in prepared(_TASKS, {"absent": absent})]
    return StoodFor(away, shown, following, tasks)
