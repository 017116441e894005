"""Tags and colleagues, to choose from."""

from __future__ import annotations

import re
from datetime import datetime

from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Refusal
from guanjia.cases.colleagues import Colleague, colleagues
from guanjia.cases.marking import named_in, tag_names
from guanjia.cases.models import Tag
from guanjia.cases.rules import access_case
from guanjia.coverage.rules import Verb
from guanjia.people.models import User

OPTIONS_MOST = 10
_LAST = re.compile(r"^(.*[,，、;；])?\s*([^,，、;；]*)$", re.S)


def tags_like(typed: str) -> list[str]:
    """Whole values for the field: what was typed before the last comma stays, and the last is completed."""
    match = _LAST.match(typed[:200].replace("\x00", ""))
    before, last = (match[1] or "", match[2]) if match else ("", "")
    try:
        start = tag_names(last)[:1]
    except Refusal:
        return []
    found = Tag.objects.order_by("name")
    if start:
        found = found.filter(name__startswith=start[0])
    return [before + name for name in found.values_list("name", flat=True)[:OPTIONS_MOST]]


def named_like(user: User, number: str, typed: str, now: datetime) -> list[Colleague]:
    """Colleagues whose name or login name holds what is typed. Raises Missing, Forbidden."""
    case = access_case(actor=user, number=number, verb=Verb.NOTE, now=now)
    sought = typed.strip().lstrip("@").casefold()[:80]
    found = colleagues(case.merchant_id, now=now)
    fits = [one for one in found if sought in one.name.casefold() or sought in one.username.casefold()]
    return fits[:OPTIONS_MOST]


def person_named(user: User, number: str, typed: str, now: datetime) -> int:
    """The one colleague that is meant. Raises Missing, Forbidden, BadInput."""
    case = access_case(actor=user, number=number, verb=Verb.NOTE, now=now)
    found = named_in("@" + typed.strip().lstrip("@"), colleagues(case.merchant_id, now=now))
    if len(found) != 1:
        raise BadInput(
            _("没有找到这位同事，或他看不到这家商家。"), hint=_("请从列出的名字里选，或写登录名。")
        )
    return found[0].pk
