"""Tasks: they hold a case open, wait for each other, and free their followers at once."""

import threading
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction

from guanjia.base.errors import BadInput, Forbidden, Missing
from guanjia.base.models import Flow
from guanjia.cases import actions
from guanjia.cases.actions.tasks import FLOW
from guanjia.cases.flows.work import OverdueTaskFlow
from guanjia.cases.models import Case, CaseState, Task, TaskBlock, TaskState, TaskWord
from guanjia.cases.rules import AlreadySolved
from guanjia.cases.tasking import TaskEndedAlready, TaskHoldsCase, TaskWaits, WaitsForItself
from guanjia.demo.cast import make_cast
from guanjia.ledger.models import Event
from guanjia.packages.tests import stories

HOUR = timedelta(hours=1)


@pytest.fixture
def case(cast, noon):
    return stories.a_case(cast, noon)


def ask(cast, case, noon, title="核对库存", **more):
    about = {"actor": cast.lin, "number": case.number, "doer": "line:warehousing", "now": noon}
    if "due_at" not in more:
        more.setdefault("work_days", 1)
    return actions.ask_task(title=title, **{**about, **more})


def end(cast, task, noon, **more):
    return actions.finish_task(**{"actor": cast.otto, "task": task.pk, "now": noon, **more})


def shanghai(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai"))


def fresh(task):
    return Task.objects.get(pk=task.pk)


# --- holding a case -------------------------------------------------------------------------------


def test_a_case_is_not_solved_before_what_holds_it(cast, noon, case, unchanged):
    task = ask(cast, case, noon)
    ask(cast, case, noon, title="事后回访", holds=False)
    with unchanged(), pytest.raises(TaskHoldsCase, match="核对库存") as refused:
        actions.solve_case(actor=cast.lin, number=case.number, now=noon)
    assert "事后回访" not in refused.value.message
    end(cast, task, noon, word="都在")
    assert actions.solve_case(actor=cast.lin, number=case.number, now=noon).state == CaseState.SOLVED


@pytest.mark.parametrize("way", ["drop", "let go"])
def test_a_task_is_dropped_with_a_reason_or_lets_go(cast, noon, case, unchanged, way):
    task = ask(cast, case, noon)
    if way == "drop":
        with unchanged(), pytest.raises(BadInput):
            actions.drop_task(actor=cast.lin, task=task.pk, reason=" ", now=noon)
        actions.drop_task(actor=cast.lin, task=task.pk, reason="商家不要了", now=noon)
        assert fresh(task).state == TaskState.DROPPED
        assert TaskWord.objects.get().body == "商家不要了"
    else:
        actions.hold_by_task(actor=cast.lin, task=task.pk, holds=False, now=noon)
    actions.solve_case(actor=cast.lin, number=case.number, now=noon)


def test_nothing_is_asked_on_a_solved_case(cast, noon, case, unchanged):
    actions.solve_case(actor=cast.lin, number=case.number, now=noon)
    with unchanged(), pytest.raises(AlreadySolved):
        ask(cast, case, noon)


# --- one after the other --------------------------------------------------------------------------


def test_what_ends_frees_its_followers_at_that_instant(cast, noon, case):
    first, second = ask(cast, case, noon), ask(cast, case, noon, title="拍照")
    last = ask(cast, case, noon, title="上架", after=[first.pk, second.pk], lag_days=1, work_days=2)
    assert (last.state, last.starts_at) == (TaskState.BLOCKED, None)
    assert last.due_at == shanghai("2026-11-16T18:00")  # expected: from the 11th, a day later, two days
    end(cast, first, noon + HOUR)
    assert fresh(last).state == TaskState.BLOCKED
    end(cast, second, noon + 2 * HOUR)
    freed = fresh(last)
    assert freed.state == TaskState.OPEN
    assert freed.starts_at == shanghai("2026-11-11T09:00")  # noon is a Tuesday's
    assert freed.due_at == shanghai("2026-11-13T18:00")
    assert Flow.objects.get(name=FLOW, key=last.pk).due_at == freed.due_at
    assert list(Event.objects.filter(kind="cases.task_freed").values_list("payload__task", flat=True)) == [
        last.pk
    ]


def test_a_fixed_day_stays_when_a_task_is_freed(cast, noon, case):
    first, due_at = ask(cast, case, noon), noon + 50 * HOUR
    last = ask(cast, case, noon, title="上架", after=[first.pk], due_at=due_at)
    end(cast, first, noon + HOUR)
    assert (fresh(last).state, fresh(last).due_at) == (TaskState.OPEN, due_at)


def test_what_waits_is_not_done_before(cast, noon, case, unchanged):
    first = ask(cast, case, noon)
    last = ask(cast, case, noon, title="上架", after=[first.pk])
    with unchanged(), pytest.raises(TaskWaits):
        end(cast, last, noon)
    actions.drop_task(actor=cast.lin, task=last.pk, reason="不用了", now=noon)
    end(cast, first, noon)
    with unchanged(), pytest.raises(TaskEndedAlready):
        end(cast, last, noon)


def test_nobody_waits_in_a_circle(cast, noon, case, unchanged):
    first = ask(cast, case, noon)
    second = ask(cast, case, noon, title="二", after=[first.pk])
    third = ask(cast, case, noon, title="三", after=[second.pk])
    with unchanged():
        with pytest.raises(WaitsForItself):
            actions.wait_for_task(actor=cast.lin, task=first.pk, by=third.pk, now=noon)
        with pytest.raises(IntegrityError, match="wait for itself"), transaction.atomic():
            TaskBlock.objects.create(task=first, by=third)
    actions.wait_for_task(actor=cast.lin, task=third.pk, by=first.pk, now=noon)
    assert fresh(third).state == TaskState.BLOCKED


def test_a_task_waits_for_none_of_another_case(cast, noon, case, unchanged):
    here, there = ask(cast, case, noon), ask(cast, stories.a_case(cast, noon), noon)
    with unchanged():
        with pytest.raises(BadInput):
            ask(cast, case, noon, after=[there.pk])
        with pytest.raises(IntegrityError, match="two cases"), transaction.atomic():
            TaskBlock.objects.create(task=here, by=there)


# --- who does it ----------------------------------------------------------------------------------


def test_a_line_specialist_does_the_task_and_sees_no_case(cast, noon, case, unchanged):
    task = ask(cast, case, noon)
    assert (task.assignee, task.line) == (cast.otto, cast.warehousing)
    word = actions.say_on_task(actor=cast.otto, task=task.pk, body="哪个仓？", asks=True, now=noon)
    assert word.asks
    actions.say_on_task(actor=cast.lin, task=task.pk, body="华东", now=noon)
    with unchanged():
        with pytest.raises(Missing):
            actions.ask_task(
                actor=cast.otto, number=case.number, title="x", doer="person:1", work_days=1, now=noon
            )
        with pytest.raises(Missing):
            actions.drop_task(actor=cast.otto, task=task.pk, reason="不", now=noon)
    end(cast, task, noon, word="好了")


def test_strangers_and_merchants_know_of_no_task(cast, noon, case, unchanged):
    task = ask(cast, case, noon, visible=True)
    with unchanged():
        for stranger in (cast.mira, cast.mo, cast.yan):
            with pytest.raises(Missing):
                end(cast, task, noon, actor=stranger)
        with pytest.raises(Forbidden):
            ask(cast, case, noon, actor=cast.mira)


def test_a_task_is_given_to_somebody_else(cast, noon, case, unchanged):
    task = ask(cast, case, noon)
    actions.give_task(actor=cast.lin, task=task.pk, doer=f"person:{cast.wei.pk}", now=noon)
    with unchanged(), pytest.raises(Missing):
        end(cast, task, noon)
    end(cast, task, noon, actor=cast.wei)


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": " "},
        {"title": "x" * 201},
        {"doer": "line:nowhere"},
        {"doer": "person:0"},
        {"doer": "nobody"},
        {"work_days": 251},
        {"lag_days": -1},
        {"due_at": -HOUR},
        {"due_at": timedelta(days=800)},
        {"due_at": HOUR, "work_days": 1},
        {"work_days": None},
    ],
)
def test_a_bad_task_is_refused(cast, noon, case, unchanged, wrong):
    given = {k: noon + v if isinstance(v, timedelta) else v for k, v in wrong.items()}
    with unchanged(), pytest.raises(BadInput):
        ask(cast, case, noon, **given)


# --- the clock ------------------------------------------------------------------------------------


def test_an_overdue_task_escalates_once(cast, noon, case):
    task = ask(cast, case, noon, due_at=noon + HOUR)
    flow = OverdueTaskFlow()
    [turn] = flow.settle([(task.pk, ())], noon)
    assert turn.wake_at == task.due_at
    for _again in range(2):
        [turn] = flow.settle([(task.pk, ())], task.due_at)
        assert turn.wake_at is None
    [told] = Event.objects.filter(kind="cases.task_overdue")
    assert (told.payload["assignee"], told.payload["to"]) == (cast.otto.pk, cast.lin.pk)


def test_an_owners_own_overdue_task_escalates_to_the_lead(cast, noon, case):
    task = ask(cast, case, noon, doer=f"person:{cast.lin.pk}", due_at=noon + HOUR)
    actions.escalate_tasks(tasks=[task.pk], now=noon + HOUR)
    assert Event.objects.get(kind="cases.task_overdue").payload["to"] == cast.wei.pk


def test_what_waits_or_has_ended_does_not_escalate(cast, noon, case):
    first = ask(cast, case, noon)
    last = ask(cast, case, noon, title="上架", after=[first.pk])
    end(cast, first, noon)
    actions.drop_task(actor=cast.lin, task=last.pk, reason="不用了", now=noon)
    late = noon + timedelta(days=30)
    assert actions.escalate_tasks(tasks=[first.pk, last.pk], now=late) == {first.pk: None, last.pk: None}
    assert not Event.objects.filter(kind="cases.task_overdue").exists()


# --- races ----------------------------------------------------------------------------------------


def at_once(*acts):
    """Each in a thread and a session of its own; what they raised, in order."""
    raised: list[Exception | None] = [None] * len(acts)
    start = threading.Barrier(len(acts))

    def run(n, act):
        start.wait()
        try:
            act()
        except Exception as refused:
            raised[n] = refused
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return raised


@pytest.mark.django_db(transaction=True)
def test_two_halves_of_a_circle_at_once_close_none(noon):
    cast = make_cast(noon)
    for _round in range(5):
        case = stories.a_case(cast, noon)
        one, two = ask(cast, case, noon, title="一"), ask(cast, case, noon, title="二")
        raised = at_once(
            lambda one=one, two=two: TaskBlock.objects.create(task=one, by=two),
            lambda one=one, two=two: TaskBlock.objects.create(task=two, by=one),
        )
        assert sorted(type(error).__name__ for error in raised) == ["IntegrityError", "NoneType"]
        assert TaskBlock.objects.filter(task__case=case).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_case_is_never_solved_over_a_task_asked_at_the_same_time(noon):
    cast = make_cast(noon)
    for _round in range(5):
        case = stories.a_case(cast, noon)
        raised = at_once(
            lambda case=case: ask(cast, case, noon),
            lambda case=case: actions.solve_case(actor=cast.lin, number=case.number, now=noon),
        )
        solved = Case.objects.get(pk=case.pk).state == CaseState.SOLVED
        assert solved is not case.tasks.exists()
        assert [type(error).__name__ for error in raised if error] == [
            "AlreadySolved" if solved else "TaskHoldsCase"
        ]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_end_a_task_one_is_told_and_followers_are_freed_once(noon):
    cast = make_cast(noon)
    case = stories.a_case(cast, noon)
    first, second = ask(cast, case, noon), ask(cast, case, noon, title="二")
    last = ask(cast, case, noon, title="三", after=[first.pk, second.pk])
    raised = at_once(
        lambda: end(cast, first, noon), lambda: end(cast, first, noon), lambda: end(cast, second, noon)
    )
    assert sorted(type(error).__name__ for error in raised) == ["NoneType", "NoneType", "TaskEndedAlready"]
    assert fresh(last).state == TaskState.OPEN
    assert Event.objects.filter(kind="cases.task_freed").count() == 1
