"""How it was done, in the merchant's eyes. One verb, one transaction, one event."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Forbidden, Refusal
from guanjia.base.sql import run
from guanjia.base.texts import clean
from guanjia.cases.events import CaseRated
from guanjia.cases.models import Case, CaseState, Rating, Score
from guanjia.cases.rules import access_case
from guanjia.coverage.rules import MEMBERS, Verb, relations
from guanjia.ledger.actions import Entry, record
from guanjia.people.actors import actor_of
from guanjia.people.models import User

WORDS_MOST = 1000


class NotRatable(Refusal):
    """The case is not done yet, or its rating is final."""

    code = "not_ratable"


@transaction.atomic
def rate_case(*, actor: User, number: str, score: int, now: datetime, words: str = "") -> Rating:
    """One of the merchant's own people says how it was done; may be changed until the case is closed.

    It stops no clock, opens nothing again and is asked for before nothing. Raises Missing, Forbidden,
    BadInput, NotRatable.
    """
    words = clean(words, field=_("想说的话"), most=WORDS_MOST, least=0)
    if score not in Score.values:
        raise BadInput(_("请选 1 到 5 分中的一个。"))
    known = access_case(actor=actor, number=number, verb=Verb.SPEAK, now=now)
    if not relations(actor, known.merchant, at=now) & MEMBERS:
        raise Forbidden(_("只有商家自己能评价。"), hint=_("评价是商家给管家的，不能代评。"))
    case = Case.objects.select_for_update(no_key=True).get(pk=known.pk)
    before = Rating.objects.filter(case=case).first()
    _require_ratable(case, before)
    event = CaseRated(case.number, score, before.score if before else None)
    rating = _rated(case, before, actor, score, words, now)
    record([Entry(now, actor_of(actor), f"case:{case.number}", event, case.merchant_id)])
    return rating


def _require_ratable(case: Case, before: Rating | None) -> None:
    if case.state == CaseState.CLOSED and before:
        raise NotRatable(_("这件事已经关闭，评价不能再改。"), hint=_("还有话要说，请直接找管家。"))
    if case.state not in (CaseState.SOLVED, CaseState.CLOSED):
        raise NotRatable(_("这件事还在办，办结后才能评价。"), hint=_("有话要说，现在就写在沟通里。"))


def _rated(case: Case, before: Rating | None, actor: User, score: int, words: str, now: datetime) -> Rating:
    if before:
        _count(before, new=0, more=score - before.score)
        before.score, before.words, before.by, before.changed_at = score, words, actor, now
        before.save(update_fields=["score", "words", "by", "changed_at"])
        return before
    rating = Rating.objects.create(
        case=case,
        by=actor,
        score=score,
        words=words,
        rated_at=now,
        person_id=case.person_id,
        team_id=case.team_id,
        pool_id=case.pool_id,
    )
    _count(rating, new=1, more=score)
    return rating


def _count(rating: Rating, *, new: int, more: int) -> None:
    run(
        "INSERT INTO cases_ratingtally (month, person_id, team_id, pool_id, ratings, total)"
        " VALUES (date_trunc('month', %s AT TIME ZONE 'UTC')::date, %s, %s, %s, %s, %s)"
        " ON CONFLICT (month, person_id, team_id, pool_id) DO UPDATE SET"
        " ratings = cases_ratingtally.ratings + excluded.ratings,"
        " total = cases_ratingtally.total + excluded.total",
        [rating.rated_at, rating.person_id, rating.team_id, rating.pool_id, new, more],
    )
