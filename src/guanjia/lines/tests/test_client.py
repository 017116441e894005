"""Guanjia's client against a scripted line over real HTTP on loopback."""

import asyncio
import json
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from aiohttp import web

from guanjia.lines.answers import Answered, Described, Rejected, Unreachable, retry_after
from guanjia.lines.circuit import Policy
from guanjia.lines.client import Limits, LineClient, LineEndpoint
from guanjia.lines.protocol.errors import FieldError
from guanjia.lines.protocol.messages import (
    Authority,
    ConfirmAuthority,
    HoldRequest,
    HoldState,
    HoldView,
    Money,
)
from guanjia.lines.protocol.signing import verify_request
from guanjia.lines.ssrf import LOOPBACK

SECRET = "whsec_" + "c2VjcmV0LW9mLXRoZS1kaXNwbGF5LXNsb3RzLWxpbmU="
HOLD_ID = UUID("0b9f0000-0000-4000-8000-000000000001")
OTHER_ID = UUID("0b9f0000-0000-4000-8000-000000000002")
NOON = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
EXPIRY = datetime(2026, 11, 10, 12, 15, tzinfo=UTC)
HELD = {
    "hold_id": str(HOLD_ID),
    "state": "held",
    "expires_at": "2026-11-10T12:15:00Z",
    "quote": {"amount": 120000, "currency": "CNY"},
    "decision_due_at": None,
    "reason": None,
    "reference": "TB-88231",
}
REQUEST = HoldRequest(
    hold_id=HOLD_ID,
    service="home-banner",
    params={"day": "2026-11-11"},
    merchant_ref="M-1042",
    merchant_name="云栖女装",
    package_number="PK-2026-000017",
    item=1,
    ttl_seconds=900,
    authority_kind=Authority.MANDATE,
    mandate="MD-7",
)
MANIFEST = {
    "protocol": "LP/1",
    "line": "display-slots",
    "titles": {"zh-Hans": "淘宝展位", "en": "Display slots"},
    "services": [],
}


def ok(document: object, **headers: str) -> web.Response:
    return web.json_response(document, headers=headers)


def state(name: str, **more: object) -> web.Response:
    return ok({**HELD, "state": name, **more})


def problem(status: int, code: str, **members: object) -> web.Response:
    body = {"type": "about:blank", "status": status, "code": code, **members}
    return web.json_response(body, status=status, content_type="application/problem+json")


@dataclass
class Seen:
    """One request as the line got it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class World:
    """A client with clocks we set, one scripted line, and what happened between them."""

    client: LineClient
    endpoint: LineEndpoint
    seen: list[Seen]
    pauses: list[float]
    clock: list[float] = field(default_factory=lambda: [0.0])

    async def hold(self):
        return await self.client.hold(self.endpoint, REQUEST)


class Half:
    def random(self) -> float:
        return 0.5


@asynccontextmanager
async def a_world(*script, limits: Limits | None = None, policy: Policy | None = None):
    """`script`: responses in order, or one async function of the request for all of them."""
    seen: list[Seen] = []
    answers = list(script)

    async def answer(request: web.BaseRequest):
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        seen.append(Seen(request.method, request.path_qs, headers, body))
        if callable(answers[0]):
            return await answers[0](request)
        return answers.pop(0)

    runner = web.ServerRunner(web.Server(answer, handler_cancellation=True), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    clock, pauses = [0.0], []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        clock[0] += seconds

    client = LineClient(
        LOOPBACK,
        limits=limits or Limits(),
        policy=policy,
        rng=Half(),
        sleep=sleep,
        monotonic=lambda: clock[0],
        now=lambda: NOON + timedelta(seconds=clock[0]),
    )
    endpoint = LineEndpoint("display-slots", f"http://127.0.0.1:{port}/lp/", SECRET)
    try:
        async with client:
            yield World(client, endpoint, seen, pauses, clock)
    finally:
        await runner.cleanup()


def hold_outcome(*script, **more):
    async def main():
        async with a_world(*script, **more) as world:
            return await world.hold()

    return asyncio.run(main())


# --- answers -------------------------------------------------------------------------------------


def test_a_hold_is_sent_signed_and_read_back():
    async def main():
        async with a_world(ok(HELD)) as world:
            assert await world.hold() == Answered(
                HoldView(
                    hold_id=HOLD_ID,
                    state=HoldState.HELD,
                    expires_at=EXPIRY,
                    quote=Money(120000, "CNY"),
                    reference="TB-88231",
                )
            )
            (request,) = world.seen
            assert (request.method, request.path) == ("POST", "/lp/holds")
            assert json.loads(request.body) == REQUEST.to_json()
            assert request.headers["content-type"] == "application/json"
            assert request.headers["idempotency-key"] == str(HOLD_ID)
            assert request.headers["accept-encoding"] == "identity"
            # 3.2: the signed path is relative to the base URL
            verify_request(SECRET, "POST", "/holds", request.headers, request.body, NOON)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("call", "path", "body", "answer"),
    [
        (
            lambda c, e: c.confirm(e, HOLD_ID),
            f"/holds/{HOLD_ID}/confirm",
            {"authority": {"kind": "accepted"}},
            "confirmed",
        ),
        (
            lambda c, e: c.confirm(e, HOLD_ID, ConfirmAuthority.SILENCE),
            f"/holds/{HOLD_ID}/confirm",
            {"authority": {"kind": "silence"}},
            "confirmed",
        ),
        (
            lambda c, e: c.release(e, HOLD_ID, "merchant withdrew"),
            f"/holds/{HOLD_ID}/release",
            {"reason": "merchant withdrew"},
            "released",
        ),
        (
            lambda c, e: c.renew(e, HOLD_ID, 600),
            f"/holds/{HOLD_ID}/renew",
            {"ttl_seconds": 600},
            "held",
        ),
    ],
)
def test_each_call_has_its_path_and_body(call, path, body, answer):
    async def main():
        async with a_world(state(answer)) as world:
            outcome = await call(world.client, world.endpoint)
            assert isinstance(outcome, Answered)
            assert outcome.hold.state == answer
            (request,) = world.seen
            assert (request.method, request.path) == ("POST", "/lp" + path)
            assert json.loads(request.body) == body
            verify_request(SECRET, "POST", path, request.headers, request.body, NOON)

    asyncio.run(main())


def test_a_look_is_a_signed_get_without_body():
    async def main():
        async with a_world(state("lapsed")) as world:
            outcome = await world.client.look(world.endpoint, HOLD_ID)
            assert isinstance(outcome, Answered)
            assert outcome.hold.state is HoldState.LAPSED
            (request,) = world.seen
            assert (request.method, request.body) == ("GET", b"")
            assert "content-type" not in request.headers
            verify_request(SECRET, "GET", f"/holds/{HOLD_ID}", request.headers, b"", NOON)

    asyncio.run(main())


def test_the_manifest_is_asked_for_without_a_signature():
    async def main():
        async with a_world(ok(MANIFEST)) as world:
            outcome = await world.client.manifest(world.endpoint)
            assert isinstance(outcome, Described)
            assert outcome.manifest.line == "display-slots"
            (request,) = world.seen
            assert request.path == "/lp/.well-known/guanjia-line"
            assert not any(name.startswith("webhook-") for name in request.headers)

    asyncio.run(main())


def test_a_broken_manifest_is_a_contract_breach():
    async def main():
        async with a_world(ok({**MANIFEST, "protocol": "LP/2"})) as world:
            outcome = await world.client.manifest(world.endpoint)
            assert outcome == Rejected("contract_breach", "/protocol: not LP/1")

    asyncio.run(main())


def test_a_refusal_is_an_answer():
    reason = {"code": "sold_out", "message": {"zh-Hans": "已售罄", "en": "Sold out"}}
    outcome = hold_outcome(state("refused", reason=reason, expires_at=None))
    assert isinstance(outcome, Answered)
    assert outcome.hold.reason is not None
    assert outcome.hold.reason.code == "sold_out"


# --- rejections ----------------------------------------------------------------------------------


def test_a_problem_keeps_its_code_and_the_names_of_the_fields():
    answer = problem(
        422,
        "schema_violation",
        detail="params",
        errors=[{"field": "/day", "message": "in the past"}],
    )
    assert hold_outcome(answer) == Rejected(
        "schema_violation", "params", (FieldError("/day", "in the past"),)
    )


def test_a_rejection_is_not_repeated_and_does_not_touch_the_circuit():
    async def forever(_):
        return problem(409, "hold_released", detail="tombstone")

    async def main():
        async with a_world(forever, policy=Policy(failures=1)) as world:
            for _ in range(3):
                assert await world.hold() == Rejected("hold_released", "tombstone")
            assert len(world.seen) == 3
            assert world.pauses == []

    asyncio.run(main())


BIG = b'{"padding": "' + b"x" * (256 * 1024) + b'"}'


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (web.Response(text="<html>"), "HTTP 200: content type is not application/json"),
        (web.json_response(HELD, status=201), "HTTP 201: content type is not application/problem+"),
        (web.Response(status=404, text="no"), "HTTP 404: content type is not application/problem+"),
        (web.json_response({}, status=302, headers={"Location": "/x"}), "HTTP 302: content type"),
        (web.Response(body=b"{", content_type="application/json"), "HTTP 200: body: not JSON"),
        (web.Response(body=BIG, content_type="application/json"), "HTTP 200: body longer than"),
        (web.Response(status=422, body=BIG), "HTTP 422: body longer than"),
        (ok(HELD, **{"Content-Encoding": "gzip"}), "HTTP 200: compressed"),
        (ok([HELD]), "HTTP 200: body: not an object"),
        (ok({**HELD, "state": "maybe"}), "/state: not one of"),
        (ok({**HELD, "expires_at": "tomorrow"}), "/expires_at: not an RFC 3339"),
        (ok({**HELD, "quote": {"amount": 1.5, "currency": "CNY"}}), "/quote/amount"),
        (ok({**HELD, "hold_id": str(OTHER_ID)}), "the answer is about another hold"),
        (state("released"), "state released makes no sense"),
        (state("pending"), "/decision_due_at: missing"),
        (problem(400, "hold_released"), "HTTP 400 with a code"),
        (problem(409, "made_up"), "HTTP 409 with a code"),
        (problem(422, "schema_violation", errors="all"), "HTTP 422: /errors"),
    ],
)
def test_what_is_not_lp1_is_a_contract_breach(answer, detail):
    outcome = hold_outcome(answer)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "contract_breach"
    assert outcome.detail.startswith(detail)


def test_an_endless_chunked_body_is_cut_off_at_the_bound():
    async def pour(request):
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        try:
            while True:
                await response.write(b"[" * 65536)
        except ConnectionError:
            return response

    outcome = hold_outcome(pour)
    assert isinstance(outcome, Rejected)
    assert outcome.detail == "HTTP 200: body longer than 262144 bytes"


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (lambda c, e: c.confirm(e, HOLD_ID), "held"),
        (lambda c, e: c.release(e, HOLD_ID, ""), "confirmed"),
        (lambda c, e: c.renew(e, HOLD_ID, 60), "lapsed"),
    ],
)
def test_a_state_that_makes_no_sense_for_the_call_is_a_contract_breach(call, answer):
    async def main():
        async with a_world(state(answer)) as world:
            outcome = await call(world.client, world.endpoint)
            assert isinstance(outcome, Rejected)
            assert outcome.code == "contract_breach"

    asyncio.run(main())


def test_redirects_are_not_followed():
    async def main():
        away = web.Response(status=307, headers={"Location": "/elsewhere"})
        async with a_world(away) as world:
            outcome = await world.hold()
            assert isinstance(outcome, Rejected)
            assert [request.path for request in world.seen] == ["/lp/holds"]

    asyncio.run(main())


@pytest.mark.parametrize(
    "base_url",
    [
        "http://10.0.0.1/",
        "http://169.254.169.254/latest",
        "http://me@127.0.0.1/",
        "ftp://127.0.0.1/",
        "http://127.0.0.1/?a=b",
        "http://127.0.0.1/#a",
    ],
)
def test_a_forbidden_destination_is_rejected_without_a_connection(base_url):
    async def main():
        async with a_world() as world:
            outcome = await world.client.look(LineEndpoint("x", base_url, SECRET), HOLD_ID)
            assert isinstance(outcome, Rejected)
            assert outcome.code == "destination_refused"

    asyncio.run(main())


def test_a_name_that_resolves_to_a_forbidden_address_is_rejected():
    async def main():
        async with LineClient() as client:  # localhost is known without a name server
            endpoint = LineEndpoint("x", "https://localhost/", SECRET)
            outcome = await client.look(endpoint, HOLD_ID)
            assert isinstance(outcome, Rejected)
            assert outcome.code == "destination_refused"

    asyncio.run(main())


# --- retries -------------------------------------------------------------------------------------


def test_a_retry_carries_the_same_signed_message():
    async def main():
        async with a_world(web.Response(status=503), web.Response(status=429), ok(HELD)) as world:
            assert isinstance(await world.hold(), Answered)
            first, second, third = world.seen
            for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
                assert first.headers[name] == second.headers[name] == third.headers[name]
            assert first.body == third.body
            assert world.pauses == [0.025, 0.05]  # half of 0.05 s, then half of 0.1 s

    asyncio.run(main())


def test_two_calls_carry_different_message_ids():
    async def main():
        async with a_world(ok(HELD), ok(HELD)) as world:
            await world.hold()
            await world.hold()
            first, second = world.seen
            assert first.headers["webhook-id"] != second.headers["webhook-id"]

    asyncio.run(main())


def test_retries_are_bounded_in_number():
    async def main():
        async with a_world(*[web.Response(status=500) for _ in range(5)]) as world:
            assert await world.hold() == Unreachable("status_500")
            assert len(world.seen) == 3

    asyncio.run(main())


def test_retries_are_bounded_by_the_budget():
    async def main():
        limits = Limits(total=1.0, backoff=4.0)
        async with a_world(web.Response(status=500), limits=limits) as world:
            assert await world.hold() == Unreachable("status_500")
            assert (len(world.seen), world.pauses) == (1, [])

    asyncio.run(main())


def test_a_short_retry_after_is_waited_for():
    async def main():
        busy = web.Response(status=429, headers={"Retry-After": "2"})
        async with a_world(busy, ok(HELD)) as world:
            assert isinstance(await world.hold(), Answered)
            assert world.pauses == [2.0]

    asyncio.run(main())


def test_a_long_retry_after_is_handed_to_the_caller():
    async def main():
        busy = web.Response(status=503, headers={"Retry-After": "120"})
        async with a_world(busy) as world:
            assert await world.hold() == Unreachable("status_503", NOON + timedelta(seconds=120))
            assert (len(world.seen), world.pauses) == (1, [])

    asyncio.run(main())


def test_a_broken_connection_is_tried_again():
    calls = []

    async def drop_once(request):
        calls.append(1)
        if len(calls) == 1:
            request.transport.abort()
        return ok(HELD)

    assert isinstance(hold_outcome(drop_once), Answered)
    assert len(calls) == 2


def test_a_refused_connection_is_unreachable():
    async def main():
        async with a_world() as world:
            endpoint = LineEndpoint("gone", "http://127.0.0.1:1/", SECRET)
            assert await world.client.look(endpoint, HOLD_ID) == Unreachable("refused")
            assert len(world.pauses) == 2

    asyncio.run(main())


def test_an_unknown_name_is_unreachable():
    async def main():
        async with a_world() as world:
            endpoint = LineEndpoint("gone", "https://line.invalid/", SECRET)
            assert await world.client.look(endpoint, HOLD_ID) == Unreachable("dns")

    asyncio.run(main())


@pytest.mark.parametrize(
    "babbled",
    [
        b"220 mail.example ESMTP\r\n\r\n",
        # two ways to tell the length: believing the small one would leave the other unbounded
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    ],
)
def test_an_answer_that_is_not_sound_http_is_unreachable(babbled):
    async def main():
        async def babble(reader, writer):
            await reader.readline()
            writer.write(babbled)
            writer.close()

        server = await asyncio.start_server(babble, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, a_world() as world:
            endpoint = LineEndpoint("mail", f"http://127.0.0.1:{port}/", SECRET)
            assert await world.client.look(endpoint, HOLD_ID) == Unreachable("broken")

    asyncio.run(main())


def test_a_line_that_never_answers_is_given_up_within_the_budget():
    async def hang(_):
        await asyncio.Event().wait()

    async def main():
        async with a_world(hang, limits=Limits(total=0.05, retries=0)) as world:
            assert await world.hold() == Unreachable("timeout")

    asyncio.run(main())


def test_a_line_that_stops_in_the_middle_of_its_answer_is_given_up():
    async def stall(request):
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(b"{")
        await asyncio.Event().wait()

    outcome = hold_outcome(stall, limits=Limits(total=0.05, retries=0))
    assert outcome == Unreachable("timeout")


# --- the circuit ---------------------------------------------------------------------------------

TWO = Policy(failures=2, first=8.0, cap=60.0)
NO_RETRY = Limits(retries=0)


def test_the_circuit_opens_and_calls_stop():
    async def main():
        async with a_world(
            web.Response(status=500), web.Response(status=502), limits=NO_RETRY, policy=TWO
        ) as world:
            assert await world.hold() == Unreachable("status_500")
            until = NOON + timedelta(seconds=6)  # 8 s less half of the jittered half
            assert await world.hold() == Unreachable("status_502", until)
            assert await world.hold() == Unreachable("circuit_open", until)
            assert len(world.seen) == 2

    asyncio.run(main())


def test_an_opening_circuit_ends_the_retries_of_its_call():
    async def main():
        async with a_world(web.Response(status=500), web.Response(status=500), policy=TWO) as world:
            outcome = await world.hold()
            assert isinstance(outcome, Unreachable)
            assert outcome.why == "status_500"
            assert len(world.seen) == 2

    asyncio.run(main())


def test_after_the_interval_one_answered_probe_closes_the_circuit():
    async def main():
        bad = [web.Response(status=500), web.Response(status=500)]
        async with a_world(*bad, ok(HELD), ok(HELD), limits=NO_RETRY, policy=TWO) as world:
            await world.hold()
            await world.hold()
            world.clock[0] = 6.0
            assert isinstance(await world.hold(), Answered)
            assert isinstance(await world.hold(), Answered)

    asyncio.run(main())


def test_only_one_probe_is_out_at_a_time_and_a_cancelled_one_makes_room():
    arrived, stay = asyncio.Event(), asyncio.Event()

    async def script(_, calls=[]):  # noqa: B006 - the count of this test
        calls.append(1)
        if len(calls) <= 2:
            return web.Response(status=500)
        if len(calls) == 3:
            arrived.set()
            await stay.wait()
        return ok(HELD)

    async def main():
        async with a_world(script, limits=NO_RETRY, policy=TWO) as world:
            await world.hold()
            await world.hold()
            world.clock[0] = 6.0
            probe = asyncio.create_task(world.hold())
            await arrived.wait()
            outcome = await world.hold()
            assert isinstance(outcome, Unreachable)
            assert outcome.why == "circuit_open"
            probe.cancel()
            with pytest.raises(asyncio.CancelledError):
                await probe
            assert isinstance(await world.hold(), Answered)
            stay.set()

    asyncio.run(main())


def test_one_lines_circuit_is_not_anothers():
    async def main():
        async with a_world(
            web.Response(status=500), web.Response(status=500), ok(HELD), limits=NO_RETRY, policy=TWO
        ) as w:
            await w.hold()
            await w.hold()
            other = LineEndpoint("other", w.endpoint.base_url, SECRET)
            assert isinstance(await w.client.hold(other, REQUEST), Answered)

    asyncio.run(main())


def test_a_new_secret_keeps_the_circuit_and_a_new_address_starts_afresh():
    new = "whsec_" + "bmV3LXNlY3JldC1vZi10aGUtZGlzcGxheS1saW5lcy4="

    async def main():
        bad = [web.Response(status=500), web.Response(status=500)]
        async with a_world(*bad, ok(HELD), limits=NO_RETRY, policy=TWO) as world:
            await world.hold()
            await world.hold()
            rotated = LineEndpoint("display-slots", world.endpoint.base_url, new)
            outcome = await world.client.hold(rotated, REQUEST)
            assert isinstance(outcome, Unreachable)
            moved = LineEndpoint("display-slots", world.endpoint.base_url + "v2", new)
            assert isinstance(await world.client.hold(moved, REQUEST), Answered)
            request = world.seen[-1]
            assert request.path == "/lp/v2/holds"
            verify_request(new, "POST", "/holds", request.headers, request.body, NOON)

    asyncio.run(main())


# --- the bulkhead --------------------------------------------------------------------------------


def test_a_line_gets_at_most_its_slots_and_the_rest_wait():
    gate = asyncio.Event()
    inside: list[int] = [0, 0]

    async def count(_):
        inside[0] += 1
        inside[1] = max(inside[1], inside[0])
        if inside[0] == 3:
            gate.set()
        await gate.wait()
        inside[0] -= 1
        return ok(HELD)

    async def main():
        async with a_world(count, limits=Limits(concurrent=3)) as world:
            outcomes = await asyncio.gather(*(world.hold() for _ in range(12)))
            assert all(isinstance(outcome, Answered) for outcome in outcomes)
            assert inside == [0, 3]

    asyncio.run(main())


def test_who_finds_no_slot_within_half_the_budget_is_told_so():
    arrived, stay = asyncio.Event(), asyncio.Event()

    async def hang(_):
        arrived.set()
        await stay.wait()
        return ok(HELD)

    async def main():
        async with a_world(hang, limits=Limits(total=0.2, concurrent=1, retries=0)) as world:
            first = asyncio.create_task(world.hold())
            await arrived.wait()
            assert await world.hold() == Unreachable("busy")
            assert len(world.seen) == 1
            stay.set()
            assert isinstance(await first, Answered)

    asyncio.run(main())


# --- secrets -------------------------------------------------------------------------------------


def test_the_secret_is_in_no_repr_and_in_no_log(caplog):
    async def main():
        with caplog.at_level(logging.DEBUG):
            async with a_world(web.Response(status=500), policy=Policy(failures=1)) as world:
                await world.hold()
                assert SECRET not in repr(world.endpoint)
                assert "display-slots" in repr(world.endpoint)

    asyncio.run(main())
    assert "no calls for" in caplog.text
    assert SECRET.removeprefix("whsec_") not in caplog.text


def test_a_malformed_secret_is_refused_without_being_quoted():
    with pytest.raises(ValueError, match="whsec_") as refusal:
        LineEndpoint("x", "https://line.example/", "hunter2")
    assert "hunter2" not in str(refusal.value)


# --- Retry-After ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("7", 7.0),
        ("999999999", 3600.0),
        ("Tue, 10 Nov 2026 12:01:00 GMT", 60.0),
        ("Tue, 10 Nov 2026 12:01:00 -0000", 60.0),
        ("Tue, 10 Nov 2026 11:59:00 GMT", 0.0),
        ("Tue, 10 Nov 9999 12:00:00 GMT", 3600.0),
        ("soon", None),
        ("-5", None),
        ("²", None),
        ("Sun, 06 Nov 99999999999 08:49:37 GMT", None),
        ("9" * 65, None),
    ],
)
def test_retry_after_is_read_in_both_forms_and_bounded(text, seconds):
    assert retry_after(text, NOON) == seconds
