"""What a case must satisfy, and the refusals it gives."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from guanjia.base.errors import Missing, Refusal
from guanjia.cases.models import Case
from guanjia.coverage.rules import Relation, Verb, check, relations_of
from guanjia.coverage.standing import standing
from guanjia.people.models import User

NEED_MOST = 20_000
"""Characters of a need or a message; a million-character text is refused, not truncated."""
TITLE_MOST = 60
TASK_DUE = timedelta(hours=4)
WAIT_DAYS_MOST = 30
VIEWS = ("mine", "soon", "late", "line", "merchant", "watched", "team", "pool", "solved")
"""The views that every desk has; a saved view narrows one of them."""


class StillRunning(Refusal):
    code = "package_still_running"


class AlreadySolved(Refusal):
    code = "already_solved"


class NotSolved(Refusal):
    code = "not_solved"


class WaitsAlready(Refusal):
    code = "waits_already"


class NotWaiting(Refusal):
    code = "not_waiting"


class AnsweredMeanwhile(Refusal):
    """Somebody else has spoken since the speaker last looked."""

    code = "answered_meanwhile"


class NeedsApproval(Refusal):
    """A junior's public reply is read by somebody first: see `actions.approval`."""

    code = "needs_approval"


class AlreadyDecided(Refusal):
    """A held reply has been sent or returned meanwhile."""

    code = "already_decided"


class DraftMoved(Refusal):
    """A colleague has gone on with the shared draft since it was read."""

    code = "draft_moved"


def access_case(*, actor: User, number: str, verb: Verb, now: datetime) -> Case:
    """The case with this number, if this person may do this with it (see `coverage.rules`)."""
    case = Case.objects.select_related("merchant__home_pool__lead").filter(number=number).first()
    if case is None:
        raise no_case(number)
    access_known(actor=actor, number=number, ref=case.merchant.ref, verb=verb, now=now)
    return case


def access_known(*, actor: User, number: str, ref: str, verb: Verb, now: datetime) -> frozenset[Relation]:
    """How this person stands to the merchant of a case that was read before; refuses as `access_case`."""
    held = relations_of(actor, standing(actor, ref, at=now))
    try:
        check(held, ref, verb)
    except Missing:
        raise no_case(number) from None
    return held


def no_case(number: str) -> Missing:
    return Missing(_("没有找到事项 %(number)s。") % {"number": number[:40]}, hint=_("请核对编号。"))


def title_of(need: str) -> str:
    """The first line of what was said, cut at a readable length."""
    line = need.strip().splitlines()[0].strip()
    return line if len(line) <= TITLE_MOST else line[: TITLE_MOST - 1] + "…"
