"""Which doors somebody has: a merchant's, the desk, a line's console, the lead's board."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from guanjia.base.sql import rows
from guanjia.people.models import Role, User
from guanjia.post.queries import UNREAD

MERCHANTS_MOST = 20


@dataclass(frozen=True, slots=True)
class Home:
    """`kind` is merchant, desk, console or lead; `title` names it in the reader's language."""

    kind: str
    title: str
    url: str


_HOMES = f"""
SELECT
  ARRAY(SELECT ARRAY[m.ref, m.name] FROM merchants_member b JOIN merchants_merchant m ON m.id = b.merchant_id
        WHERE b.user_id = %(user)s ORDER BY b.id LIMIT %(most)s),
  EXISTS (SELECT FROM people_rolegrant WHERE user_id = %(user)s AND role = %(manager)s)
    OR EXISTS (SELECT FROM people_team_members WHERE user_id = %(user)s)
    OR EXISTS (SELECT FROM people_pool_members WHERE user_id = %(user)s)
    OR EXISTS (SELECT FROM people_team WHERE lead_id = %(user)s)
    OR EXISTS (SELECT FROM people_pool WHERE lead_id = %(user)s),
  EXISTS (SELECT FROM lines_linestaff WHERE user_id = %(user)s),
  EXISTS (SELECT FROM people_rolegrant WHERE user_id = %(user)s AND role = %(lead)s),
  (SELECT count(*) FROM ({UNREAD}) unread)
"""  # noqa: S608 - our own text


def homes_of(user: User) -> list[Home]:
    """In the order in which they are offered; one statement. The first is where signing in leads."""
    return _read(user)[0]


def _read(user: User) -> tuple[list[Home], int]:
    """The doors, and how many notices are unread."""
    wanted = {
        "user": user.pk,
        "most": MERCHANTS_MOST,
        "manager": Role.ACCOUNT_MANAGER,
        "lead": Role.SERVICE_LEAD,
    }
    [(merchants, at_desk, at_line, leads, unread)] = rows(_HOMES, wanted)
    doors = [Home("merchant", name, reverse("door", args=[ref])) for ref, name in merchants]
    staff = [
        (leads, Home("lead", _("全局"), reverse("lead"))),
        (at_desk, Home("desk", _("工作台"), reverse("desk"))),
        (at_line, Home("console", _("业务线台"), reverse("console"))),
    ]
    return [*doors, *(home for has, home in staff if has)], unread


def of_request(request: HttpRequest) -> dict[str, object]:
    """Context processor: `homes` and `unread`, read together and only where a template asks for one."""

    @cache
    def found() -> tuple[list[Home], int]:
        user = getattr(request, "user", None)
        return _read(user) if isinstance(user, User) or (user and user.is_authenticated) else ([], 0)

    return {
        "homes": SimpleLazyObject(lambda: found()[0]),
        "unread": SimpleLazyObject(lambda: found()[1]),
    }
