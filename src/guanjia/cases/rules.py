"""What a case must satisfy, and the refusals it gives."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from guanjia.base.errors import Missing
from guanjia.cases.models import Case, ClockKind
from guanjia.coverage.rules import Verb, require
from guanjia.people.models import User

NEED_MOST = 20_000
"""Characters of a need or a message; a million-character text is refused, not truncated."""
TITLE_MOST = 60
PROMISES: Mapping[ClockKind, timedelta] = {
    ClockKind.FIRST_ANSWER: timedelta(hours=4),
    ClockKind.RESOLUTION: timedelta(days=3),
}
"""The clocks that start with every case."""
TASK_DUE = timedelta(hours=4)


def access_case(*, actor: User, number: str, verb: Verb, now: datetime) -> Case:
    """The case with this number, if this person may do this with it (see `coverage.rules`)."""
    case = Case.objects.select_related("merchant__home_pool__lead").filter(number=number).first()
    if case is None:
        raise no_case(number)
    try:
        require(actor, case.merchant, verb, now=now)
    except Missing:
        raise no_case(number) from None
    return case


def no_case(number: str) -> Missing:
    return Missing(_("没有找到事项 %(number)s。") % {"number": number[:40]}, hint=_("请核对编号。"))


def title_of(need: str) -> str:
    """The first line of what was said, cut at a readable length."""
    line = need.strip().splitlines()[0].strip()
    return line if len(line) <= TITLE_MOST else line[: TITLE_MOST - 1] + "…"
