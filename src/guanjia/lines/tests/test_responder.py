"""The responder over an in-memory store: every call, every refusal, and what a failure leaves."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest

from guanjia.lines.protocol.holds import Holds
from guanjia.lines.protocol.messages import (
    MANIFEST_PATH,
    HoldState,
    HoldView,
    Manifest,
    Money,
    Reason,
)
from guanjia.lines.protocol.params import ParamsSchema
from guanjia.lines.protocol.responder import Responder
from guanjia.lines.protocol.wire import MAX_BODY_BYTES, parse_body
from guanjia.lines.tests.doors import (
    ACCEPTED,
    BYE,
    HOLD_ID,
    MANIFEST,
    NOON,
    SECRET,
    SILENCE,
    TITLES,
    Door,
    make_hold,
)


@pytest.fixture
def door():
    return Door()


def refused(door, reply, status, code):
    """Check an error answer and return its problem object."""
    assert (reply.status, reply.headers["content-type"]) == (status, "application/problem+json")
    problem = json.loads(reply.body)
    assert (problem["status"], problem["code"]) == (status, code)
    return problem


def test_the_manifest_needs_no_signature(door):
    reply = door.responder.respond("GET", MANIFEST_PATH, {}, b"")
    assert reply.status == 200
    assert Manifest.from_json(parse_body(reply.body)) == MANIFEST


def test_a_hold_is_confirmed_once(door):
    held = door.hold()
    assert held == HoldView(
        HOLD_ID,
        HoldState.HELD,
        NOON + timedelta(seconds=900),
        Money(120000, "CNY"),
        reference="TB-1",
    )
    for _ in range(2):
        confirmed = door.ask("POST", f"/holds/{HOLD_ID}/confirm", ACCEPTED)
        assert confirmed.state is HoldState.CONFIRMED
    assert door.business.log == [("reserve", HOLD_ID), ("confirm", HOLD_ID)]


def test_duplicates_have_one_effect(door):
    assert door.hold() == door.hold()
    assert door.business.log == [("reserve", HOLD_ID)]
    for _ in range(2):
        assert door.ask("POST", f"/holds/{HOLD_ID}/release", BYE).state is HoldState.RELEASED
    assert door.business.log == [("reserve", HOLD_ID), ("release", HOLD_ID)]
    assert door.business.free == 2


def test_other_content_under_the_same_id_is_refused(door):
    door.hold()
    before = door.state()
    refused(door, door.send("POST", "/holds", make_hold(item=2)), 422, "idempotency_mismatch")
    assert door.state() == before


def test_a_duplicate_is_answered_even_after_the_service_was_withdrawn(door):
    held = door.hold()
    door.business.manifest = Manifest("display-slots", TITLES, ())
    door.responder = Responder(Holds(door.business, door.store, lambda: door.now), SECRET)
    assert door.hold() == held


def test_an_empty_release_leaves_a_tombstone_that_stops_the_late_hold(door):
    assert door.ask("POST", f"/holds/{HOLD_ID}/release", BYE).state is HoldState.RELEASED
    before = door.state()
    refused(door, door.send("POST", "/holds", make_hold()), 409, "hold_released")
    refused(door, door.send("POST", "/holds", make_hold(service="?")), 409, "hold_released")
    assert door.state() == before
    assert door.business.log == []


def test_a_refusal_is_an_answer(door):
    door.hold(uuid4())
    door.hold(uuid4())
    reason = Reason("sold_out", {"zh-Hans": "已售罄", "en": "Sold out"})
    assert door.hold() == HoldView(HOLD_ID, HoldState.REFUSED, reason=reason)
    reply = door.send("POST", f"/holds/{HOLD_ID}/confirm", ACCEPTED)
    refused(door, reply, 409, "hold_refused")


def test_a_person_decides_or_is_silent_too_long(door):
    pending = door.hold(service="by-hand")
    assert pending.state is HoldState.PENDING
    assert pending.decision_due_at == NOON + timedelta(seconds=600)
    confirm = f"/holds/{HOLD_ID}/confirm"
    refused(door, door.send("POST", confirm, SILENCE), 409, "decision_pending")
    door.now += timedelta(seconds=660)
    assert door.ask("POST", confirm, SILENCE).state is HoldState.CONFIRMED

    other, third = uuid4(), uuid4()
    door.hold(other, service="by-hand")
    assert door.holds.approve(other, Money(7, "CNY")).quote == Money(7, "CNY")
    assert door.ask("GET", f"/holds/{other}").state is HoldState.HELD
    door.business.free = 1
    door.hold(third, service="by-hand")
    no = Reason("not_this_week", {"zh-Hans": "本周不行", "en": "Not this week"})
    assert door.holds.refuse(third, no).reason == no
    assert door.business.free == 1


def test_renewing_keeps_a_hold_alive(door):
    door.hold()
    door.now += timedelta(seconds=800)
    renewed = door.ask("POST", f"/holds/{HOLD_ID}/renew", {"ttl_seconds": 900})
    assert renewed.expires_at == door.now + timedelta(seconds=900)
    door.now += timedelta(seconds=900)
    reply = door.send("POST", f"/holds/{HOLD_ID}/renew", {"ttl_seconds": 900})
    refused(door, reply, 409, "hold_lapsed")


def test_a_look_changes_nothing_and_sees_the_lapse(door):
    door.hold()
    door.now += timedelta(seconds=900)
    before = door.state()
    assert door.ask("GET", f"/holds/{HOLD_ID}").state is HoldState.LAPSED
    assert door.state() == before


def test_lapsed_capacity_is_free_for_the_next_hold(door):
    first, second, third = uuid4(), uuid4(), uuid4()
    door.hold(first)
    door.hold(second)
    door.now += timedelta(seconds=900)
    assert door.hold(third).state is HoldState.HELD
    assert door.business.log[2:] == [
        ("release", first),
        ("release", second),
        ("reserve", third),
    ]
    assert door.ask("POST", f"/holds/{first}/release", BYE).state is HoldState.RELEASED
    assert door.business.free == 1


def test_a_release_that_fails_in_the_sweep_stops_nobody_else(door, caplog):
    first, second = uuid4(), uuid4()
    door.hold(first)
    door.hold(second)
    door.business.poison = first
    door.now += timedelta(seconds=900)
    assert door.hold().state is HoldState.HELD
    assert door.business.log[2:] == [("release", second), ("reserve", HOLD_ID)]
    assert str(first) in caplog.text
    door.business.poison = None
    assert door.holds.sweep() == 1
    assert door.holds.sweep() == 0
    assert door.business.free == 1


def test_a_sweep_is_bounded(door):
    door.business.free = 5
    for _ in range(5):
        door.hold(uuid4())
    door.now += timedelta(seconds=900)
    assert [door.holds.sweep(limit=3), door.holds.sweep(limit=3)] == [3, 2]


def test_a_failing_effect_rolls_everything_back(door):
    door.hold()
    door.business.poison = HOLD_ID
    before, commits = door.state(), door.store.commits
    with pytest.raises(RuntimeError, match="confirm failed"):
        door.send("POST", f"/holds/{HOLD_ID}/confirm", ACCEPTED)
    assert (door.state(), door.store.commits) == (before, commits)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "/day"),
        ({"day": "tomorrow"}, "/day"),
        ({"day": 11}, "/day"),
        ({"day": "2026-11-11", "colour": "red"}, "/colour"),
        ({"day": "2026-11-11", "a/b~c": [1, "2"]}, "/a~1b~0c/1"),
    ],
)
def test_parameters_that_break_the_schema_are_named_and_nothing_is_reserved(door, params, field):
    before = door.state()
    problem = refused(door, door.send("POST", "/holds", make_hold(params=params)), 422, "schema_violation")
    assert [error["field"] for error in problem["errors"]] == [field]
    assert all(error["message"] for error in problem["errors"])
    assert door.state() == before


def test_the_list_of_broken_fields_has_an_end(door):
    params = {"day": "2026-11-11", "a/b~c": ["x"] * 1000}
    problem = refused(door, door.send("POST", "/holds", make_hold(params=params)), 422, "schema_violation")
    assert len(problem["errors"]) == 20


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "code"),
    [
        ("POST", "/holds", make_hold(service="nope"), 404, "unknown_service"),
        ("POST", "/holds", {}, 400, "malformed"),
        ("POST", "/holds", b"not json", 400, "malformed"),
        ("POST", "/holds", b"x" * (MAX_BODY_BYTES + 1), 413, "body_too_large"),
        ("POST", f"/holds/{HOLD_ID}/confirm", ACCEPTED, 404, "unknown_hold"),
        ("POST", f"/holds/{HOLD_ID}/confirm", {}, 400, "malformed"),
        ("POST", f"/holds/{HOLD_ID}/renew", {"ttl_seconds": 900}, 404, "unknown_hold"),
        ("POST", f"/holds/{HOLD_ID}/renew", {"ttl_seconds": 0}, 400, "malformed"),
        ("POST", f"/holds/{HOLD_ID}/release", {}, 400, "malformed"),
        ("POST", "/holds/not-a-uuid/release", BYE, 400, "malformed"),
        ("POST", "/holds/{hold_id}/release", BYE, 400, "malformed"),
        ("GET", f"/holds/{HOLD_ID}", b"", 404, "unknown_hold"),
        ("GET", "/", b"", 404, "not_found"),
        ("GET", f"/holds/{HOLD_ID}/sell", b"", 404, "not_found"),
        ("GET", f"/holds/{HOLD_ID}/confirm/", b"", 404, "not_found"),
        ("DELETE", f"/holds/{HOLD_ID}", b"", 405, "method_not_allowed"),
        ("GET", "/holds", b"", 405, "method_not_allowed"),
    ],
)
def test_a_bad_call_is_refused_and_changes_nothing(door, method, target, body, status, code):
    before = door.state()
    refused(door, door.send(method, target, body), status, code)
    assert door.state() == before


def test_a_wrong_method_says_which_are_right(door):
    assert door.send("PUT", "/holds").headers["allow"] == "POST"
    assert door.responder.respond("POST", MANIFEST_PATH, {}, b"").headers["allow"] == "GET"


def test_the_query_is_signed_and_otherwise_ignored(door):
    assert door.ask("POST", "/holds?trace=1", make_hold()).state is HoldState.HELD


@pytest.mark.parametrize("key", [str(HOLD_ID), str(HOLD_ID).upper()])
def test_the_idempotency_key_is_the_hold_id(door, key):
    reply = door.send("POST", "/holds", make_hold(), {"idempotency-key": key})
    assert reply.status == 200


@pytest.mark.parametrize("key", ["3dfb4d47-f6b3-4c6e-be80-5a81f81b2211", "7"])
def test_another_idempotency_key_is_refused(door, key):
    before = door.state()
    reply = door.send("POST", "/holds", make_hold(), {"idempotency-key": key})
    refused(door, reply, 400, "malformed")
    assert door.state() == before


@pytest.mark.parametrize("target", ["/holds", f"/holds/{HOLD_ID}/release", "/nowhere"])
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"webhook-signature": ""}, "signature_missing"),
        ({"webhook-signature": "v1,AAAA"}, "signature_invalid"),
        ({"webhook-timestamp": "1"}, "timestamp_skew"),
    ],
)
def test_an_unsigned_call_learns_nothing_and_changes_nothing(door, target, change, code):
    before = door.state()
    refused(door, door.send("POST", target, make_hold(), change), 401, code)
    assert door.state() == before


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "array"},
        {"type": "object", "properties": {"a": {"type": "nonsense"}}},
        {"type": "object", "properties": {"a": {"$ref": "https://example.org/schema"}}},
        {"type": "object", "properties": {"a": {"$ref": "file:///etc/hostname"}}},
        {"type": "object", "properties": {"a": {"pattern": "(a)\\1"}}},
    ],
)
def test_a_schema_that_could_reach_out_or_stall_is_refused_at_the_start(schema):
    with pytest.raises(ValueError, match=r"."):
        ParamsSchema(schema)
