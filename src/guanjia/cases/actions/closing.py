"""The end of a case, its return, and the wait for its merchant. One verb, one transaction, one event."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput
from guanjia.cases.actions.clocks import start_clock, stop_clocks
from guanjia.cases.events import CaseReopened, CaseSolved, WaitBegun, WaitEnded
from guanjia.cases.models import Case, CaseState, Clock, ClockKind, Message
from guanjia.cases.rules import (
    PROMISES,
    WAIT_DAYS_MOST,
    AlreadySolved,
    NotSolved,
    NotWaiting,
    StillRunning,
    WaitsAlready,
    access_case,
)
from guanjia.coverage.rules import Verb, require
from guanjia.ledger.actions import Entry, Payload, record
from guanjia.people.actors import actor_of
from guanjia.people.models import User

NAMED_MOST = 5
OVER = (CaseState.SOLVED, CaseState.CLOSED)


@transaction.atomic
def solve_case(*, actor: User, number: str, now: datetime) -> Case:
    """The case is done: its clocks stop. Raises AlreadySolved, StillRunning (naming the packages)."""
    case = _locked(actor, number, now)
    if case.state in OVER:
        raise AlreadySolved(_("这件事已经办结。"), hint=_("请刷新查看最新状态。"))
    _refuse_running(case)
    case.state, case.solved_at, case.due_at = CaseState.SOLVED, now, None
    case.save(update_fields=["state", "solved_at", "due_at"])
    stop_clocks(case, now=now, kinds=list(ClockKind))
    _tell(case, "case_solved", now)
    _log(actor, case, CaseSolved(case.number), now)
    return case


def _refuse_running(case: Case) -> None:
    """Nothing is done while a line may still take effect."""
    running = case.packages.filter(submitted_at__isnull=False, ended_at=None).order_by("pk")[:NAMED_MOST]
    if numbers := [package.number for package in running]:
        raise StillRunning(
            _("一揽子 %(numbers)s 还在办理，现在不能办结。") % {"numbers": _("、").join(numbers)},
            hint=_("请等它办完，或先撤回它。"),
        )


@transaction.atomic
def reopen_case(*, actor: User, number: str, now: datetime) -> Case:
    """A solved case is open again, on new clocks. Raises NotSolved."""
    case = access_case(actor=actor, number=number, verb=Verb.SOLVE, now=now)
    if not bring_back(case, actor=actor, now=now):
        raise NotSolved(_("这件事没有办结，不用重新打开。"), hint=_("请刷新查看最新状态。"))
    case.refresh_from_db()
    return case


def bring_back(case: Case, *, actor: User, now: datetime) -> bool:
    """Open again what was solved; False if it was not. Part of the action that brings it back."""
    solved = Case.objects.filter(pk=case.pk, state=CaseState.SOLVED)
    if not solved.update(state=CaseState.OPEN, solved_at=None):
        return False
    for kind, within in PROMISES.items():
        start_clock(case=case, kind=kind, owner=case.answerable, now=now, due_at=now + within)
    _tell(case, "case_reopened", now)
    _log(actor, case, CaseReopened(case.number), now)
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
    _tell(case, "wait_begun", now, due=due_at.isoformat())
    _log(actor, case, WaitBegun(case.number, due_at.isoformat()), now)
    return clock


@transaction.atomic
def stop_waiting(*, actor: User, number: str, now: datetime) -> Case:
    """It is our turn again. Raises NotWaiting, also where a price waits for the merchant's yes."""
    case = _locked(actor, number, now, Verb.NOTE)
    if not _waits(case) or asks_price(case):
        raise NotWaiting(_("这件事没有在等商家，或正等商家确认价格。"), hint=_("请刷新查看最新状态。"))
    stop_clocks(case, now=now, kinds=[ClockKind.MERCHANT_ANSWER])
    _log(actor, case, WaitEnded(case.number), now)
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


def _log(actor: User, case: Case, payload: Payload, now: datetime) -> None:
    record([Entry(now, actor_of(actor), f"case:{case.number}", payload, case.merchant_id)])
