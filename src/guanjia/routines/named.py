"""People, groups and lines by the names that a file can carry from house to house: `person:lin`, `team:t1`,
`pool:home`, `line:display-slots`."""

from __future__ import annotations

from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput
from guanjia.lines.models import Line
from guanjia.people.models import Pool, Team, User


def reference_of(named: str) -> str:
    """The same with the row's id, as actions want it. Raises BadInput for one that is not there."""
    kind, _sep, code = named.partition(":")
    found = None
    if kind == "person":
        found = User.objects.filter(username=code, is_active=True).values_list("pk", flat=True).first()
    elif kind == "team":
        found = Team.objects.filter(code=code).values_list("pk", flat=True).first()
    elif kind == "pool":
        found = Pool.objects.filter(code=code).values_list("pk", flat=True).first()
    elif kind == "line" and Line.objects.filter(slug=code, active=True).exists():
        return named
    if found is None:
        raise BadInput(
            _("没有“%(name)s”。") % {"name": named[:90]},
            hint=_("请写 person:用户名、team:专班代号或 pool:共享池代号。"),
        )
    return f"{kind}:{found}"


def require_named(named: str) -> None:
    """Raises BadInput for somebody who is not there."""
    reference_of(named)
