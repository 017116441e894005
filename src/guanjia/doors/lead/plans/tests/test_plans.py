"""The lead writes plans in a form, and sets who stands in for whom."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from guanjia.base.moments import moment
from guanjia.cases.models import Plan, PlanVersion
from guanjia.cases.planning import PlanStep, dates_of, read_steps
from guanjia.demo.cast import make_cast
from guanjia.doors.instants import instant
from guanjia.people.models import Absence


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def market(db, now):
    return make_cast(now - timedelta(days=1))


@pytest.fixture
def wei(market, client):
    client.force_login(market.wei)
    return client


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


START = timezone.localdate() + timedelta(days=14)


def form(**more):
    return {
        "name": "开旗舰店",
        "about": "新店",
        "rows": "4",
        "s1-title": "商家资料",
        "s1-days": "1",
        "s2-title": "",
        "s3-title": "备货",
        "s3-doer": "line:warehousing",
        "s3-days": "2",
        "s3-after": "1",
        "s3-lag": "1",
        "s3-holds": "on",
        "start": START.isoformat(),
        **more,
    }


STEPS = [
    PlanStep(1, "商家资料", holds=False, visible=False),
    PlanStep(2, "备货", doer="line:warehousing", days=2, after=(1,), lag=1, visible=False),
]


def test_a_plan_is_written_looked_at_and_saved(wei, unchanged):
    with unchanged():
        looked = wei.post("/lead/plans/new", form(look="1"))
    assert looked.status_code == 200
    due = dates_of(STEPS, instant(START.isoformat(), "09:00"))[2].due_at
    assert moment(due) in text_of(looked)
    answer = wei.post("/lead/plans/new", form())
    version = PlanVersion.objects.get()
    assert answer.headers["Location"] == f"/lead/plans/{version.plan_id}/"
    assert read_steps(version.steps) == STEPS


def test_a_change_is_a_new_version_and_a_step_is_cut(wei):
    wei.post("/lead/plans/new", form())
    pk = Plan.objects.get().pk
    changed = {"s2-title": "拍照", "s1-cut": "on", "s3-after": "2", "seen": "1"}
    assert wei.post(f"/lead/plans/{pk}/", form(**changed)).status_code == 303
    newest = PlanVersion.objects.get(number=2)
    assert [step.title for step in read_steps(newest.steps)] == ["拍照", "备货"]
    assert "第 2 版" in text_of(wei.get(f"/lead/plans/{pk}/"))
    assert wei.post(f"/lead/plans/{pk}/", form(seen="1")).status_code == 409


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"s3-after": "9"},
        {"s3-after": "eins"},
        {"s1-after": "3"},
        {"s3-days": "-1"},
        {"s3-doer": "line:x"},
    ],
)
def test_a_plan_that_does_not_hold_together_stays_typed(wei, unchanged, wrong):
    with unchanged():
        answer = wei.post("/lead/plans/new", form(**wrong))
    assert answer.status_code == 422
    assert 'value="商家资料"' in answer.content.decode()


def test_a_plan_rests_and_is_offered_again(wei):
    wei.post("/lead/plans/new", form())
    plan = Plan.objects.get()
    for retired in ("1", "0"):
        wei.post(f"/lead/plans/{plan.pk}/", {"retired": retired})
        plan.refresh_from_db()
        assert bool(plan.retired_at) is (retired == "1")
        assert ("已停用" in text_of(wei.get("/lead/plans/"))) is (retired == "1")


def test_the_list_costs_the_same_however_many(wei):
    counts = []
    for n in range(3):
        wei.post("/lead/plans/new", form(name=f"方案 {n}"))
        with CaptureQueriesContext(connection) as seen:
            assert wei.get("/lead/plans/").status_code == 200
        counts.append(len(seen))
    assert len(set(counts)) == 1


def test_plans_and_absences_are_the_leads(market, client):
    for path in ("plans/", "plans/new", "plans/1/", "absences/"):
        assert client.get(f"/lead/{path}").status_code == 302
    client.force_login(market.lin)
    for path in ("plans/", "plans/new", "plans/1/", "absences/"):
        assert client.get(f"/lead/{path}").status_code == 403
    client.force_login(market.wei)
    assert client.get("/lead/plans/1/").status_code == 404


def test_the_lead_sends_somebody_on_leave_and_calls_them_back(market, wei, now):
    day = timezone.localtime(now).date()
    about = {"user": market.lin.pk, "substitute": market.wei.pk, "since_day": day, "since_clock": "00:00"}
    about |= {"until_day": day + timedelta(days=1), "until_clock": "23:00"}
    assert wei.post("/lead/absences/", about).status_code == 303
    absence = Absence.objects.get()
    assert "由 魏岚 Wei 替班" in text_of(wei.get("/lead/absences/"))
    assert wei.post("/lead/absences/", about).status_code == 409
    assert wei.post(f"/lead/absences/{absence.pk}").status_code == 303
    assert wei.post(f"/lead/absences/{absence.pk}").status_code == 404
