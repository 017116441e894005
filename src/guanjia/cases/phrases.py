"""Variables in a macro's text: declared ones only, replaced once, and never evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as n_

from guanjia.base.errors import BadInput
from guanjia.base.moments import moment
from guanjia.base.sql import prepared
from guanjia.cases.changing import Change
from guanjia.cases.models import Case, Macro
from guanjia.coverage.standing import ACCOUNTABLE
from guanjia.people.models import User

VARIABLES: Mapping[str, str] = {
    "merchant": n_("商家的名字"),
    "merchant_ref": n_("商家编号"),
    "number": n_("事项编号"),
    "title": n_("事项标题"),
    "manager": n_("商家的负责人"),
    "me": n_("写这句话的人"),
    "due": n_("最近的期限"),
    "today": n_("今天的日期"),
}
_NAMED = re.compile(r"\{([^{}]*)\}")
MACROS_SHOWN = 100


def require_known(text: str) -> None:
    """Raises BadInput, naming the variables of a text that there are not."""
    unknown = [name for name in dict.fromkeys(_NAMED.findall(text)) if name not in VARIABLES]
    if unknown:
        told = _("、").join("{" + name[:30] + "}" for name in unknown[:5])
        known = _("、").join("{" + name + "}" for name in VARIABLES)
        raise BadInput(
            _("没有变量 %(names)s。") % {"names": told}, hint=_("可用的变量：%(known)s") % {"known": known}
        )


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its variables replaced, once: a value that looks like a variable stays as it is."""
    return _NAMED.sub(lambda found: values.get(found[1], found[0]), text)


def values_for(case: Case, user: User, now: datetime) -> dict[str, str]:
    """What the variables stand for on this case, for this writer. One statement."""
    [(ref, name, manager, due_at)] = prepared(_VALUES, {"case": case.pk, "at": now})
    return {
        "merchant": name,
        "merchant_ref": ref,
        "number": case.number,
        "title": case.title,
        "manager": manager,
        "me": user.name,
        "due": moment(due_at) if due_at else "–",
        "today": moment(now).rsplit(" ", 1)[0],
    }


_VALUES = f"""
SELECT m.ref, m.name, a.answers, c.due_at FROM cases_case c JOIN merchants_merchant m ON m.id = c.merchant_id
CROSS JOIN LATERAL ({ACCOUNTABLE}) a WHERE c.id = %(case)s
"""  # noqa: S608 - our own text


def macros_for(user: User, teams: Sequence[int]) -> list[Macro]:
    """Those that this person may use, by name: their own, their teams', and everyone's. One statement."""
    mine = Macro.objects.filter(owner=user) | Macro.objects.filter(everyone=True)
    if teams:
        mine |= Macro.objects.filter(team__in=teams)
    return list(mine.select_related("team", "owner").order_by("name", "pk")[:MACROS_SHOWN])


def change_in(macro: Macro) -> Change:
    """What a macro does besides its text."""
    return Change(
        priority=macro.priority,
        kind=macro.kind,
        add_tags=tuple(macro.tags),
        wait_days=macro.wait_days,
        solve=macro.solve,
    )
