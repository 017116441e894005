"""Cases that belong together: the refusals, and where a case that was merged has gone."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Refusal
from guanjia.base.sql import prepared
from guanjia.cases.models import Case, CaseLink, CaseState, LinkKind
from guanjia.cases.numbers import read_number
from guanjia.cases.rules import access_case, no_case
from guanjia.coverage.rules import Verb, require
from guanjia.people.models import User

OVER = (CaseState.SOLVED, CaseState.CLOSED)


class LinkedAlready(Refusal):
    code = "linked_already"


class OtherMerchant(Refusal):
    code = "other_merchant"


class NotMergeable(Refusal):
    code = "not_mergeable"


class MergedAway(Refusal):
    """The case has been merged into another one, where it goes on."""

    code = "merged_away"


class NotUndoable(Refusal):
    code = "not_undoable"


class ClosedForGood(Refusal):
    code = "closed_for_good"


def access_two(
    *, actor: User, number: str, other: str, verbs: Collection[Verb], now: datetime
) -> tuple[Case, Case]:
    """Both cases, locked in order of their ids, if this person may do this with both: a case that is not
    theirs is not there. Raises Missing, Forbidden, BadInput for one case twice, OtherMerchant."""
    read = read_number(other)
    if read is None:
        raise BadInput(_("请填写另一件事项的编号。"), hint=_("例如 GJ-2026-000123。"))
    pair = [_accessible(actor, one, verbs, now) for one in (number, read)]
    if pair[0].pk == pair[1].pk:
        raise BadInput(_("这是同一件事项。"), hint=_("请填写另一件的编号。"))
    if pair[0].merchant_id != pair[1].merchant_id:
        raise OtherMerchant(
            _("%(one)s 和 %(other)s 属于两家商家，不能连在一起。")
            % {"one": pair[0].number, "other": pair[1].number},
            hint=_("同一个原因影响多家商家时，请服务体系负责人立一件重大事项。"),
        )
    locked = Case.objects.select_related("merchant").select_for_update(no_key=True, of=("self",))
    found = {case.pk: case for case in locked.filter(pk__in=[case.pk for case in pair]).order_by("pk")}
    return found[pair[0].pk], found[pair[1].pk]


def _accessible(actor: User, number: str, verbs: Collection[Verb], now: datetime) -> Case:
    first, *rest = verbs
    case = access_case(actor=actor, number=number, verb=first, now=now)
    for verb in rest:
        require(actor, case.merchant, verb, now=now)
    return case


_GONE = """
SELECT s.number, t.number FROM cases_case s
  LEFT JOIN cases_caselink l ON l.source_id = s.id AND l.kind = 'merged'
  LEFT JOIN cases_case t ON t.id = l.target_id
WHERE s.number = %(number)s AND s.state = 'closed' AND l.id IS NOT NULL
"""


def other_number(*, actor: User, typed: str, verb: Verb, now: datetime) -> str | None:
    """Where a page about a case is to be had whose address was `typed`: under its number in full, or, of a
    case that was merged, under that of the case it went into. None: right here.

    Raises Missing for a stranger: that a case was merged is nobody else's business.
    """
    number = read_number(typed)
    if number is None:
        raise no_case(typed)
    gone = prepared(_GONE, {"number": number})
    if gone:
        access_case(actor=actor, number=number, verb=verb, now=now)
        return str(gone[0][1])
    return number if number != typed else None


def merged_into(case: Case) -> Case | None:
    """The case that this one has gone into."""
    if case.state != CaseState.CLOSED:
        return None
    links = CaseLink.objects.select_related("target__merchant")
    found = links.filter(source=case, kind=LinkKind.MERGED).first()
    return found.target if found else None


def comes_back(case: Case, now: datetime) -> bool:
    """Whether the merchant's word on this case that is over opens it again, by the rule of the house."""
    within = settings.REOPEN_WITHIN
    if within is None:
        return True
    over_since = case.solved_at or case.closed_at
    return over_since is not None and now < over_since + within
