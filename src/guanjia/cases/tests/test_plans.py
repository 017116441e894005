"""Plans are applied whole and once; checklists are light."""

import threading
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from guanjia.base.errors import BadInput, Forbidden, Missing
from guanjia.cases import actions
from guanjia.cases.actions.plans import ChecklistFull, PlanAtRest, PlanChanged
from guanjia.cases.models import AppliedPlan, PlanVersion, TaskState
from guanjia.cases.planning import PlanStep, read_steps
from guanjia.cases.rules import AlreadySolved
from guanjia.demo.cast import make_cast
from guanjia.lines.models import Line
from guanjia.packages.tests import stories

STEPS = [
    PlanStep(1, "商家资料", days=1),
    PlanStep(2, "备货", doer="line:warehousing", days=2, after=(1,), lag=1),
    PlanStep(3, "首页展位", doer="line:display-slots", days=1, after=(1,), visible=False),
    PlanStep(4, "开业", days=0, after=(2, 3), holds=False),
]


@pytest.fixture
def case(cast, noon):
    return stories.a_case(cast, noon)


def saved(cast, noon, steps=STEPS, **more):
    return actions.save_plan(**{"actor": cast.wei, "name": "开旗舰店", "steps": steps, "now": noon, **more})


def put(cast, case, version, noon, **more):
    about = {"actor": cast.lin, "number": case.number, "plan": version.plan_id, "now": noon}
    return actions.apply_plan(**{**about, **more})


def day(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai"))


def test_all_tasks_at_once_each_with_its_dates(cast, noon, case):
    applied = put(cast, case, saved(cast, noon), noon)
    tasks = list(applied.tasks.order_by("pk"))
    found = [
        (t.title, t.state.value, t.assignee.username, t.due_at, t.holds, t.visible) for t in tasks_of(tasks)
    ]
    assert found == [
        ("商家资料", "open", "lin", day("2026-11-11T18:00"), True, True),
        ("备货", "blocked", "otto", day("2026-11-16T18:00"), True, True),
        ("首页展位", "blocked", "otto", day("2026-11-12T18:00"), True, False),
        ("开业", "blocked", "lin", day("2026-11-17T18:00"), False, True),
    ]


def tasks_of(tasks):
    for task in tasks:
        task.state = TaskState(task.state)
    return tasks


def test_a_plan_is_on_a_case_once_whatever_comes_after(cast, noon, case):
    first = put(cast, case, saved(cast, noon), noon)
    saved(cast, noon, STEPS[:1], plan=first.plan_id)
    again = put(cast, case, first.version, noon + timedelta(days=1))
    assert again == first
    assert case.tasks.count() == 4


def test_a_plan_may_begin_later(cast, noon, case):
    start = day("2026-11-16T09:00")
    applied = put(cast, case, saved(cast, noon), noon, start=start)
    first = applied.tasks.order_by("pk").first()
    assert (first.starts_at, first.due_at) == (start, day("2026-11-17T18:00"))


def test_a_step_that_cannot_be_given_to_anybody_puts_nothing_on_the_case(cast, noon, case, unchanged):
    version = saved(cast, noon)
    Line.objects.filter(slug="display-slots").update(active=False)
    with unchanged(), pytest.raises(BadInput, match="第 3 步"):
        put(cast, case, version, noon)


def test_each_change_is_a_version_and_no_change_is_none(cast, noon):
    first = saved(cast, noon)
    assert saved(cast, noon, plan=first.plan_id, seen=1) == first
    second = saved(cast, noon, STEPS[:2], plan=first.plan_id, seen=1)
    assert (second.number, read_steps(second.steps)) == (2, STEPS[:2])
    assert read_steps(PlanVersion.objects.get(pk=first.pk).steps) == STEPS


def test_two_who_edit_do_not_overwrite_each_other(cast, noon, unchanged):
    first = saved(cast, noon)
    saved(cast, noon, STEPS[:2], plan=first.plan_id, seen=1)
    with unchanged(), pytest.raises(PlanChanged):
        saved(cast, noon, STEPS[:1], plan=first.plan_id, seen=1)


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [PlanStep(1, " ")],
        [PlanStep(1, "一", after=(1,))],
        [PlanStep(1, "一", after=(9,))],
        [PlanStep(1, "一", after=(2,)), PlanStep(2, "二", after=(1,))],
        [PlanStep(1, "一", days=251)],
        [PlanStep(1, "一", lag=-1)],
        [PlanStep(1, "一", doer="line:nowhere")],
        [PlanStep(n, "一") for n in range(1, 42)],
    ],
)
def test_a_plan_that_could_not_be_done_is_not_saved(cast, noon, unchanged, steps):
    with unchanged(), pytest.raises(BadInput):
        saved(cast, noon, steps)


def test_plans_are_the_leads_and_have_names_of_their_own(cast, noon, unchanged):
    version = saved(cast, noon)
    with unchanged():
        with pytest.raises(Forbidden):
            saved(cast, noon, actor=cast.lin, name="别的")
        with pytest.raises(Forbidden):
            actions.retire_plan(actor=cast.lin, plan=version.plan_id, retired=True, now=noon)
        with pytest.raises(BadInput):
            saved(cast, noon)
        with pytest.raises(Missing):
            saved(cast, noon, name="别的", plan=0)


def test_a_retired_plan_is_applied_no_more(cast, noon, case, unchanged):
    version = saved(cast, noon)
    actions.retire_plan(actor=cast.wei, plan=version.plan_id, retired=True, now=noon)
    with unchanged(), pytest.raises(PlanAtRest):
        put(cast, case, version, noon)
    actions.retire_plan(actor=cast.wei, plan=version.plan_id, retired=False, now=noon)
    put(cast, case, version, noon)


def test_a_merchant_and_a_stranger_apply_nothing(cast, noon, case, unchanged):
    version = saved(cast, noon)
    with unchanged():
        with pytest.raises(Forbidden):
            put(cast, case, version, noon, actor=cast.mira)
        with pytest.raises(Missing):
            put(cast, case, version, noon, actor=cast.otto)


@pytest.mark.django_db(transaction=True)
def test_two_who_apply_it_at_once_put_it_there_once(noon):
    cast = make_cast(noon)
    case, version = stories.a_case(cast, noon), saved(cast, noon)
    start = threading.Barrier(3)

    def run():
        start.wait()
        put(cast, case, version, noon)
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert AppliedPlan.objects.filter(case=case).count() == 1
    assert case.tasks.count() == 4


# --- checklists -----------------------------------------------------------------------------------


def test_lines_are_ticked_by_whom_and_when_and_cut(cast, noon, case):
    by = {"actor": cast.lin, "number": case.number, "now": noon}
    first, second = actions.add_to_checklist(text="营业执照\n\n 商标证 \n", **by)
    assert (first.text, second.text) == ("营业执照", "商标证")
    actions.tick_line(line=first.pk, ticked=True, **by)
    again = actions.tick_line(**{**by, "actor": cast.wei}, line=first.pk, ticked=True)
    assert (again.ticked_by, again.ticked_at) == (cast.lin, noon)
    assert actions.tick_line(line=first.pk, ticked=False, **by).ticked_by is None
    actions.cut_line(line=second.pk, **by)
    assert case.checklist.get() == first


def test_a_checklist_has_an_end_and_is_of_its_case(cast, noon, case, unchanged):
    by = {"actor": cast.lin, "number": case.number, "now": noon}
    [other] = actions.add_to_checklist(text="x", **{**by, "number": stories.a_case(cast, noon).number})
    with unchanged():
        with pytest.raises(BadInput):
            actions.add_to_checklist(text=" \n ", **by)
        with pytest.raises(ChecklistFull):
            actions.add_to_checklist(text="x\n" * 101, **by)
        with pytest.raises(Missing):
            actions.tick_line(line=other.pk, ticked=True, **by)
        with pytest.raises(Forbidden):
            actions.add_to_checklist(text="x", **{**by, "actor": cast.mira})
    actions.solve_case(**by)
    with unchanged(), pytest.raises(AlreadySolved):
        actions.add_to_checklist(text="x", **by)
