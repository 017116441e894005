"""Who is read, by whom; and who there is to choose."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.errors import Missing
from guanjia.cases.models import Apprentice
from guanjia.people.models import Role, Team, User
from guanjia.people.queries import person_named

SHOWN_MOST = 200
STAFF_MOST = 200
TEAMS_MOST = 200


def listed() -> dict[str, Any]:
    """Those that there are, and what the form offers; three statements."""
    found = Apprentice.objects.select_related("user", "team", "approver").order_by("-since", "-pk")
    works = User.objects.filter(grants__role__in=[Role.ACCOUNT_MANAGER, Role.SERVICE_LEAD], is_active=True)
    return {
        "apprentices": list(found[:SHOWN_MOST]),
        "staff": list(works.distinct().order_by("name", "pk")[:STAFF_MOST]),
        "teams": list(Team.objects.order_by("name", "pk")[:TEAMS_MOST]),
    }


def chosen(username: str, team: str) -> tuple[User | None, Team | None]:
    """The person or the team of the form. Raises Missing."""
    user = person_named(username.strip()) if username.strip() else None
    if not team:
        return user, None
    found = Team.objects.filter(code=team[:40]).first()
    if found is None:
        raise Missing(_("没有这个专班。"), hint=_("请从列出的里面选。"))
    return user, found
