"""The conformance kit against sound lines and lines with one fault each, over real HTTP."""

import asyncio
import json
import re
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from guanjia.lines.client import LineEndpoint
from guanjia.lines.conformance import Verdict, check
from guanjia.lines.conformance.rules import TITLES, order
from guanjia.lines.protocol.messages import DecisionRule, HoldState, Money, Rule, Silence
from guanjia.lines.sdk import Held, Line, Refused
from guanjia.lines.ssrf import LOOPBACK, guarded_session
from guanjia.lines.tests import faults_at_the_door, faults_of_holds
from guanjia.lines.tests.doors import SCHEMA, SECRET
from guanjia.lines.tests.doors import TITLES as NAMES
from guanjia.lines.tests.toy_line import (
    BANNER,
    BY_HAND,
    CLOSED,
    MANDATED,
    ToyLine,
    rewritten,
)

FAULTS = faults_at_the_door.FAULTS | faults_of_holds.FAULTS
PAGE = Path(__file__).parents[4] / "docs" / "line-protocol.md"


@asynccontextmanager
async def served(line):
    """The line on a port of its own."""

    async def answer(request):
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        await line.arrive(request.method, request.path_qs, body)
        reply = line.respond(request.method, request.path_qs, headers, body)
        return web.Response(status=reply.status, headers=dict(reply.headers), body=reply.body)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def asgi_served(app):
    """An ASGI application on a port of its own."""

    async def answer(request):
        events = [{"type": "http.request", "body": await request.read(), "more_body": False}]
        sent = []

        async def receive():
            return events.pop(0) if events else {"type": "http.disconnect"}

        async def send(event):
            sent.append(event)

        scope = {
            "type": "http",
            "method": request.method,
            "path": request.path,
            "raw_path": request.raw_path.partition("?")[0].encode(),
            "query_string": request.query_string.encode(),
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in request.raw_headers],
        }
        await app(scope, receive, send)
        headers = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
        return web.Response(status=sent[0]["status"], headers=headers, body=sent[1]["body"])

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def sdk_line(path, clock, **options):
    """A line of the SDK with a service for each decision rule, and one that refuses."""
    line = Line("rooms", titles=NAMES, database=path, secret=SECRET, clock=clock, **options)
    for rule in Rule:
        code = rule.value.replace("_", "-")
        decision = DecisionRule(rule, 600, 60, Silence.CONSENT)
        price = Money(100, "CNY")
        service = line.service(
            code, titles=NAMES, schema=SCHEMA, hold_ttl_seconds=900, price=price, decision=decision
        )
        service.hold(lambda db, request: Held(reference="R-1"))
        service.release(lambda db, record: None)
    closed = line.service("closed", titles=NAMES, schema=SCHEMA, hold_ttl_seconds=900)
    closed.hold(lambda db, request: Refused("full", {"zh-Hans": "满", "en": "Full"}))
    closed.release(lambda db, record: None)
    return line


def checked(line, **options):
    async def main():
        async with served(line) as url, guarded_session(LOOPBACK) as session:
            endpoint = LineEndpoint("toy", url, SECRET)
            return await check(endpoint, session, now=lambda: line.now, sleep=line.sleep, **options)

    return asyncio.run(main())


def verdict(report, rule, service=None):
    (result,) = [r for r in report.results if (r.rule, r.service) == (rule, service)]
    return result.verdict


# --- sound lines ---------------------------------------------------------------------------------


@pytest.mark.parametrize("service", [BANNER, MANDATED, BY_HAND, CLOSED], ids=lambda spec: spec.code)
@pytest.mark.parametrize("free", [100, 1])
def test_a_sound_line_passes(service, free):
    report = checked(ToyLine((service,), free))
    assert report.ok, report.to_text("en")
    assert report.line == "toy"
    assert report.left_behind == ()


def test_every_rule_that_can_be_tried_is_tried_on_one_service_or_another():
    report = checked(ToyLine((BANNER, MANDATED, BY_HAND, CLOSED)))
    tried = {result.rule for result in report.results if result.verdict is Verdict.OK}
    assert set(TITLES) - tried == {"3.1", "5.1", "5.2", "5.3", "5.4", "6.1", "6.2"}


def test_one_place_is_enough_for_everything_but_what_follows_the_confirm():
    report = checked(ToyLine(free=1))
    skipped = {r.rule for r in report.results if r.verdict is Verdict.SKIPPED}
    assert skipped == {"3.1", "4.2.1", "4.4.2", "4.5.5", "5.1", "5.2", "5.3", "5.4", "6.1", "6.2"}


def test_the_kit_leaves_one_confirmed_hold_per_service_and_nothing_else():
    line = ToyLine((BANNER, MANDATED, BY_HAND))
    report = checked(line)
    confirmed = {trace.hold_id for trace in report.confirmed}
    assert [trace.service for trace in report.confirmed] == ["banner", "mandated"]
    assert confirmed == {str(i) for verb, i in line.places.log if verb == "confirm"}
    assert line.places.free == 98
    states = {record.state for record in line.store.records.values()}
    assert states == {HoldState.CONFIRMED, HoldState.RELEASED}


def test_without_leave_nothing_is_confirmed():
    line = ToyLine()
    report = checked(line, confirm=False)
    assert report.ok
    assert report.confirmed == ()
    assert verdict(report, "4.4.1", "banner") is Verdict.SKIPPED
    assert verdict(report, "4.5.4", "banner") is Verdict.SKIPPED
    assert verdict(report, "4.3.1", "banner") is Verdict.OK  # as far as it goes
    assert [verb for verb, _ in line.places.log if verb == "confirm"] == []
    assert line.places.free == 100


def test_a_line_made_with_the_sdk_passes(tmp_path):
    clock = ToyLine()
    line = sdk_line(tmp_path / "line.db", lambda: clock.now)

    async def main():
        async with asgi_served(line.asgi()) as url, guarded_session(LOOPBACK) as session:
            endpoint = LineEndpoint("rooms", url, SECRET)
            return await check(endpoint, session, now=lambda: clock.now, sleep=clock.sleep)

    report = asyncio.run(main())
    line.store.close()
    assert report.ok, report.to_text("en")
    tried = {result.rule for result in report.results if result.verdict is Verdict.OK}
    assert set(TITLES) - tried == {"3.1", "5.1", "5.2", "5.3", "5.4", "6.1", "6.2"}
    assert [trace.service for trace in report.confirmed] == ["never", "beyond-mandate"]


# --- broken lines --------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_by_its_rule_and_no_other(fault):
    rule, services, free, inject = FAULTS[fault]
    line = ToyLine(services, free)
    inject(line)
    report = checked(line)
    assert report.broken() == {rule}, report.to_text("en")
    assert not report.ok


def test_every_rule_that_can_be_tried_has_a_fault_that_breaks_it():
    untried = {"3.1", "5.1", "5.2", "5.3", "5.4", "6.1", "6.2"}
    assert {rule for rule, *_ in FAULTS.values()} == set(TITLES) - untried


def test_a_line_without_a_fence_breaks_the_rules_of_the_fence(tmp_path):
    clock = ToyLine()
    line = sdk_line(tmp_path / "line.db", lambda: clock.now, unsafe_without_fence=True)

    async def main():
        async with asgi_served(line.asgi()) as url, guarded_session(LOOPBACK) as session:
            endpoint = LineEndpoint("rooms", url, SECRET)
            return await check(endpoint, session, now=lambda: clock.now, sleep=clock.sleep)

    report = asyncio.run(main())
    line.store.close()
    assert {"4.3.1", "4.3.2", "4.4.4", "4.5.3", "4.5.4"} <= report.broken()


def test_a_failure_is_evidence():
    line = ToyLine()
    FAULTS["leaves_no_tombstone"][-1](line)
    (result,) = [r for r in checked(line).results if r.verdict is Verdict.FAILED]
    failure = result.failure
    assert (result.rule, result.service) == ("4.5.3", "banner")
    assert (failure.method, failure.path, failure.status) == ("POST", "/holds", 200)
    assert json.loads(failure.body)["service"] == "banner"
    assert failure.expected["en"] == "HTTP 409 hold_released"
    assert json.loads(failure.got)["state"] == "held"
    assert failure.to_json("4.5.3")["section"] == "docs/line-protocol.md §4.5.3"


def test_what_a_broken_line_confirmed_or_kept_is_listed():
    line = ToyLine((BY_HAND,))
    FAULTS["confirms_what_nobody_decided"][-1](line)
    report = checked(line)
    confirmed = {str(i) for i, r in line.store.records.items() if r.state is HoldState.CONFIRMED}
    assert {trace.hold_id for trace in report.confirmed} == confirmed

    line = ToyLine((BY_HAND,))
    FAULTS["does_not_release_the_pending"][-1](line)
    kept = {str(i) for i, r in line.store.records.items() if r.state is HoldState.PENDING}
    assert kept == set()
    report = checked(line)
    kept = {str(i) for i, r in line.store.records.items() if r.state is HoldState.PENDING}
    assert {trace.hold_id for trace in report.left_behind} == kept


# --- lines that cannot be tried ------------------------------------------------------------------


def test_a_line_that_does_not_answer_fails_on_its_manifest():
    async def main():
        async with guarded_session(LOOPBACK) as session:
            return await check(LineEndpoint("gone", "http://127.0.0.1:1/", SECRET), session)

    report = asyncio.run(main())
    assert report.broken() == {"4.1"}
    assert report.line is None
    assert "no answer: refused" in report.to_text("en")


def test_a_line_in_a_forbidden_network_is_not_called():
    line = ToyLine()

    async def main():
        async with served(line) as url, guarded_session() as session:
            return await check(LineEndpoint("toy", url, SECRET), session)

    report = asyncio.run(main())
    assert report.broken() == {"4.1"}
    assert line.places.log == []


def test_a_line_without_services_has_nothing_to_try():
    report = checked(ToyLine(()))
    assert report.ok
    assert report.counts() == {"ok": 8, "failed": 0, "skipped": len(TITLES) - 8}


PATTERN = {
    "type": "object",
    "properties": {"sku": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{4}$"}},
    "required": ["sku"],
}


def test_parameters_that_cannot_be_made_are_asked_for():
    line = ToyLine((replace(BANNER, schema=PATTERN),))
    report = checked(line)
    assert verdict(report, "4.2.2", "banner") is Verdict.SKIPPED
    assert "--params" in report.to_text("en")
    assert "--params" in report.to_text("zh-Hans")
    assert line.places.log == []


def test_given_parameters_are_used():
    line = ToyLine((replace(BANNER, schema=PATTERN),))
    report = checked(line, params={"banner": {"sku": "AB-1234"}})
    assert report.ok
    assert verdict(report, "4.2.3", "banner") is Verdict.OK
    asked = {r.request.params["sku"] for r in line.store.records.values() if r.request}
    assert asked == {"AB-1234"}


def test_a_line_that_grants_more_than_we_can_wait_for_is_not_waited_for():
    line = ToyLine()
    rewritten(line, lambda hold: hold.update(expires_at="2027-01-01T00:00:00Z"))
    report = checked(line)
    assert verdict(report, "4.7.1", "banner") is Verdict.SKIPPED
    assert line.now == ToyLine().now


# --- the report ----------------------------------------------------------------------------------


def test_the_rules_are_those_of_the_page():
    page = PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"^\* (\d(?:\.\d)+) ", page, re.MULTILINE)) == set(TITLES) - {"4.1"}


def test_every_rule_is_in_the_report_in_the_order_of_the_page():
    report = checked(ToyLine())
    rules = [result.rule for result in report.results]
    assert rules == sorted(rules, key=order)
    assert set(rules) == set(TITLES)


def test_the_report_speaks_both_languages_and_json():
    line = ToyLine()
    FAULTS["leaves_no_tombstone"][-1](line)
    report = checked(line)
    counts = report.counts()
    chinese, english = report.to_text("zh-Hans"), report.to_text("en")
    assert "✗ 4.5.3 [banner] 防悬挂：释放之后到达的预留被拒绝" in chinese
    assert f"不符 {counts['failed']}" in chinese
    assert "✗ 4.5.3 [banner] Anti-hanging" in english
    assert "see: docs/line-protocol.md §4.5.3" in english
    document = json.loads(json.dumps(report.to_json()))
    assert (document["ok"], document["line"], document["counts"]["failed"]) == (False, "toy", 1)
    assert len(document["results"]) == sum(counts.values())
    assert len(document["confirmed"]) == 1


def test_the_report_holds_no_secret():
    line = ToyLine()
    FAULTS["accepts_any_signature"][-1](line)
    report = checked(line)
    text = json.dumps(report.to_json()) + report.to_text("en") + repr(report)
    assert SECRET.removeprefix("whsec_") not in text
    assert "v1," not in text
