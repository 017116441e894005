"""Tasks, checklists, plans, promises and hand-overs in a real browser."""

from datetime import timedelta

import pytest
from django.utils import timezone

from guanjia.base.actors import SYSTEM
from guanjia.cases import actions
from guanjia.cases.models import Case, FollowUp, Task
from guanjia.cases.planning import PlanStep
from guanjia.coverage.models import Responsibility, ResponsibilityRole
from guanjia.demo.cast import make_user
from guanjia.people.actions import grant_role
from guanjia.people.models import Role

LOOKS = (("zh-hans", False, 1440), ("en", True, 1440), ("zh-hans", True, 390), ("en", False, 390))
STEPS = [
    PlanStep(1, "收齐商家资料和品牌授权", days=2, detail="执照、商标证、授权书"),
    PlanStep(2, "入仓", doer="line:warehousing", days=2, after=(1,), lag=1),
    PlanStep(3, "首页展位", doer="line:display-slots", days=2, after=(1,)),
    PlanStep(4, "开业", days=0, after=(2, 3), visible=False),
]


@pytest.fixture
def bo(people):
    now = timezone.now()
    bo = make_user("bo", "薄言 Bo")
    grant_role(actor=SYSTEM, user=bo, role=Role.ACCOUNT_MANAGER, now=now)
    held = {"merchant": people.mira_shop, "role": ResponsibilityRole.BACKUP, "during": (now, None)}
    Responsibility.objects.create(person=bo, reason="x", **held)
    return bo


@pytest.fixture
def case(people, bo):
    """A case with a plan on it, a checklist, a promise, and a hand-over that waits for Bo."""
    now = timezone.now()
    found = Case.objects.filter(merchant=people.mira_shop, state="waiting_line").get()
    by = {"actor": people.lin, "number": found.number, "now": now}
    plan = actions.save_plan(actor=people.wei, name="开一家旗舰店", about="新店", steps=STEPS, now=now).plan
    actions.apply_plan(plan=plan.pk, **by)
    asked = actions.ask_task(
        title="核对库存", detail="羊绒开衫 60 托", doer="line:warehousing", work_days=1, **by
    )
    actions.say_on_task(actor=people.otto, task=asked.pk, body="哪个仓？", asks=True, now=now)
    lines = actions.add_to_checklist(text="营业执照\n商标证\n授权书", **by)
    actions.tick_line(line=lines[0].pk, ticked=True, **by)
    due_at = now + timedelta(hours=3)
    actions.make_promise(kind="call", text="打电话说展位的价格", due_at=due_at, **by)
    actions.hand_over(to=f"person:{bo.pk}", reason="下周去休假", note="商家在意展位的日期", **by)
    return found


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_every_page_of_the_work_reads_well(people, bo, case, sign_in, axe, shoot, language, dark, width):
    plan = case.plans.get().plan_id
    task = Task.objects.get(title="核对库存").pk
    at_desk = f"/desk/cases/{case.number}"
    visits = {
        people.lin: {
            "work": f"{at_desk}/work",
            "plan": f"{at_desk}/plan?plan={plan}",
            "promise": f"{at_desk}/promise",
            "hand-over": f"{at_desk}/hand-over",
            "absence": "/desk/absence",
            "standing-in": "/desk/standing-in",
        },
        bo: {"offered": f"{at_desk}/"},
        people.otto: {"tasks": "/console/tasks/", "task": f"/console/tasks/{task}/"},
        people.wei: {"plans": "/lead/plans/", "plan-form": f"/lead/plans/{plan}/", "away": "/lead/absences/"},
        people.mira: {"merchant": f"/door/M-1042/cases/{case.number}/"},
    }
    for who, paths in visits.items():
        page = sign_in(who, language=language, dark=dark, width=width)
        for name, path in paths.items():
            page.goto(path)
            axe(page)
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{name} is {wide} px too wide"
            shoot(page, f"work-{name}-{language[:2]}-{'dark' if dark else 'light'}-{width}")


def test_a_task_goes_to_the_line_and_comes_back(people, case, sign_in):
    desk = sign_in(people.lin)
    desk.goto(f"/desk/cases/{case.number}/work")
    desk.get_by_label("做什么").fill("拍照")
    desk.get_by_label("谁来做").select_option("line:warehousing")
    desk.get_by_role("button", name="派出去").click()
    desk.wait_for_url("**/work#t-*")
    line = sign_in(people.otto)
    line.goto("/console/tasks/")
    line.get_by_role("link", name="拍照").click()
    line.get_by_label("一句话").fill("拍好了")
    line.get_by_role("button", name="做完了").click()
    line.wait_for_url("**/console/tasks/")
    desk.goto(f"/desk/cases/{case.number}/work")
    assert desk.get_by_text("拍好了").is_visible()


def test_a_promise_and_a_hand_over_from_the_case_page(people, bo, case, sign_in):
    page = sign_in(bo)
    page.goto(f"/desk/cases/{case.number}/")
    page.get_by_role("button", name="接手", exact=True).click()
    page.wait_for_load_state()
    assert page.get_by_text("您接手了。").is_visible()
    page.get_by_role("button", name="兑现了").click()
    page.wait_for_load_state()
    assert FollowUp.objects.get().kept is True
