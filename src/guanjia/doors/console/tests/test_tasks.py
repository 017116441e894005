"""A line's people do tasks of the desk, and see no more of a case than they say."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from guanjia.cases import actions
from guanjia.cases.models import TaskState, TaskWord
from guanjia.demo.cast import make_cast
from guanjia.packages.tests import stories


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def market(db, now):
    return make_cast(now - timedelta(days=1))


@pytest.fixture
def case(market, now):
    return stories.a_case(market, now)


@pytest.fixture
def otto(market, client):
    client.force_login(market.otto)
    return client


def ask(market, case, now, **more):
    about = {"title": "核对库存", "detail": "羊绒开衫 60 托", "doer": "line:warehousing", "work_days": 1}
    return actions.ask_task(actor=market.lin, number=case.number, now=now, **{**about, **more})


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_a_specialist_sees_the_task_and_nothing_of_the_case(market, otto, case, now):
    task = ask(market, case, now)
    assert "核对库存" in text_of(otto.get("/console/tasks/"))
    said = text_of(otto.get(f"/console/tasks/{task.pk}/"))
    assert "羊绒开衫 60 托" in said
    assert "林晓 Lin 派的" in said
    for secret in (case.number, case.title, market.mira_shop.name):
        assert secret not in said
    assert otto.get(f"/desk/cases/{case.number}/").status_code == 404


def test_a_question_back_and_then_it_is_done(market, otto, case, now):
    task = ask(market, case, now)
    path = f"/console/tasks/{task.pk}/"
    assert otto.post(path, {"word": "哪个仓？", "ask": "1"}).status_code == 303
    assert TaskWord.objects.get().asks
    assert otto.post(path, {"word": "都在", "done": "1"}).headers["Location"] == "/console/tasks/"
    task.refresh_from_db()
    assert (task.state, task.done_by) == (TaskState.DONE, market.otto)
    assert "最近做完的" in text_of(otto.get("/console/tasks/"))


def test_an_empty_question_is_refused_and_a_second_end_too(market, otto, case, now, unchanged):
    task = ask(market, case, now)
    path = f"/console/tasks/{task.pk}/"
    with unchanged():
        assert otto.post(path, {"word": " ", "ask": "1"}).status_code == 422
    otto.post(path, {"done": "1"})
    with unchanged():
        assert otto.post(path, {"word": "x", "done": "1"}).status_code == 409


def test_somebody_elses_task_is_not_there(market, otto, case, now):
    task = ask(market, case, now, doer=f"person:{market.lin.pk}")
    assert otto.get(f"/console/tasks/{task.pk}/").status_code == 404
    assert "没有要做的" in text_of(otto.get("/console/tasks/"))


def test_the_list_costs_the_same_however_many(market, otto, case, now):
    counts = []
    for _ in range(3):
        ask(market, case, now)
        with CaptureQueriesContext(connection) as seen:
            assert otto.get("/console/tasks/").status_code == 200
        counts.append(len(seen))
    assert len(set(counts)) == 1
