"""Who may act for a line."""

from __future__ import annotations

from django.utils.translation import gettext as _

from guanjia.base.errors import Forbidden, Missing
from guanjia.lines.models import Line, LineStaff
from guanjia.people.models import User


class NotYourLine(Forbidden):
    code = "not_your_line"


def require_specialist(actor: User, line: Line) -> None:
    """Raises NotYourLine for anyone who is not one of the line's specialists."""
    if not actor.is_active or not LineStaff.objects.filter(line=line, user=actor).exists():
        raise NotYourLine(_("只有这条业务线的人可以这样做。"), hint=_("请联系业务线负责人。"))


def access_line(*, actor: User, slug: str) -> Line:
    """The line of this name, if this person works on it. Raises Missing: to others it does not exist."""
    line = Line.objects.select_related("lead").filter(slug=slug, staff__user=actor).first()
    if line is None or not actor.is_active:
        raise Missing(_("没有业务线“%(slug)s”。") % {"slug": slug[:40]}, hint=_("请核对地址。"))
    return line
