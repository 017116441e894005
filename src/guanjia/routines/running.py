"""A routine at work: on the case of an event, or on a stretch of the cases of its schedule.

Everything here happens in the transaction of the flow's settle: a worker that dies has done nothing, one
that commits has done it once. What a routine does to a case is all of its deeds or none.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import InterfaceError, InternalError, OperationalError, transaction
from django.db.models import F
from django.utils.translation import gettext_noop as n_

from guanjia.base.errors import Refusal
from guanjia.base.sql import rows
from guanjia.cases.models import Case
from guanjia.ledger.actions import Entry, record
from guanjia.people.actors import actor_of
from guanjia.people.models import User
from guanjia.routines.actions import turn_off
from guanjia.routines.deeds import DEEDS
from guanjia.routines.events import RoutineActed
from guanjia.routines.house import hand_of
from guanjia.routines.models import Outcome, Result, Routine, Run, Touched, Version
from guanjia.routines.rule import Rule, Step, load

log = logging.getLogger("guanjia.routines")

CHAIN_MOST = 5
FAILURES_MOST = 5
HOUR = timedelta(hours=1)
_PASSING = (OperationalError, InterfaceError, InternalError)
_MISTAKES = frozenset({"bad_input", "not_found", "forbidden"})
"""Refusals that say the rule is wrong, and not that the case is no longer in that state."""
REASONS = {
    "nothing": n_("已经是这样，没有要改的。"),
    "own_chain": n_("这是它自己引起的，不再触发自己。"),
    "too_deep": n_("规则一环套一环，到第 5 环停下。"),
    "fault": n_("出了程序故障，详情在日志里；这件事没有被改动。"),
}
"""Why a case was passed over, where it was not an action that said so."""


@dataclass(frozen=True, slots=True)
class Work:
    """A routine with what it says, and the hand it works with."""

    routine: Routine
    version: Version
    rule: Rule
    hand: User

    @classmethod
    def of(cls, routine: Routine) -> Work:
        version = routine.live
        assert version is not None  # only routines that are on go to work
        return cls(routine, version, load(version.content), hand_of(routine.pk))


def room_of(work: Work, now: datetime) -> int:
    """How many cases it may still change in this hour."""
    [(changed,)] = rows(
        "SELECT count(*) FROM (SELECT FROM routines_outcome WHERE routine_id = %s AND result = 'changed'"
        " AND at > %s LIMIT %s) recent",
        [work.routine.pk, now - HOUR, work.rule.per_hour],
    )
    return work.rule.per_hour - int(changed)


def work_on(work: Work, run: Run, case: Case, chain: Sequence[int], now: datetime) -> bool:
    """Do to one case what the rule says, and write down what came of it. False if the routine has turned
    itself off over it."""
    outcome = Outcome.objects.create(
        run=run,
        routine=work.routine,
        case=case,
        result=Result.SKIPPED,
        chain=[*chain, work.routine.pk],
        at=now,
    )
    steps = [(n, step) for n, step in enumerate(work.rule.steps) if would(case, step)]
    if why := _why_not(work, chain, steps):
        outcome.why = why
    else:
        _try(work, outcome, case, steps, now)
    outcome.save(update_fields=["result", "did", "why"])
    return _count(work, outcome, now)


def would(case: Case, step: Step) -> str:
    """What the step would change on this case now; empty: nothing."""
    return DEEDS[step.deed].would(case, step.params)


def _why_not(work: Work, chain: Sequence[int], steps: Sequence[object]) -> str:
    if work.routine.pk in chain:
        return "own_chain"
    if len(chain) >= CHAIN_MOST:
        return "too_deep"
    return "" if steps else "nothing"


def _try(work: Work, outcome: Outcome, case: Case, steps: Sequence[tuple[int, Step]], now: datetime) -> None:
    try:
        with transaction.atomic():
            _do(work, outcome, case, steps, now)
    except Refusal as refusal:
        outcome.result = Result.FAILED if refusal.code in _MISTAKES else Result.SKIPPED
        outcome.why = refusal.message[:300]
    except _PASSING:
        raise  # the database is away or busy: the whole stretch is done again
    except Exception:
        log.exception("routine %s failed on case %s", work.routine.pk, case.number)
        outcome.result, outcome.why = Result.FAILED, "fault"
    else:
        outcome.result, outcome.did = Result.CHANGED, [n for n, _step in steps]


def _do(work: Work, outcome: Outcome, case: Case, steps: Sequence[tuple[int, Step]], now: datetime) -> None:
    """Events that come of it carry its cause, however deep in an action they are written."""
    _cause(str(outcome.pk))
    for place, (_n, step) in enumerate(steps):
        if place:
            case.refresh_from_db()  # the step before may have handed it over
        DEEDS[step.deed].do(work.hand, case, step.params, now)
    deeds = [step.deed for _n, step in steps]
    acted = RoutineActed(case.number, work.routine.pk, work.version.number, outcome.run_id, deeds)
    record([Entry(now, actor_of(work.hand), f"case:{case.number}", acted, case.merchant_id)])
    Touched.objects.update_or_create(routine=work.routine, case=case, defaults={"last_at": now})
    _cause("")


def _cause(outcome: str) -> None:
    """A rollback takes it back, too."""
    rows("SELECT set_config('guanjia.cause', %s, true)", [outcome])


def _count(work: Work, outcome: Outcome, now: datetime) -> bool:
    Run.objects.filter(pk=outcome.run_id).update(**{outcome.result: F(outcome.result) + 1})
    routine = work.routine
    if outcome.result == Result.CHANGED and routine.failures:
        routine.failures = 0
        routine.save(update_fields=["failures"])
    if outcome.result != Result.FAILED:
        return True
    routine.failures += 1
    routine.save(update_fields=["failures"])
    if routine.failures < FAILURES_MOST:
        return True
    turn_off(routine=routine, reason="failing", now=now)
    return False
