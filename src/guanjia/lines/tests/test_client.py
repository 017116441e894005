"""Guanjia's client against a scripted line over real HTTP on loopback."""

import asyncio
import json
import logging

import pytest
from aiohttp import web

from guanjia.lines.answers import Answered, Described, Rejected, retry_after
from guanjia.lines.circuit import Policy
from guanjia.lines.client import LineClient, LineEndpoint
from guanjia.lines.protocol.errors import FieldError
from guanjia.lines.protocol.messages import (
    ConfirmAuthority,
    HoldState,
    HoldView,
    Money,
)
from guanjia.lines.protocol.signing import verify_request
from guanjia.lines.tests.scripted_line import (
    EXPIRY,
    HELD,
    HOLD_ID,
    MANIFEST,
    NOON,
    OTHER_ID,
    REQUEST,
    SECRET,
    a_world,
    hold_outcome,
    ok,
    problem,
    state,
)

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
