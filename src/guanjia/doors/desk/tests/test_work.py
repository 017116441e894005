"""The pages of tasks, checklists, plans, promises, hand-overs and absences at the desk."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from guanjia.base.actors import SYSTEM
from guanjia.base.moments import moment
from guanjia.cases import actions
from guanjia.cases.models import CheckLine, FollowUp, Handover, HandoverState, Task, TaskState
from guanjia.cases.planning import PlanStep, dates_of, read_steps
from guanjia.coverage.models import Responsibility, ResponsibilityRole
from guanjia.demo.cast import make_cast, make_user
from guanjia.doors.instants import instant
from guanjia.packages.tests import stories
from guanjia.people.actions import grant_role, set_absence
from guanjia.people.models import Absence, Role

DAY = timedelta(days=1)


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def market(db, now):
    return make_cast(now - DAY)


@pytest.fixture
def case(market, now):
    return stories.a_case(market, now)


@pytest.fixture
def lin(market, client):
    client.force_login(market.lin)
    return client


@pytest.fixture
def bo(market, now):
    bo = make_user("bo", "Bo")
    grant_role(actor=SYSTEM, user=bo, role=Role.ACCOUNT_MANAGER, now=now)
    held = {"merchant": market.mira_shop, "role": ResponsibilityRole.BACKUP, "during": (now - DAY, None)}
    Responsibility.objects.create(person=bo, reason="x", **held)
    return bo


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def of(case, path=""):
    return f"/desk/cases/{case.number}/{path}"


def ask(market, case, now, title="核对库存", **more):
    about = {"actor": market.lin, "number": case.number, "doer": "line:warehousing", "now": now}
    return actions.ask_task(title=title, **{"work_days": 1, **about, **more})


# --- tasks ----------------------------------------------------------------------------------------


def later(now, days=14):
    return timezone.localtime(now + days * DAY).date().isoformat()


def test_a_task_is_asked_for_and_shown(market, lin, case, now):
    first = {"title": "核对库存", "doer": "line:warehousing", "days": "1", "holds": "on"}
    answer = lin.post(of(case, "work"), first)
    assert answer.status_code == 303
    task = Task.objects.get(title="核对库存")
    assert (task.holds, task.visible, task.work_days) == (True, False, 1)
    behind = {"title": "上架", "doer": f"person:{market.lin.pk}", "day": later(now), "after": task.pk}
    assert lin.post(of(case, "work"), behind).status_code == 303
    said = text_of(lin.get(of(case, "work")))
    assert "核对库存" in said
    assert "等：核对库存" in said
    beside = text_of(lin.get(of(case)))
    assert "任务 0/2" in beside


def test_what_is_refused_stays_typed(lin, case, unchanged):
    with unchanged():
        answer = lin.post(
            of(case, "work"), {"title": "核对", "doer": "line:gone", "days": "1", "detail": "细"}
        )
    assert answer.status_code == 422
    assert 'value="核对"' in answer.content.decode()
    assert ">细</textarea>" in answer.content.decode()


@pytest.mark.parametrize(("verb", "word", "state"), [("done", "", "done"), ("drop", "不要了", "dropped")])
def test_a_task_ends_from_the_page(market, lin, case, now, verb, word, state):
    task = ask(market, case, now)
    assert lin.post(of(case, f"work/{task.pk}/{verb}"), {"word": word}).status_code == 303
    task.refresh_from_db()
    assert task.state == TaskState(state)


def test_dropping_needs_a_word_and_holding_is_switched(market, lin, case, now, unchanged):
    task = ask(market, case, now)
    with unchanged():
        assert lin.post(of(case, f"work/{task.pk}/drop"), {"word": ""}).status_code == 422
        assert lin.post(of(case, f"work/{task.pk}/burn")).status_code == 404
        assert lin.post(of(case, "work/0/done")).status_code == 404
    for verb, holds in (("free", False), ("hold", True)):
        lin.post(of(case, f"work/{task.pk}/{verb}"))
        task.refresh_from_db()
        assert task.holds is holds


def test_solving_over_a_task_is_refused_on_the_page(market, lin, case, now):
    ask(market, case, now)
    answer = lin.post(of(case, "do/solve"))
    assert answer.status_code == 409
    assert "还有任务没有做完：核对库存。" in text_of(answer)


def test_the_page_costs_the_same_however_many_tasks(market, lin, case, now):
    def more():
        task = ask(market, case, now)
        actions.say_on_task(actor=market.lin, task=task.pk, body="x", now=now)
        actions.add_to_checklist(actor=market.lin, number=case.number, text="x", now=now)
        promise(market, case, now)

    assert statements(lin, of(case, "work"), more) == statements(lin, of(case, "work"), more) == 9
    assert statements(lin, of(case), more) == statements(lin, of(case), more)


def statements(client, path, more):
    counts = []
    for times in (1, 2):
        for _ in range(times):
            more()
        with CaptureQueriesContext(connection) as seen:
            assert client.get(path).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]
    return counts[0]


# --- checklist and plans --------------------------------------------------------------------------


def test_a_checklist_is_written_ticked_and_cut(lin, case):
    assert lin.post(of(case, "checklist"), {"text": "执照\n商标证"}).status_code == 303
    first, second = CheckLine.objects.order_by("pk")
    lin.post(of(case, "checklist"), {"line": first.pk, "ticked": "1", "at_case": "1"})
    lin.post(of(case, "checklist"), {"line": second.pk, "cut": "1"})
    assert CheckLine.objects.get().ticked_at is not None
    assert "清单 1/1" in text_of(lin.get(of(case)))
    assert lin.post(of(case, "checklist"), {"text": " "}).status_code == 422


def a_plan(market, now):
    steps = [PlanStep(1, "商家资料"), PlanStep(2, "备货", doer="line:warehousing", after=(1,), lag=1)]
    return actions.save_plan(actor=market.wei, name="开旗舰店", steps=steps, now=now).plan


def test_a_plan_shows_its_dates_and_goes_on_the_case_once(market, lin, case, now):
    plan = a_plan(market, now)
    start = later(now)
    said = text_of(lin.get(of(case, f"plan?plan={plan.pk}&start={start}")))
    due = dates_of(read_steps(plan.versions.get().steps), instant(start, "09:00"))[2].due_at
    assert moment(due) in said
    assert "再过 1 天" in said
    for _again in range(2):
        assert lin.post(of(case, "plan"), {"plan": plan.pk, "start": ""}).status_code == 303
    assert case.tasks.count() == 2
    assert lin.get(of(case, "plan?plan=9999")).status_code == 200
    assert lin.get(of(case, f"plan?plan={plan.pk}&start=soon")).status_code == 422
    assert lin.post(of(case, "plan"), {"plan": "x"}).status_code == 404


# --- promises -------------------------------------------------------------------------------------


def promise(market, case, now):
    about = {"kind": "call", "text": "打电话", "due_at": now + timedelta(hours=3)}
    made = FollowUp.objects.filter(case=case, ended_at=None).first()
    return made or actions.make_promise(actor=market.lin, number=case.number, now=now, **about)


def test_a_promise_is_made_shown_and_kept(lin, case, now):
    day = timezone.localtime(now + DAY).date().isoformat()
    form = {"kind": "call", "text": "打电话说价格", "day": day, "clock": "15:00"}
    assert lin.post(of(case, "promise"), form).status_code == 303
    made = FollowUp.objects.get()
    assert timezone.localtime(made.due_at).strftime("%H:%M") == "15:00"
    assert "打电话说价格" in text_of(lin.get(of(case)))
    assert lin.post(of(case, f"promises/{made.pk}"), {"kept": "1"}).status_code == 303
    made.refresh_from_db()
    assert made.kept is True
    assert "按时兑现" in text_of(lin.get(of(case, "promise")))
    assert lin.post(of(case, f"promises/{made.pk}"), {"kept": "1"}).status_code == 409


@pytest.mark.parametrize("wrong", [{"day": "x"}, {"clock": "25:00"}, {"text": ""}, {"day": "2020-01-01"}])
def test_a_bad_promise_stays_typed(lin, case, now, unchanged, wrong):
    form = {"kind": "call", "text": "打电话", "day": later(now), "clock": "15:00", **wrong}
    with unchanged():
        answer = lin.post(of(case, "promise"), form)
    assert answer.status_code == 422
    assert f'value="{form["text"]}"' in answer.content.decode()


def test_quick_choices_are_in_the_future(lin, case):
    assert "明天 10:00" in text_of(lin.get(of(case, "promise")))


# --- hand-over ------------------------------------------------------------------------------------


def test_a_case_is_handed_over_and_taken(market, lin, client, case, bo):
    form = {"to": f"person:{bo.pk}", "reason": "去休假", "note": "她急"}
    assert lin.post(of(case, "hand-over"), form).status_code == 303
    assert "等对方接手" in text_of(lin.get(of(case)))
    client.force_login(bo)
    shown = text_of(client.get(of(case)))
    assert "林晓 Lin 转交给 Bo" in shown
    assert "她急" in shown
    assert client.post(of(case, "hand-over/answer"), {"accept": "1"}).status_code == 303
    assert Handover.objects.get().state == HandoverState.ACCEPTED
    client.force_login(market.mira)
    seen = text_of(client.get(f"/door/M-1042/cases/{case.number}/"))
    assert "这件事现在由Bo负责。" in seen
    for secret in ("去休假", "她急"):
        assert secret not in seen


def test_a_case_is_declined_with_a_reason(market, lin, client, case, bo, unchanged):
    lin.post(of(case, "hand-over"), {"to": f"person:{bo.pk}", "reason": "去休假"})
    client.force_login(bo)
    with unchanged():
        assert client.post(of(case, "hand-over/answer"), {"reason": " "}).status_code == 422
    assert client.post(of(case, "hand-over/answer"), {"reason": "满了"}).status_code == 303
    assert "满了" in text_of(client.get(of(case, "hand-over")))


def test_a_hand_over_to_nobody_stays_typed(lin, case, unchanged):
    with unchanged():
        answer = lin.post(of(case, "hand-over"), {"to": "person:0", "reason": "去休假"})
    assert answer.status_code == 422
    assert 'value="去休假"' in answer.content.decode()


# --- absence --------------------------------------------------------------------------------------


def test_one_is_away_and_the_substitute_works_in_both_names(market, lin, client, case, bo, now):
    Responsibility.objects.filter(person=bo).delete()
    day = timezone.localtime(now + DAY).date()
    form = {"substitute": bo.pk, "since_day": timezone.localtime(now).date(), "since_clock": "00:00"}
    form |= {"until_day": day, "until_clock": "23:00"}
    assert lin.post("/desk/absence", form).status_code == 303
    ask(market, case, now, doer=f"person:{market.lin.pk}", title="回电")
    client.force_login(bo)
    said = text_of(client.get("/desk/standing-in"))
    assert "您在替 林晓 Lin" in said
    assert case.title in said
    assert "回电" in said
    assert client.post(of(case, "say/reply"), {"body": "林晓不在，我来办", "key": "k"}).status_code == 303
    assert "Bo（替林晓 Lin）" in text_of(client.get(of(case)))
    client.force_login(market.mira)
    assert "Bo（替林晓 Lin）" in text_of(client.get(f"/door/M-1042/cases/{case.number}/"))
    client.force_login(market.lin)
    absence = Absence.objects.get()
    assert client.post(f"/desk/absence/{absence.pk}").status_code == 303
    client.force_login(bo)
    assert client.get(of(case)).status_code == 404


def test_a_bad_absence_stays_typed(lin, bo, now, unchanged):
    form = {"substitute": bo.pk, "since_day": later(now), "since_clock": "09:00"}
    form |= {"until_day": later(now, 13), "until_clock": "18:00"}
    with unchanged():
        answer = lin.post("/desk/absence", form)
    assert answer.status_code == 422
    assert f'value="{later(now, 13)}"' in answer.content.decode()


def test_standing_in_costs_the_same_and_goes_on(market, client, bo, now):
    times = {"since": now - DAY, "until": now + DAY, "now": now - DAY}
    set_absence(actor=market.lin, user=market.lin, substitute=bo, **times)
    client.force_login(bo)
    assert statements(client, "/desk/standing-in", lambda: stories.a_case(market, now)) == 7
    for _ in range(25):
        stories.a_case(market, now)
    first = client.get("/desk/standing-in").content.decode()
    [following] = re.findall(r'href="(\?after=[^"]*)"', first)
    assert client.get("/desk/standing-in" + following).content.decode().count("/desk/cases/") == 3
    assert client.get("/desk/standing-in?after=x").status_code == 422


# --- the merchant's side --------------------------------------------------------------------------


def test_the_merchant_sees_what_is_marked_and_nothing_that_is_said(market, lin, client, case, now):
    shown = ask(market, case, now, title="拍照", visible=True, detail="别告诉商家")
    ask(market, case, now, title="查黑名单")
    actions.say_on_task(actor=market.otto, task=shown.pk, body="内部一句", now=now)
    client.force_login(market.mira)
    path = f"/door/M-1042/cases/{case.number}/"
    said = text_of(client.get(path))
    assert "进度 0/1" in said
    assert "拍照" in said
    for secret in ("查黑名单", "别告诉商家", "内部一句"):
        assert secret not in said
    actions.finish_task(actor=market.otto, task=shown.pk, now=now)
    assert "进度 1/1" in text_of(client.get(path))
