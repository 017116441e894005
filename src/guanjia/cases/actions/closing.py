"""The end of a case, its return, and the wait for its merchant. One verb, one transaction, one event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.actors import SYSTEM, Actor
from guanjia.base.errors import BadInput
from guanjia.base.flows import wake
from guanjia.cases.actions.clocks import merchant_has_the_turn, start_clock, stop_clocks
from guanjia.cases.actions.promises_made import end_with_case
from guanjia.cases.belonging import OVER, ClosedForGood, MergedAway, comes_back, merged_into
from guanjia.cases.events import CaseClosed, CaseReopened, CaseSolved, WaitBegun, WaitEnded
from guanjia.cases.models import Case, CaseState, Clock, ClockKind, Message
from guanjia.cases.rules import (
    WAIT_DAYS_MOST,
    AlreadySolved,
    NotSolved,
    NotWaiting,
    StillRunning,
    WaitsAlready,
    access_case,
)
from guanjia.cases.tasking import refuse_held
from guanjia.coverage.rules import Verb, require
from guanjia.ledger.actions import Entry, Payload, record
from guanjia.people.actors import actor_of
from guanjia.people.models import User

NAMED_MOST = 5
CLOSE_FLOW = "case_close"
"""The flow that closes what was solved; keys are cases."""


@transaction.atomic
def solve_case(*, actor: User, number: str, now: datetime) -> Case:
    """The case is done: its clocks stop. Raises AlreadySolved, StillRunning (naming the packages),
    TaskHoldsCase (naming the tasks)."""
    case = _locked(actor, number, now)
    if case.state in OVER:
        raise AlreadySolved(_("这件事已经办结。"), hint=_("请刷新查看最新状态。"))
    refuse_running(case)
    refuse_held(case)
    end_with_case(case, actor=actor, now=now)
    case.state, case.solved_at, case.due_at = CaseState.SOLVED, now, None
    case.save(update_fields=["state", "solved_at", "due_at"])
    stop_clocks(case, now=now, kinds=list(ClockKind))
    _tell(case, "case_solved", now)
    _log(actor_of(actor), case, CaseSolved(case.number), now)
    close_in_time([case.pk], now)
    return case


def close_in_time(cases: Sequence[int], now: datetime) -> None:
    """What has just been solved closes by itself, unless somebody comes back to it before."""
    if settings.CLOSE_AFTER is not None:
        wake(CLOSE_FLOW, cases, now + settings.CLOSE_AFTER, now)


@transaction.atomic
def close_cases(*, cases: Sequence[int], now: datetime) -> dict[int, datetime | None]:
    """Close those of these cases that have been solved for long enough; when to look at each again (None:
    not before it is solved once more)."""
    if settings.CLOSE_AFTER is None:
        return dict.fromkeys(cases)
    locked = Case.objects.select_for_update(no_key=True).filter(pk__in=cases, state=CaseState.SOLVED)
    solved = {case.pk: case for case in locked.order_by("pk")}
    due = {pk: case.solved_at + settings.CLOSE_AFTER for pk, case in solved.items() if case.solved_at}
    over = [pk for pk, at in due.items() if at <= now]
    Case.objects.filter(pk__in=over).update(state=CaseState.CLOSED, closed_at=now)
    for pk in over:
        _log(SYSTEM, solved[pk], CaseClosed(solved[pk].number), now)
    return {pk: due[pk] if pk in due and pk not in over else None for pk in cases}


def refuse_running(case: Case) -> None:
    """Nothing is done while a line may still take effect."""
    running = case.packages.filter(submitted_at__isnull=False, ended_at=None).order_by("pk")[:NAMED_MOST]
    if numbers := [package.number for package in running]:
        raise StillRunning(
            _("一揽子 %(numbers)s 还在办理，现在不能办结。") % {"numbers": _("、").join(numbers)},
            hint=_("请等它办完，或先撤回它。"),
        )


@transaction.atomic
def reopen_case(*, actor: User, number: str, now: datetime) -> Case:
    """A case that is over is open again, on new clocks; a closed one only while the rule of the house lets
    it. Raises NotSolved, MergedAway, ClosedForGood."""
    case = access_case(actor=actor, number=number, verb=Verb.SOLVE, now=now)
    if into := merged_into(case):
        raise MergedAway(
            _("这件事已并入 %(number)s，在那里接着办。") % {"number": into.number},
            hint=_("并错了的话，请在那一件上撤销合并。"),
        )
    if case.state == CaseState.CLOSED and not comes_back(case, now):
        raise ClosedForGood(
            _("这件事已关闭，不再重新打开。"), hint=_("请提一件新的，并在里面写上这件的编号。")
        )
    if not bring_back(case, actor=actor, now=now):
        raise NotSolved(_("这件事没有办结，不用重新打开。"), hint=_("请刷新查看最新状态。"))
    case.refresh_from_db()
    return case


def bring_back(case: Case, *, actor: User, now: datetime) -> bool:
    """Open again what is over; False if it was not. Part of the action that brings it back."""
    over = Case.objects.filter(pk=case.pk, state__in=OVER)
    if not over.update(state=CaseState.OPEN, solved_at=None, closed_at=None):
        return False
    start_clock(case=case, kind=ClockKind.RESOLUTION, owner=case.answerable, now=now)
    _tell(case, "case_reopened", now)
    _log(actor_of(actor), case, CaseReopened(case.number), now)
    return True


@transaction.atomic
def wait_for_merchant(*, actor: User, number: str, days: int, now: datetime) -> Clock:
    """From now on it is the merchant's turn, for some days. Raises AlreadySolved, WaitsAlready, BadInput."""
    if not 1 <= days <= WAIT_DAYS_MOST:
        raise BadInput(_("等商家的期限要在 1 到 %(most)d 天之间。") % {"most": WAIT_DAYS_MOST})
    case = _locked(actor, number, now, Verb.NOTE)
    if case.state in OVER:
        raise AlreadySolved(_("这件事已经办结。"), hint=_("请先重新打开。"))
    if _waits(case):
        raise WaitsAlready(_("这件事已经在等商家。"), hint=_("时钟上写着最迟什么时候。"))
    due_at, kind = now + timedelta(days=days), ClockKind.MERCHANT_ANSWER
    clock = start_clock(case=case, kind=kind, owner=case.answerable, now=now, due_at=due_at)
    merchant_has_the_turn([case.pk], now)
    _tell(case, "wait_begun", now, due=due_at.isoformat())
    _log(actor_of(actor), case, WaitBegun(case.number, due_at.isoformat()), now)
    return clock


@transaction.atomic
def stop_waiting(*, actor: User, number: str, now: datetime) -> Case:
    """It is our turn again. Raises NotWaiting, also where a price waits for the merchant's yes."""
    case = _locked(actor, number, now, Verb.NOTE)
    if not _waits(case) or asks_price(case):
        raise NotWaiting(_("这件事没有在等商家，或正等商家确认价格。"), hint=_("请刷新查看最新状态。"))
    stop_clocks(case, now=now, kinds=[ClockKind.MERCHANT_ANSWER])
    _log(actor_of(actor), case, WaitEnded(case.number), now)
    return case


def asks_price(case: Case) -> bool:
    """A package of the case waits for the merchant's yes: words alone do not end that wait."""
    return case.packages.filter(accept_due_at__isnull=False, ended_at=None).exists()


def _waits(case: Case) -> bool:
    return case.clocks.filter(kind=ClockKind.MERCHANT_ANSWER, stopped_at=None).exists()


def _locked(actor: User, number: str, now: datetime, *also: Verb) -> Case:
    case = access_case(actor=actor, number=number, verb=Verb.SOLVE, now=now)
    for verb in also:
        require(actor, case.merchant, verb, now=now)
    return Case.objects.select_for_update(no_key=True).get(pk=case.pk)


def _tell(case: Case, kind: str, now: datetime, **values: str) -> None:
    Message.objects.create(case=case, notice={"kind": kind, "values": values}, at=now)


def _log(actor: Actor, case: Case, payload: Payload, now: datetime) -> None:
    record([Entry(now, actor, f"case:{case.number}", payload, case.merchant_id)])
