"""A run of the conformance kit: asked for by a specialist, made by a worker, kept with its report."""

import asyncio
from datetime import timedelta

import pytest

from guanjia.base.models import Flow
from guanjia.demo.cast import LINE_SECRET
from guanjia.ledger.models import Event
from guanjia.lines import flows
from guanjia.lines.actions.conformance import (
    CONFORMANCE_FLOW,
    RUN_AT_MOST,
    AlreadyRunning,
    ask_conformance,
    finish_conformance,
)
from guanjia.lines.client import LineEndpoint
from guanjia.lines.flows import ConformanceFlow, Outcome, Run
from guanjia.lines.models import Conformance
from guanjia.lines.rules import NotYourLine

REPORT = {"results": [{"rule": "4.2", "verdict": "failed"}, {"rule": "2.1", "verdict": "ok"}]}


def ask(cast, now, **changes):
    about = {"actor": cast.otto, "line": cast.display, "may_confirm": False, "now": now}
    return ask_conformance(**about | changes)


def test_asking_wakes_a_worker(cast, noon):
    asked = ask(cast, noon)
    assert Flow.objects.filter(name=CONFORMANCE_FLOW).values_list("key", "due_at").get() == (asked.pk, noon)
    event = Event.objects.get(kind="lines.conformance_asked")
    assert event.payload == {"line": "display-slots", "run": asked.pk, "may_confirm": False}


def test_only_a_specialist_of_the_line_asks(cast, noon, unchanged):
    with unchanged(), pytest.raises(NotYourLine):
        ask(cast, noon, actor=cast.lin)


def test_one_run_at_a_time_until_it_must_be_over(cast, noon, unchanged):
    ask(cast, noon)
    with unchanged(), pytest.raises(AlreadyRunning):
        ask(cast, noon + timedelta(minutes=1))
    assert ask(cast, noon + RUN_AT_MOST).pk
    assert ask(cast, noon, line=cast.warehousing).pk


def test_a_worker_makes_the_run_and_keeps_the_report(cast, noon):
    asked, flow = ask(cast, noon, may_confirm=True), ConformanceFlow()
    [turn] = flow.settle([(asked.pk, ())], noon)
    endpoint = LineEndpoint("display-slots", "https://display-slots.invalid", LINE_SECRET)
    assert (turn.calls, turn.wake_at) == ((Run(endpoint, True),), None)
    later = noon + timedelta(seconds=20)
    [turn] = flow.settle([(asked.pk, [Outcome(False, REPORT)])], later)
    assert (turn.calls, turn.wake_at) == ((), None)
    asked.refresh_from_db()
    assert (asked.finished_at, asked.passed, asked.report) == (later, False, REPORT)
    event = Event.objects.get(kind="lines.conformance_finished")
    assert event.payload == {"line": "display-slots", "run": asked.pk, "passed": False, "broken": ["4.2"]}


def test_a_finished_run_is_not_made_again(cast, noon, unchanged):
    asked = ask(cast, noon)
    finish_conformance(asked=asked, passed=True, report=REPORT, now=noon)
    with unchanged():
        [turn] = ConformanceFlow().settle([(asked.pk, ())], noon)
        finish_conformance(asked=asked, passed=False, report={}, now=noon)
    assert turn.calls == ()


@pytest.mark.parametrize(
    ("url", "says"), [("https://127.0.0.1/", "127.0.0.1"), ("ftp://line.example.com", "ftp")]
)
def test_a_place_where_we_do_not_connect_is_said_so(url, says):
    run = Run(LineEndpoint("moon", url, LINE_SECRET), may_confirm=False)
    outcome = asyncio.run(ConformanceFlow().perform(run))
    assert outcome.passed is None
    assert says in outcome.report["error"] or outcome.report["error"]


def test_a_run_that_takes_too_long_ends(monkeypatch):
    async def forever(*_args, **_more):
        await asyncio.Event().wait()

    monkeypatch.setattr(flows, "check", forever)
    monkeypatch.setattr(flows, "KIT_SECONDS", 0.01)
    run = Run(LineEndpoint("moon", "https://line.example.com", LINE_SECRET), may_confirm=False)
    assert asyncio.run(ConformanceFlow().perform(run)) == Outcome(None, {"error": "timeout"})


def test_a_run_that_could_not_be_made_is_finished_without_a_verdict(cast, noon):
    asked = ask(cast, noon)
    ConformanceFlow().settle([(asked.pk, [Outcome(None, {"error": "timeout"})])], noon)
    assert Conformance.objects.get().passed is None
    assert Conformance.objects.get().finished_at == noon
