"""The pages on which a lead lays down rules of work."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from guanjia.routines.models import Routine, RoutineKind, Version
from guanjia.routines.rule import Office, load
from guanjia.routines.tests import rulebook

FORM = {
    "name": "退款先办",
    "occasion": ["opened", "merchant_spoke"],
    "c0-fact": "subject",
    "c0-group": "every",
    "c0-is": "contains",
    "c0-value": "退款，没到账",
    "c1-fact": "priority",
    "c1-group": "some",
    "c1-is": "none_of",
    "c1-value": ["1", "2"],
    "s0-do": "priority",
    "s0-priority": "1",
    "s1-do": "note",
    "s1-text": "请先看 {number}。",
    "office": "within",
    "again": "once",
    "per_hour": "50",
}
NEW = "/lead/routines/new/trigger/"


@pytest.fixture
def wei(cast):
    browser = Client()
    browser.force_login(cast.wei)
    return browser


def text(answer):
    return answer.content.decode()


def test_a_rule_is_saved_as_the_form_says_and_is_not_on(cast, wei):
    answer = wei.post(NEW, {**FORM, "do": "save"})
    version = Version.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/lead/routines/{version.routine_id}/")
    rule = load(version.content)
    assert rule.occasions == ("opened", "merchant_spoke")
    assert [(c.fact, str(c.comparison), c.value) for c in (*rule.every, *rule.some)] == [
        ("subject", "contains", ("退款", "没到账")),
        ("priority", "none_of", ("1", "2")),
    ]
    assert (rule.again_hours, rule.per_hour, rule.office) == (None, 50, Office.WITHIN)
    assert [(s.deed, dict(s.params)) for s in rule.steps] == [
        ("priority", {"priority": "1"}),
        ("note", {"text": "请先看 {number}。"}),
    ]
    assert (version.activated_at, version.routine.live) == (None, None)


def test_rows_come_and_go_by_buttons_and_nothing_is_saved(wei, unchanged):
    with unchanged():
        added = text(wei.post(NEW, {**FORM, "do": "add-condition", "new_fact": "age"}))
        gone = text(wei.post(NEW, {**FORM, "do": "drop-every:0"}))
        done = text(wei.post(NEW, {**FORM, "do": "drop-step:1"}))
        more = text(wei.post(NEW, {**FORM, "do": "add-step", "new_deed": "wait"}))
    assert 'name="c1-fact" value="age"' in added
    assert 'value="退款，没到账"' in added
    assert 'value="subject"' not in gone.replace('<option value="subject"', "")
    assert "s1-do" not in done
    assert 'name="s2-do" value="wait"' in more


def test_the_rule_is_said_in_a_sentence(wei):
    said = text(wei.post(NEW, {**FORM, "do": "show"}))
    assert (
        "当提出一件事 或 商家说话，且“标题”里有 退款 或 没到账，且“优先级”不是 紧急 或 优先，"
        "且现在是上班时间时，"
        "把优先级设为“紧急”，记下内部备注“请先看 {number}。”；每件事只办一次。"
    ) in said


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"occasion": []},
        {"s0-priority": "9"},
        {"s1-text": "{secret}"},
        {"c0-value": " "},
        {"per_hour": "many"},
        {"again": "hours", "again_hours": "-5"},
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(wei, unchanged, wrong):
    with unchanged():
        answer = wei.post(NEW, {**FORM, **wrong, "do": "save"})
    assert answer.status_code == 422
    assert 'role="alert"' in text(answer)
    assert ("请先看 {number}。" in text(answer)) == ("s1-text" not in wrong)


def test_on_and_off_and_a_version_that_was_on_stays(cast, noon, wei):
    wei.post(NEW, {**FORM, "do": "save"})
    routine = Routine.objects.get()
    switch, edit = f"/lead/routines/{routine.pk}/switch", f"/lead/routines/{routine.pk}/edit"
    assert wei.post(switch, {"version": "1"}).status_code == 303
    assert wei.post(switch, {"version": "1"}).status_code == 409
    wei.post(edit, {**FORM, "per_hour": "7", "do": "save"})
    assert [load(v.content).per_hour for v in routine.versions.order_by("number")] == [50, 7]
    routine.refresh_from_db()
    assert routine.live is not None
    assert routine.live.number == 1
    assert "改用第 2 版" in text(wei.get(f"/lead/routines/{routine.pk}/"))
    assert wei.post(switch).status_code == 303
    routine.refresh_from_db()
    assert routine.live is None
    assert wei.post(switch).status_code == 409


def test_the_preview_shows_what_would_change_and_a_trial_says_why(cast, noon, wei):
    refund = rulebook.a_case(cast, noon, "退款没有到账")
    other = rulebook.a_case(cast, noon, "换图")
    rule = rulebook.schedule(every=(rulebook.is_("subject", "退款", how="contains"),))
    routine = rulebook.switch_on(cast, rule, noon)
    url = reverse("lead_routine", args=[routine.pk])
    shown = text(wei.get(url))
    assert refund.number in shown
    assert other.number not in shown
    assert "一般 → 紧急" in shown
    assert "不成立" in text(wei.get(url, {"case": other.number}))
    assert "会办：" in text(wei.get(url, {"case": refund.number.lower()}))
    assert wei.get(url, {"case": "GJ-2026-999999"}).status_code == 404


@pytest.mark.parametrize("path", ["", "log", "runs/{run}/"])
def test_a_page_costs_as_many_statements_for_three_as_for_one(cast, noon, wei, path):
    routine = rulebook.switch_on(cast, rulebook.schedule(again_hours=0), noon)
    counts = []
    for more in (1, 2):
        for n in range(more):
            rulebook.a_case(cast, noon, f"事 {n}")
        routine.refresh_from_db()
        rulebook.tick(routine, routine.next_at)
        run = routine.runs.latest("pk").pk
        url = f"/lead/routines/{routine.pk}/" + path.format(run=run)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert wei.get(url).status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_the_list_costs_the_same_for_three_rules_as_for_one(cast, noon, wei):
    counts = []
    for names in (["甲"], ["乙", "丙"]):
        for name in names:
            rulebook.switch_on(cast, rulebook.schedule(), noon, name)
        with CaptureQueriesContext(connection) as asked:
            assert wei.get("/lead/routines/").status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_only_a_lead_lays_down_rules(cast, noon, unchanged):
    browser = Client()
    browser.force_login(cast.lin)
    with unchanged():
        assert browser.post(NEW, {**FORM, "do": "save"}).status_code == 403
    assert RoutineKind.TRIGGER in NEW
