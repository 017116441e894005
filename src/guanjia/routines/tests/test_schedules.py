"""Schedules: in stretches, once for each time, and as the preview has said."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from guanjia.cases.actions import solve_case
from guanjia.cases.models import Case, Message
from guanjia.routines import cleaning, schedules
from guanjia.routines.actions import HOUSEKEEPING, SCHEDULE_FLOW, deactivate_routine
from guanjia.routines.flows import ScheduleFlow
from guanjia.routines.models import Outcome, Run, Touched
from guanjia.routines.preview import preview, try_on
from guanjia.routines.rhythm import Rhythm
from guanjia.routines.rule import Office, Scope, Step, load
from guanjia.routines.tests.rulebook import (
    a_case,
    is_,
    priority,
    schedule,
    switch_on,
    tick,
    woken,
)

QUARTER = timedelta(minutes=15)
NOTE = Step("note", {"text": "看一眼"})


def old(hours):
    return is_("age", hours, how="at_least")


def notes():
    return Message.objects.filter(internal=True).count()


def test_it_does_nothing_before_its_time(cast, noon):
    routine = switch_on(cast, schedule(), noon)
    case = a_case(cast, noon)
    assert tick(routine, noon) == noon + QUARTER
    assert (priority(case), Run.objects.count()) == (3, 0)
    assert woken(SCHEDULE_FLOW) == [HOUSEKEEPING, routine.pk]


def test_at_its_time_it_goes_over_the_live_cases(cast, noon):
    routine = switch_on(cast, schedule(every=(old(1),)), noon)
    fresh, aged = a_case(cast, noon), a_case(cast, noon - timedelta(hours=2))
    solved = a_case(cast, noon - timedelta(hours=2))
    solve_case(actor=cast.lin, number=solved.number, now=noon)
    assert tick(routine, noon + QUARTER) == noon + 2 * QUARTER
    assert [priority(case) for case in (fresh, aged, solved)] == [3, 1, 3]
    run = Run.objects.get()
    assert (run.due_at, run.looked, run.changed, run.ended_at) == (noon + QUARTER, 2, 1, noon + QUARTER)


def test_solved_cases_have_a_scope_of_their_own(cast, noon):
    routine = switch_on(
        cast, schedule(scope=Scope.SOLVED, every=(is_("solved_for", 1, how="at_least"),)), noon
    )
    live, solved = a_case(cast, noon), a_case(cast, noon)
    solve_case(actor=cast.lin, number=solved.number, now=noon)
    tick(routine, noon + timedelta(hours=2))
    assert (priority(live), priority(solved)) == (3, 1)


def test_times_that_were_missed_are_one(cast, noon):
    routine = switch_on(cast, schedule(steps=(NOTE,)), noon)
    a_case(cast, noon)
    later = noon + timedelta(hours=30, minutes=1)
    assert tick(routine, later) == later + timedelta(minutes=14)
    assert tick(routine, later) == later + timedelta(minutes=14)
    assert (Run.objects.count(), notes()) == (1, 1)


def test_it_goes_in_stretches_and_keeps_its_place(cast, noon, monkeypatch):
    monkeypatch.setattr(schedules, "LOOKED", 3)
    monkeypatch.setattr(schedules, "WORKED", 2)
    routine = switch_on(cast, schedule(steps=(NOTE,), every=(is_("subject", "办", how="contains"),)), noon)
    for n in range(10):
        a_case(cast, noon, "办" if n % 4 else "等")
    flow, seen = ScheduleFlow(), []
    for _ in range(20):
        [turn] = flow.settle([(routine.pk, ())], noon + QUARTER)
        seen.append(notes())
        if turn.wake_at != noon + QUARTER:
            break
    assert seen == sorted(seen)
    assert max(after - before for before, after in zip([0, *seen], seen, strict=False)) == 2
    run = Run.objects.get()
    assert (seen[-1], run.changed, run.looked >= 10) == (7, 7, True)
    assert Outcome.objects.filter(run=run).values("case").distinct().count() == 7


def test_a_worker_that_dies_in_a_stretch_loses_nothing_and_repeats_nothing(cast, noon, monkeypatch):
    monkeypatch.setattr(schedules, "WORKED", 2)
    routine = switch_on(cast, schedule(steps=(NOTE,)), noon)
    for _ in range(6):
        a_case(cast, noon)
    flow, now = ScheduleFlow(), noon + QUARTER

    def dies():
        with transaction.atomic():
            flow.settle([(routine.pk, ())], now)
            raise RuntimeError

    for kept in (0, 2, 4):
        assert notes() == kept
        with pytest.raises(RuntimeError):
            dies()
        assert notes() == kept
        flow.settle([(routine.pk, ())], now)
    tick(routine, now)
    assert (notes(), Outcome.objects.count(), Run.objects.get().changed) == (6, 6, 6)


def test_what_is_beyond_an_hours_bound_waits_for_the_next(cast, noon):
    routine = switch_on(cast, schedule(per_hour=2, steps=(NOTE,), rhythm=Rhythm(0, 12, 15)), noon)
    for _ in range(5):
        a_case(cast, noon)
    now = noon + QUARTER
    assert tick(routine, now) == now + schedules.PAUSE
    assert notes() == 2
    assert tick(routine, now + timedelta(minutes=61)) > now
    assert (notes(), Run.objects.count()) == (4, 1)
    tick(routine, now + timedelta(minutes=123))
    assert notes() == 5


def test_outside_office_hours_its_time_passes(cast, noon):
    routine = switch_on(cast, schedule(office=Office.OUTSIDE), noon)
    case = a_case(cast, noon)
    assert tick(routine, noon + QUARTER) == noon + 2 * QUARTER
    assert (Run.objects.count(), priority(case)) == (0, 3)
    tick(routine, noon + timedelta(hours=12))
    assert priority(case) == 1


def test_off_in_the_middle_of_a_run_it_goes_no_further(cast, noon, monkeypatch):
    monkeypatch.setattr(schedules, "WORKED", 1)
    routine = switch_on(cast, schedule(steps=(NOTE,)), noon)
    for _ in range(3):
        a_case(cast, noon)
    flow, now = ScheduleFlow(), noon + QUARTER
    flow.settle([(routine.pk, ())], now)
    deactivate_routine(actor=cast.wei, routine=routine.pk, now=now)
    assert tick(routine, now) is None
    assert (notes(), Run.objects.get().ended_at) == (1, now)


def test_the_preview_says_what_then_happens(cast, noon):
    rule = schedule(
        every=(old(1),),
        some=(is_("subject", "退款", how="contains"), is_("priority", 4)),
        steps=(Step("priority", {"priority": "2"}), Step("tag", {"tags": "急"})),
        again_hours=None,
    )
    routine = switch_on(cast, rule, noon)
    for n in range(12):
        case = a_case(cast, noon - timedelta(hours=n % 3), "退款" if n % 2 else "别的")
        Case.objects.filter(pk=case.pk).update(priority=n % 4 + 1)
    now = noon + QUARTER
    said = preview(load(routine.live.content), routine.pk, now)
    changes = {touch.case.pk: touch.changes for touch in said.touches}
    trials = {c.pk: try_on(rule, routine.pk, c.number, now) for c in Case.objects.all()}
    tick(routine, now)
    done = {o.case_id: o.did for o in Outcome.objects.filter(result="changed")}
    assert said.count == len(changes) == len(done) > 2
    assert {pk: len(did) for pk, did in done.items()} == {pk: len(told) for pk, told in changes.items()}
    assert {pk for pk, trial in trials.items() if trial.fits} == set(done)
    assert preview(rule, routine.pk, now).count == 0  # once per case


def test_a_stretch_without_a_hit_costs_a_few_statements(cast, noon):
    routine = switch_on(cast, schedule(every=(is_("merchant", "nobody"),)), noon)
    for _ in range(4):
        a_case(cast, noon)
    with CaptureQueriesContext(connection) as asked:
        tick(routine, noon + QUARTER)
    assert len(asked) <= 14


def test_old_runs_go_and_once_per_case_stays(cast, noon, monkeypatch):
    monkeypatch.setattr(cleaning, "AT_ONCE", 1)
    routine = switch_on(cast, schedule(steps=(NOTE,), again_hours=None), noon)
    a_case(cast, noon)
    tick(routine, noon + QUARTER)
    tick(routine, noon + 2 * QUARTER)
    later = noon + timedelta(days=91)
    flow = ScheduleFlow()
    wakes = [flow.settle([(HOUSEKEEPING, ())], later)[0].wake_at for _ in range(3)]
    assert wakes == [later, later, later + timedelta(days=1)]
    assert (Run.objects.count(), Outcome.objects.count(), Touched.objects.count()) == (0, 0, 1)
    tick(routine, later)
    assert notes() == 1
