"""A hosted line through its HTTP door: what each call does to holds and inventory."""

import json
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import include, path

from guanjia.base.actors import SYSTEM
from guanjia.lines.actions.hosted import publish_service, withdraw_service
from guanjia.lines.actions.joining import register_line
from guanjia.lines.hosted import door
from guanjia.lines.models import HostedHold, HostedSlot, Line, LineKind
from guanjia.lines.protocol.messages import MANIFEST_PATH, HoldState, HoldView, Manifest, Money, ServiceSpec
from guanjia.lines.protocol.signing import new_secret, request_headers
from guanjia.lines.protocol.wire import MAX_BODY_BYTES, parse_body
from guanjia.lines.tests.doors import NOON
from guanjia.lines.tests.hosted_line import (
    BEYOND,
    BY_DAY,
    BY_HAND,
    HOLD_ID,
    SERVICES,
    TITLES,
    HostedLine,
    assert_books_balance,
    make_hold,
)

pytestmark = pytest.mark.django_db

URLS = (path("lines/", include("guanjia.lines.urls")),)


@pytest.fixture
def hosted(monkeypatch, settings):
    settings.ROOT_URLCONF = URLS
    line = HostedLine()
    monkeypatch.setattr(door, "now", lambda: line.now)
    return line


def refused(answer, status, code):
    assert answer.status_code == status
    assert answer["content-type"] == "application/problem+json"
    return json.loads(answer.content)["code"] == code


# --- the calls ----------------------------------------------------------------------------------


def test_the_manifest_is_what_was_published_and_needs_no_signature(hosted):
    answer = Client().get(f"/lines/brand-promotions{MANIFEST_PATH}")
    assert answer.status_code == 200
    manifest = Manifest.from_json(parse_body(answer.content))
    assert manifest == Manifest("brand-promotions", TITLES, SERVICES)


def test_a_hold_takes_a_unit_and_quotes_the_list_price(hosted):
    view = hosted.hold(hold_id=HOLD_ID)
    assert view == HoldView(
        hold_id=HOLD_ID,
        state=HoldState.HELD,
        expires_at=NOON.replace(minute=15),
        quote=Money(120_000, "CNY"),
    )
    assert hosted.taken() == 1
    row = HostedHold.objects.values_list("hold_id", "slot__key", "quantity", "state").get()
    assert row == (HOLD_ID, "2026-11-11", 1, "held")
    assert hosted.ask("GET", f"/holds/{HOLD_ID}") == view


def test_a_confirmed_unit_stays_taken(hosted):
    hold_id = hosted.hold().hold_id
    assert json.loads(hosted.confirm(hold_id).content)["state"] == "confirmed"
    assert json.loads(hosted.confirm(hold_id).content)["state"] == "confirmed"
    assert refused(hosted.release(hold_id), 409, "hold_confirmed")
    hosted.later(days=40)
    assert hosted.hold().state is HoldState.REFUSED
    assert hosted.taken() == 1


def test_a_full_slot_refuses_and_says_so_in_both_languages(hosted):
    hosted.hold()
    view = hosted.hold(hold_id=HOLD_ID)
    assert (view.state, view.reason.code) == (HoldState.REFUSED, "sold_out")
    assert view.reason.message == {
        "zh-Hans": "“2026-11-11”名额不足：要 1 个，剩 0 个。",
        "en": "“2026-11-11”: Sold out: 1 asked for, 0 left.",
    }
    assert hosted.taken() == 1
    row = HostedHold.objects.get(hold_id=HOLD_ID)
    assert (row.slot, row.quantity) == (None, 0)


def test_a_slot_that_was_never_opened_is_refused(hosted):
    view = hosted.hold(params={"day": "2026-11-12"})
    assert (view.state, view.reason.code) == (HoldState.REFUSED, "no_such_slot")
    assert view.reason.message == {
        "zh-Hans": "没有“2026-11-12”这个档位。",
        "en": "There is no slot “2026-11-12”.",
    }


def test_a_key_of_any_length_is_refused_with_a_readable_reason(hosted):
    view = hosted.hold("boxes", params={"day": "2026-11-11", "place": "x" * 50_000})
    assert view.reason.code == "no_such_slot"
    assert len(view.reason.message["en"]) < 200


def test_a_released_unit_is_free_again_once(hosted):
    hosted.open("banner", "2026-11-11", 2)
    hosted.hold()
    hold_id = hosted.hold().hold_id
    for _ in range(3):
        assert hosted.release(hold_id).status_code == 200
    assert hosted.taken() == 1


def test_an_empty_release_bars_the_hold_that_comes_late(hosted):
    released = hosted.release(HOLD_ID)
    assert json.loads(released.content)["state"] == "released"
    before = hosted.state()
    assert refused(hosted.send("POST", "/holds", make_hold("banner", HOLD_ID)), 409, "hold_released")
    assert hosted.state() == before
    assert hosted.taken() == 0


def test_a_duplicate_has_no_second_effect_and_other_content_is_refused(hosted):
    hosted.open("banner", "2026-11-11", 5)
    first = hosted.hold(hold_id=HOLD_ID)
    assert hosted.hold(hold_id=HOLD_ID) == first
    other = make_hold("banner", HOLD_ID, item=2)
    assert refused(hosted.send("POST", "/holds", other), 422, "idempotency_mismatch")
    assert hosted.taken() == 1


def test_parameters_against_the_schema_reserve_nothing(hosted):
    before = hosted.state()
    answer = hosted.send("POST", "/holds", make_hold("banner", HOLD_ID, params={"day": "soon"}))
    assert refused(answer, 422, "schema_violation")
    assert json.loads(answer.content)["errors"][0]["field"] == "/day"
    assert refused(hosted.send("POST", "/holds", make_hold("none", HOLD_ID)), 404, "unknown_service")
    assert hosted.state() == before


# --- lapse --------------------------------------------------------------------------------------


def test_a_lapsed_unit_goes_to_the_next_and_cannot_be_confirmed(hosted):
    late = hosted.hold(ttl=600).hold_id
    hosted.later(seconds=599)
    assert hosted.hold().state is HoldState.REFUSED
    hosted.later(seconds=1)
    assert refused(hosted.confirm(late), 409, "hold_lapsed")
    assert hosted.hold().state is HoldState.HELD
    assert refused(hosted.confirm(late), 409, "hold_lapsed")
    assert hosted.ask("GET", f"/holds/{late}").state is HoldState.LAPSED
    assert hosted.taken() == 1


def test_release_after_the_unit_went_to_somebody_else_frees_nothing(hosted):
    late = hosted.hold(ttl=1).hold_id
    hosted.later(seconds=1)
    hosted.hold()
    assert json.loads(hosted.release(late).content)["state"] == "released"
    assert hosted.taken() == 1


def test_release_of_a_lapsed_hold_that_nobody_noticed_frees_its_unit(hosted):
    late = hosted.hold(ttl=1).hold_id
    hosted.later(seconds=1)
    assert hosted.release(late).status_code == 200
    assert hosted.taken() == 0


def test_only_as_many_lapsed_holds_are_touched_as_are_needed(hosted):
    hosted.open("banner", "2026-11-11", 5)
    for _ in range(5):
        hosted.hold(ttl=60)
    hosted.later(seconds=60)
    hosted.hold()
    states = HostedHold.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["lapsed", "held", "held", "held", "held", "held"]
    assert_books_balance()


def test_a_renewed_hold_keeps_its_unit(hosted):
    hold_id = hosted.hold(ttl=60).hold_id
    hosted.later(seconds=59)
    renewed = hosted.ask("POST", f"/holds/{hold_id}/renew", {"ttl_seconds": 600})
    assert renewed.expires_at == NOON.replace(minute=10, second=59)
    hosted.later(seconds=10)
    assert hosted.hold().state is HoldState.REFUSED


# --- what a use takes ---------------------------------------------------------------------------


def test_a_composite_key_and_a_quantity_take_what_they_say(hosted):
    hosted.open("boxes", "2026-11-11/杭州", 10)
    params = {"day": "2026-11-11", "place": "杭州", "boxes": 7}
    assert hosted.hold("boxes", params=params).state is HoldState.HELD
    assert hosted.taken("boxes", "2026-11-11/杭州") == 7
    view = hosted.hold("boxes", params=params | {"boxes": 4})
    assert (view.state, view.reason.message["en"]) == (
        HoldState.REFUSED,
        "“2026-11-11/杭州”: Sold out: 4 asked for, 3 left.",
    )
    assert hosted.hold("boxes", params=params | {"boxes": 2.0}).state is HoldState.HELD
    del params["boxes"]
    assert hosted.hold("boxes", params=params).state is HoldState.HELD
    assert hosted.taken("boxes", "2026-11-11/杭州") == 10


def test_a_quantity_beyond_any_number_is_sold_out(hosted):
    hosted.open("boxes", "2026-11-11/杭州", 2**31 - 1)
    params = {"day": "2026-11-11", "place": "杭州", "boxes": 10**30}
    assert hosted.hold("boxes", params=params).reason.code == "sold_out"
    assert hosted.taken("boxes", "2026-11-11/杭州") == 0


def test_values_with_the_separator_in_them_are_other_slots(hosted):
    hosted.open("boxes", "2026-11-11/a%2Fb", 1)
    assert hosted.hold("boxes", params={"day": "2026-11-11", "place": "a/b"}).state is HoldState.HELD
    assert hosted.hold("boxes", params={"day": "2026-11-11", "place": "a%2Fb"}).reason.code == "no_such_slot"


def test_a_service_without_a_slot_is_one_slot(hosted):
    spec = ServiceSpec("advice", TITLES, {"type": "object"}, 900)
    publish_service(actor=hosted.otto, line=hosted.line, service=spec, now=NOON)
    assert hosted.hold("advice", params={}).reason.message["en"] == "No places are open yet."
    hosted.open("advice", "", 1)
    assert hosted.hold("advice", params={}).state is HoldState.HELD
    assert hosted.hold("advice", params={}).reason.message["en"] == "Sold out: 1 asked for, 0 left."


def test_the_database_refuses_to_overbook(hosted):
    hosted.hold()
    with pytest.raises(IntegrityError), transaction.atomic():
        HostedSlot.objects.filter(taken=1).update(taken=2)
    with pytest.raises(IntegrityError), transaction.atomic():
        HostedSlot.objects.filter(taken=1).update(capacity=0)
    assert hosted.taken() == 1


# --- decisions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "mandate", "state"),
    [
        ("banner", None, HoldState.HELD),
        ("flash-sale", "MD-7", HoldState.HELD),
        ("flash-sale", None, HoldState.PENDING),
        ("brand-day", "MD-7", HoldState.PENDING),
    ],
)
def test_the_decision_rule_says_who_waits(hosted, service, mandate, state):
    view = hosted.hold(service, mandate=mandate)
    assert view.state is state
    assert view.decision_due_at == (NOON.replace(hour=13) if state is HoldState.PENDING else None)
    assert hosted.taken(service) == 1


def test_silence_consents_where_the_rule_says_so(hosted):
    hold_id = hosted.hold("brand-day", ttl=7200).hold_id
    silence = {"authority": {"kind": "silence"}}
    hosted.later(seconds=3600 + 599)
    assert refused(hosted.confirm(hold_id, silence), 409, "decision_pending")
    hosted.later(seconds=1)
    assert json.loads(hosted.confirm(hold_id, silence).content)["state"] == "confirmed"


def test_silence_refuses_where_the_rule_says_so(hosted):
    assert BEYOND.silence != BY_HAND.silence
    hold_id = hosted.hold("flash-sale", mandate=None, ttl=7200).hold_id
    hosted.later(seconds=4200)
    assert refused(hosted.confirm(hold_id, {"authority": {"kind": "silence"}}), 409, "decision_pending")


# --- the door -----------------------------------------------------------------------------------


def test_a_line_that_is_not_hosted_here_is_not_found(hosted):
    register_line(
        actor=SYSTEM,
        slug="remote",
        titles=TITLES,
        kind=LineKind.REMOTE,
        base_url="https://remote.invalid",
        secret=new_secret(),
        lead=hosted.otto,
        now=NOON,
    )
    for slug in ("remote", "nobody", "brand-promotion", "%E5%B1%95%E4%BD%8D"):
        assert refused(Client().get(f"/lines/{slug}{MANIFEST_PATH}"), 404, "not_found")
    Line.objects.filter(pk=hosted.line.pk).update(active=False)
    assert refused(hosted.send("POST", "/holds", make_hold("banner", HOLD_ID)), 404, "not_found")
    assert not HostedHold.objects.exists()


def test_other_paths_and_methods_are_problems(hosted):
    for target in ("", "/", "/holds/x/y/z"):
        assert refused(hosted.send("GET", target), 404, "not_found")
    answer = hosted.send("GET", "/holds")
    assert refused(answer, 405, "method_not_allowed")
    assert answer["allow"] == "POST"


def test_an_unsigned_call_changes_nothing(hosted):
    before = hosted.state()
    url = "/lines/brand-promotions/holds"
    body = json.dumps(make_hold("banner", HOLD_ID))
    assert refused(Client().post(url, body, "application/json"), 401, "signature_missing")
    forged = request_headers(new_secret(), "POST", "/holds", body.encode(), NOON, "req_1")
    answer = Client().post(url, body, "application/json", headers=forged)
    assert refused(answer, 401, "signature_invalid")
    assert hosted.state() == before


def test_the_query_is_part_of_what_is_signed(hosted):
    hosted.hold(hold_id=HOLD_ID)
    assert hosted.ask("GET", f"/holds/{HOLD_ID}?trace=%41%20b&c").state is HoldState.HELD


def test_a_body_beyond_the_limit_is_not_read(hosted):
    answer = hosted.send("POST", "/holds", b"x" * (MAX_BODY_BYTES + 2))
    assert refused(answer, 413, "body_too_large")


def test_a_length_that_is_no_number_is_a_problem_too(hosted):
    answer = Client().post("/lines/brand-promotions/holds", b"{}", "application/json", CONTENT_LENGTH="many")
    assert refused(answer, 401, "signature_missing")


def test_what_is_published_takes_effect_on_the_next_call(hosted):
    assert hosted.send("POST", "/holds", make_hold("new", HOLD_ID)).status_code == 404
    spec = ServiceSpec("new", TITLES, BY_DAY, 900)
    service = publish_service(actor=hosted.otto, line=hosted.line, service=spec, now=NOON)
    hosted.open("new", "2026-11-11", 1)
    assert hosted.hold("new", HOLD_ID).state is HoldState.HELD
    withdraw_service(actor=hosted.otto, service=service, now=NOON)
    answer = hosted.send("POST", "/holds", make_hold("new", uuid4()))
    assert refused(answer, 404, "unknown_service")
    assert json.loads(hosted.confirm(HOLD_ID).content)["state"] == "confirmed"


def test_a_new_secret_takes_effect_on_the_next_call(hosted):
    hosted.hold(hold_id=HOLD_ID)
    secret = new_secret()
    register_line(
        actor=SYSTEM,
        slug=hosted.line.slug,
        titles=TITLES,
        kind=LineKind.HOSTED,
        base_url=hosted.line.base_url,
        secret=secret,
        lead=hosted.otto,
        now=NOON,
    )
    assert refused(hosted.send("GET", f"/holds/{HOLD_ID}"), 401, "signature_invalid")
    hosted.secret = secret
    assert hosted.ask("GET", f"/holds/{HOLD_ID}").state is HoldState.HELD


def test_a_line_knows_nothing_of_another_lines_hold(hosted, monkeypatch):
    hosted.hold(hold_id=HOLD_ID)
    other = HostedLine("juhuasuan")
    assert refused(other.send("GET", f"/holds/{HOLD_ID}"), 404, "unknown_hold")
    assert json.loads(other.release(HOLD_ID).content)["state"] == "released"
    assert hosted.ask("GET", f"/holds/{HOLD_ID}").state is HoldState.HELD
    assert (hosted.taken(), other.taken()) == (1, 0)


def test_an_id_in_capitals_is_the_same_hold(hosted):
    hosted.hold(hold_id=HOLD_ID)
    assert hosted.ask("GET", f"/holds/{str(HOLD_ID).upper()}").hold_id == UUID(str(HOLD_ID))
