"""Who may act for a line."""

from __future__ import annotations

from django.utils.translation import gettext as _

from guanjia.base.errors import Forbidden
from guanjia.lines.models import Line, LineStaff
from guanjia.people.models import User


class NotYourLine(Forbidden):
    code = "not_your_line"


def require_specialist(actor: User, line: Line) -> None:
    """Raises NotYourLine for anyone who is not one of the line's specialists."""
    if not actor.is_active or not LineStaff.objects.filter(line=line, user=actor).exists():
        raise NotYourLine(_("只有这条业务线的人可以这样做。"), hint=_("请联系业务线负责人。"))
