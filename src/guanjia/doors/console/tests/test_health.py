"""A remote line's health, and running the conformance kit against it from its page."""

from guanjia.cases.models import Task, TaskKind, TaskState
from guanjia.lines.actions.conformance import ask_conformance, finish_conformance
from guanjia.lines.conformance.report import Failure, Report, Result, Verdict
from guanjia.lines.conformance.rules import both
from guanjia.lines.health import write_vitals
from guanjia.lines.models import Conformance
from guanjia.lines.vitals import Reading
from guanjia.packages.tests import stories

HEALTH = "/console/display-slots/health/"


def asked(house, **more):
    about = {"actor": house.cast.otto, "line": house.cast.display, "may_confirm": False, "now": house.now}
    return ask_conformance(**about | more)


def report():
    failure = Failure("POST", "/holds/1/release", "{}", both("释放成功", "released"), 404, '{"code":"x"}')
    passed = Result("2.1", Verdict.OK)
    broken = Result("4.5.1", Verdict.FAILED, "home-banner", failure=failure)
    skipped = Result("2.3", Verdict.SKIPPED, notes=(both("没有出现金额", "no money was seen"),))
    return Report("https://x.invalid", "display-slots", (passed, skipped, broken)).to_json()


def test_a_line_that_was_never_called_says_so(otto):
    assert "管家还没有调用过它。" in otto.get(HEALTH).content.decode()


def test_the_state_of_the_circuit_and_the_last_calls(house, otto):
    times = {"retry_at": house.now, "ok_at": house.now, "fault_at": house.now}
    write_vitals(
        [Reading("display-slots", "open", fault="status_503", calls=9, p50_ms=41, p95_ms=390, **times)],
        house.now,
    )
    said = otto.get(HEALTH).content.decode()
    for words in ("暂停调用", "应答 HTTP 503", "41 ms", "390 ms"):
        assert words in said


def test_what_is_stuck_at_this_line_and_no_other(house, otto):
    package = stories.needs_hand(house.cast, house.now)
    [stuck] = otto.get(HEALTH).context["stuck"]
    assert (stuck.package, stuck.item, stuck.kind) == (package.number, 1, "确认卡住")
    assert otto.get("/console/warehousing/health/").context["stuck"] == []
    Task.objects.filter(kind=TaskKind.STUCK_CONFIRM).update(state=TaskState.DONE, done_at=house.now)
    assert otto.get(HEALTH).context["stuck"] == []


def test_running_the_kit_is_asked_for_and_followed(house, otto):
    answer = otto.post(HEALTH, {"may_confirm": "yes"})
    run = Conformance.objects.get()
    assert (answer.status_code, answer["location"]) == (303, f"{HEALTH}{run.pk}/")
    assert (run.may_confirm, run.asked_by) == (True, house.cast.otto)
    page = otto.get(answer["location"]).content.decode()
    assert 'hx-trigger="every 2s"' in page
    assert "进行中" in page


def test_a_second_run_at_once_is_refused_in_words(house, otto, unchanged):
    asked(house)
    otto.get(HEALTH)
    with unchanged():
        answer = otto.post(HEALTH)
    assert answer.status_code == 409
    assert "已有一次检查在运行。" in answer.content.decode()


def test_a_report_begins_with_what_is_broken_and_names_its_section(house, otto):
    run = asked(house)
    finish_conformance(asked=run, passed=False, report=report(), now=house.now)
    page = otto.get(f"{HEALTH}{run.pk}/")
    assert [(one.rule, one.verdict) for one in page.context["findings"]] == [
        ("4.5.1", "failed"),
        ("2.1", "ok"),
        ("2.3", "skipped"),
    ]
    said = page.content.decode()
    for words in ("docs/line-protocol.md §4.5.1", "释放成功", "HTTP 404", "没有出现金额", "有不符"):
        assert words in said
    assert 'hx-trigger="every 2s"' not in said
    part = otto.get(f"{HEALTH}{run.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert 'id="result"' in part


def test_a_run_that_could_not_be_made_says_why(house, otto):
    run = asked(house)
    finish_conformance(asked=run, passed=None, report={"error": "timeout"}, now=house.now)
    assert "检查没有在限时内做完。" in otto.get(f"{HEALTH}{run.pk}/").content.decode()


def test_others_and_hosted_lines_have_none_of_it(house, otto, client, unchanged):
    run = asked(house)
    assert otto.get("/console/group-buying/health/").status_code == 404
    assert otto.get(f"/console/warehousing/health/{run.pk}/").status_code == 404
    client.force_login(house.cast.lin)
    with unchanged():
        assert client.post(HEALTH).status_code == 404
        assert client.get(f"{HEALTH}{run.pk}/").status_code == 404
