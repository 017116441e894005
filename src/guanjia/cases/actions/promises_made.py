"""What somebody has told a merchant they will do, and by when. One verb, one transaction, one event."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Missing, Refusal
from guanjia.base.texts import clean
from guanjia.cases.actions.clocks import AboutItem, end_clock_of, start_clock
from guanjia.cases.actions.tasks import lock_case
from guanjia.cases.handing import PromiseEndedAlready
from guanjia.cases.models import (
    Case,
    ClockKind,
    ClockStatus,
    FollowUp,
    FollowUpKind,
    Message,
)
from guanjia.cases.work_events import Promised, PromiseEnded
from guanjia.coverage.rules import Verb, require
from guanjia.ledger.actions import Entry, Payload, record
from guanjia.people.actors import actor_of
from guanjia.people.models import User

TEXT_MOST = 200
FAR = timedelta(days=366)
PROMISES_MOST = 10
"""Running promises of one case."""


class PromisesEnough(Refusal):
    code = "promises_enough"


@transaction.atomic
def make_promise(
    *, actor: User, number: str, kind: str, text: str, due_at: datetime, now: datetime
) -> FollowUp:
    """Tell the merchant what will be done at the latest at `due_at`: a clock runs that both sides see.

    A promise to answer is kept by the next public word of the house, the others by `end_promise`. Raises
    Missing, Forbidden, BadInput, AlreadySolved, PromisesEnough.
    """
    case = _lock_to_speak(actor, number, now)
    if kind not in FollowUpKind.values:
        raise BadInput(_("请选怎样兑现。"), hint=_("答复、打电话、见面，或办一件事。"))
    text = clean(text, field=_("答应什么"), most=TEXT_MOST)
    if not now < due_at <= now + FAR:
        raise BadInput(_("时间要在现在之后、一年之内。"), hint=_("请换一个时间。"))
    if case.follow_ups.filter(ended_at=None).count() >= PROMISES_MOST:
        raise PromisesEnough(_("这件事上已经答应了太多。"), hint=_("请先兑现或收回几个。"))
    promise = FollowUp.objects.create(case=case, kind=kind, text=text, by=actor, made_at=now, due_at=due_at)
    about = AboutItem(line=None, item=promise.key)
    kind_, owner = ClockKind.FOLLOW_UP, case.answerable
    start_clock(case=case, kind=kind_, owner=owner, now=now, due_at=due_at, about=about)
    _tell(case, "promised", now, text=text, due=due_at.isoformat())
    _log(actor, case, Promised(case.number, promise.pk, actor.pk, due_at.isoformat()), now)
    return promise


def _lock_to_speak(actor: User, number: str, now: datetime) -> Case:
    """Only who may speak to the merchant promises it something."""
    case = lock_case(actor, number, now)
    require(actor, case.merchant, Verb.SPEAK, now=now)
    return case


@transaction.atomic
def end_promise(*, actor: User, number: str, promise: int, kept: bool, now: datetime) -> FollowUp:
    """It has been done; or (`kept` false) it is taken back, and the merchant is told. Raises Missing,
    Forbidden, AlreadySolved, PromiseEndedAlready."""
    case = _lock_to_speak(actor, number, now)
    found = case.follow_ups.filter(pk=promise).first()
    if found is None:
        raise Missing(_("没有这个约定。"), hint=_("请刷新查看最新状态。"))
    if found.ended_at is not None:
        raise PromiseEndedAlready(_("这个约定已经结束。"), hint=_("请刷新查看最新状态。"))
    if not kept:
        _tell(case, "promise_taken_back", now, text=found.text)
    return _end(case, found, kept, actor, now)


def keep_by_word(case: Case, *, actor: User, now: datetime) -> None:
    """A public word of the house keeps what it had promised to answer; part of the action that says it."""
    for promise in case.follow_ups.filter(kind=FollowUpKind.ANSWER, ended_at=None).order_by("pk"):
        _end(case, promise, True, actor, now)


def end_with_case(case: Case, *, actor: User, now: datetime) -> None:
    """What was promised on a case is done with the case; part of the action that solves it."""
    for promise in case.follow_ups.filter(ended_at=None).order_by("pk"):
        _end(case, promise, True, actor, now)


def _end(case: Case, promise: FollowUp, kept: bool, actor: User, now: datetime) -> FollowUp:
    promise.ended_at, promise.ended_by, promise.kept = now, actor, kept
    promise.save(update_fields=["ended_at", "ended_by", "kept"])
    how = ClockStatus.STOPPED if kept else ClockStatus.CANCELLED
    end_clock_of(case, kind=ClockKind.FOLLOW_UP, item=promise.key, how=how, now=now)
    _log(actor, case, PromiseEnded(case.number, promise.pk, kept, now > promise.due_at), now)
    return promise


def _tell(case: Case, kind: str, now: datetime, **values: str) -> None:
    Message.objects.create(case=case, notice={"kind": kind, "values": values}, at=now)


def _log(actor: User, case: Case, payload: Payload, now: datetime) -> None:
    record([Entry(now, actor_of(actor), f"case:{case.number}", payload, case.merchant_id)])
