"""What the people of a hosted line do, and how Guanjia hears of it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from django.urls import include, path

from guanjia.base.actors import SYSTEM
from guanjia.base.errors import BadInput, Missing
from guanjia.base.models import Flow
from guanjia.demo.cast import make_lin, make_merchant, make_mira, make_pool, make_wei
from guanjia.ledger.models import Event
from guanjia.lines.actions.hosted import (
    DECISION_FLOW,
    NotWaiting,
    StillTaken,
    decide_hold,
    open_hosted_line,
    publish_service,
    publish_services,
    set_capacity,
    withdraw_service,
)
from guanjia.lines.actions.joining import register_line
from guanjia.lines.hosted import door
from guanjia.lines.hosted.flows import GIVE_UP_AFTER, Attempt, DecisionFlow, pause_after, session
from guanjia.lines.hosted.queries import SlotState, WaitingDecision, decisions_waiting, inventory
from guanjia.lines.models import HostedDecision, HostedSlot, LineKind, LineStaff, Service
from guanjia.lines.protocol.messages import (
    DecisionNotice,
    HoldState,
    Money,
    Reason,
    ServiceSpec,
)
from guanjia.lines.protocol.signing import new_secret, verify_webhook
from guanjia.lines.protocol.wire import parse_body
from guanjia.lines.rules import NotYourLine
from guanjia.lines.tests.at_once import at_once
from guanjia.lines.tests.doors import NOON
from guanjia.lines.tests.hosted_line import (
    BANNER,
    BY_DAY,
    BY_DAY_AND_PLACE,
    HOLD_ID,
    TITLES,
    HostedLine,
    assert_books_balance,
)

pytestmark = pytest.mark.django_db

URLS = (path("lines/", include("guanjia.lines.urls")),)
NO_HTTP: Any = None
NO = {"zh-Hans": "当天已有同类活动", "en": "A similar campaign runs that day"}


@pytest.fixture
def hosted(monkeypatch, settings):
    settings.ROOT_URLCONF = URLS
    line = HostedLine()
    monkeypatch.setattr(door, "now", lambda: line.now)
    return line


def decide(hosted, approve=True, hold_id=HOLD_ID, actor=None, reason=None, quote=None):
    return decide_hold(
        actor=actor or hosted.otto,
        hold_id=hold_id,
        approve=approve,
        reason=reason,
        now=hosted.now,
        quote=quote,
    )


def everything(hosted):
    told = Flow.objects.filter(name=DECISION_FLOW).values_list("key", flat=True)
    return hosted.state(), Event.objects.count(), HostedDecision.objects.count(), list(told)


# --- deciding -----------------------------------------------------------------------------------


def test_a_yes_holds_the_unit_and_wakes_the_webhook_at_once(hosted):
    merchant = make_merchant(
        "M-1042", "云栖女装", owner=make_mira(), pool=make_pool(make_wei(NOON)), now=NOON
    )
    hosted.hold("brand-day", HOLD_ID, ttl=7200)
    hosted.later(minutes=5)
    view = decide(hosted, quote=Money(450_000, "CNY"))
    assert (view.state, view.quote) == (HoldState.HELD, Money(450_000, "CNY"))
    assert hosted.ask("GET", f"/holds/{HOLD_ID}") == view
    assert hosted.taken("brand-day") == 1
    decision = HostedDecision.objects.get()
    flow = Flow.objects.get(name=DECISION_FLOW)
    assert (flow.key, flow.due_at) == (decision.pk, hosted.now)
    assert (decision.approved, decision.decided_by, decision.told_at) == (True, hosted.otto, None)
    notice = DecisionNotice.from_json(parse_body(decision.body.encode()))
    assert notice == DecisionNotice("brand-promotions", hosted.now, view)
    event = Event.objects.latest("pk")
    assert (event.kind, event.actor, event.merchant_id, event.subject) == (
        "lines.hold_decided",
        f"user:{hosted.otto.pk}",
        merchant.pk,
        f"hold:{HOLD_ID}",
    )
    assert event.payload == {
        "line": "brand-promotions",
        "hold": str(HOLD_ID),
        "package": "PK-2026-000017",
        "item": 1,
        "approved": True,
        "quote": 450_000,
    }


def test_a_no_frees_the_unit_and_gives_the_reason(hosted):
    hosted.hold("brand-day", HOLD_ID)
    view = decide(hosted, approve=False, reason=NO)
    assert (view.state, view.reason) == (HoldState.REFUSED, Reason("declined", NO))
    assert hosted.taken("brand-day") == 0
    assert hosted.hold("brand-day").state is HoldState.PENDING
    assert_books_balance()


def test_a_reason_in_one_language_stands_in_for_the_other(hosted):
    hosted.hold("brand-day", HOLD_ID)
    view = decide(hosted, approve=False, reason={"zh-Hans": " 不合适 ", "en": ""})
    assert view.reason == Reason("declined", {"zh-Hans": "不合适", "en": "不合适"})


@pytest.mark.parametrize(
    ("how", "refusal"),
    [
        ({"approve": False}, BadInput),
        ({"approve": False, "reason": {"zh-Hans": ""}}, BadInput),
        ({"approve": False, "reason": {"en": "x" * 501}}, BadInput),
        ({"approve": False, "reason": {"en": "a\x00b"}}, BadInput),
        ({"quote": Money(1, "USD")}, BadInput),
    ],
)
def test_a_decision_that_cannot_be_is_refused_and_changes_nothing(hosted, how, refusal):
    hosted.hold("brand-day", HOLD_ID)
    before = everything(hosted)
    with pytest.raises(refusal):
        decide(hosted, **how)
    assert everything(hosted) == before


def test_only_the_lines_own_people_decide(hosted):
    hosted.hold("brand-day", HOLD_ID)
    other = make_lin(NOON)
    elsewhere = open_hosted_line(actor=SYSTEM, slug="juhuasuan", titles=TITLES, lead=other, now=NOON)
    assert LineStaff.objects.filter(line=elsewhere, user=other).exists()
    before = everything(hosted)
    with pytest.raises(NotYourLine):
        decide(hosted, actor=other)
    hosted.otto.is_active = False
    with pytest.raises(NotYourLine):
        decide(hosted)
    assert everything(hosted) == before


def test_of_two_lines_that_know_an_id_each_decides_its_own(hosted):
    other = HostedLine("juhuasuan")
    LineStaff.objects.filter(line=other.line).update(user=make_lin(NOON))
    for line in (hosted, other):
        line.hold("brand-day", HOLD_ID)
    decide(other, actor=make_lin(NOON), approve=False, reason=NO)
    assert (hosted.taken("brand-day"), other.taken("brand-day")) == (1, 0)


def test_an_unknown_hold_is_missing(hosted):
    with pytest.raises(Missing):
        decide(hosted)


def test_only_what_waits_can_be_decided(hosted):
    hosted.hold("banner", HOLD_ID)
    before = everything(hosted)
    with pytest.raises(NotWaiting):
        decide(hosted)
    assert everything(hosted) == before


def test_a_lapsed_hold_cannot_be_decided(hosted):
    hosted.hold("brand-day", HOLD_ID, ttl=60)
    hosted.later(seconds=60)
    before = everything(hosted)
    with pytest.raises(NotWaiting) as refusal:
        decide(hosted)
    assert "过期" in refusal.value.message
    assert everything(hosted) == before


@pytest.mark.django_db(transaction=True)
def test_of_two_decisions_at_once_one_counts(hosted):
    hosted.hold("brand-day", HOLD_ID)
    outcomes = at_once(lambda: decide(hosted), lambda: decide(hosted, approve=False, reason=NO))
    assert [isinstance(outcome, NotWaiting) for outcome in outcomes].count(True) == 1
    assert HostedDecision.objects.count() == 1
    assert_books_balance()


# --- the queue ----------------------------------------------------------------------------------


def test_the_queue_shows_what_waits_by_its_clock(hosted):
    hosted.open("brand-day", "2026-11-11", 3)
    late = hosted.hold("brand-day", ttl=7200).hold_id
    hosted.later(minutes=-10)
    soon = hosted.hold("brand-day", HOLD_ID, ttl=7200, mandate=None, item=2).hold_id
    hosted.hold("banner")
    first, second = decisions_waiting(hosted.line, hosted.now)
    assert (first.hold_id, second.hold_id) == (soon, late)
    asked = NOON - timedelta(minutes=10)
    assert first == WaitingDecision(
        hold_id=HOLD_ID,
        service_code="brand-day",
        service_titles=TITLES,
        params={"day": "2026-11-11"},
        merchant_ref="M-1042",
        merchant_name="云栖女装",
        package_number="PK-2026-000017",
        item=2,
        mandate=None,
        quote=Money(500_000, "CNY"),
        asked_at=asked,
        due_at=asked + timedelta(hours=1),
        silence_consents_at=asked + timedelta(hours=1, minutes=10),
        expires_at=asked + timedelta(hours=2),
        quantity=1,
        slot=SlotState("2026-11-11", 3, 2, 2),
        schema=hosted.service("brand-day").schema,
    )
    assert first.slot.free == 1
    assert second.mandate == "MD-7"
    assert [waiting.hold_id for waiting in decisions_waiting(hosted.line, hosted.now, limit=1)] == [soon]


def test_what_is_decided_or_lapsed_no_longer_waits(hosted):
    hosted.open("brand-day", "2026-11-11", 3)
    hosted.hold("brand-day", HOLD_ID)
    hosted.hold("brand-day", ttl=60)
    decide(hosted)
    hosted.later(seconds=60)
    assert decisions_waiting(hosted.line, hosted.now) == []
    [slot] = inventory(hosted.service("brand-day"), hosted.now)
    assert (slot.taken, slot.free) == (1, 2)


def test_the_queue_costs_the_same_for_one_and_for_three(hosted, django_assert_num_queries):
    hosted.open("brand-day", "2026-11-11", 3)
    for waiting in (1, 2, 3):
        hosted.hold("brand-day", ttl=7200)
        with django_assert_num_queries(2):
            assert len(decisions_waiting(hosted.line, hosted.now)) == waiting


# --- services and capacity ----------------------------------------------------------------------


def test_a_hosted_line_answers_below_the_house(hosted, settings):
    assert hosted.line.base_url == f"{settings.BASE_URL}/lines/brand-promotions"
    assert hosted.line.kind == LineKind.HOSTED
    assert hosted.line.staff.get().user == hosted.otto


def test_publishing_replaces_what_is_offered_and_leaves_an_event(hosted):
    publish_services(actor=hosted.otto, line=hosted.line, services=[BANNER], now=NOON)
    offered = Service.objects.filter(line=hosted.line, active=True)
    assert [service.code for service in offered] == ["banner"]
    event = Event.objects.latest("pk")
    assert (event.kind, event.actor) == ("lines.manifest_read", f"user:{hosted.otto.pk}")
    assert event.payload["services"] == ["banner"]


def test_withdrawing_one_leaves_the_others(hosted):
    withdraw_service(actor=hosted.otto, service=hosted.service("banner"), now=NOON)
    offered = Service.objects.filter(line=hosted.line, active=True).order_by("code")
    assert [service.code for service in offered] == ["boxes", "brand-day", "flash-sale"]


def _with(name, **changes):
    field = BY_DAY_AND_PLACE["properties"][name] | changes
    return BY_DAY_AND_PLACE | {"properties": BY_DAY_AND_PLACE["properties"] | {name: field}}


@pytest.mark.parametrize(
    "schema",
    [
        BY_DAY | {"required": []},
        _with("place", type="number"),
        _with("boxes", minimum=0),
        _with("boxes", minimum="1"),
        _with("boxes", type="number"),
        _with("place", **{"x-quantity": True}),
        BY_DAY | {"type": "array"},
        BY_DAY | {"properties": {"day": {"type": "string", "pattern": "("}}, "required": []},
    ],
)
def test_a_schema_that_does_not_say_what_a_use_takes_is_refused(hosted, schema):
    before = list(Service.objects.values()), Event.objects.count()
    spec = ServiceSpec("banner", TITLES, schema, 900)
    with pytest.raises(BadInput):
        publish_service(actor=hosted.otto, line=hosted.line, service=spec, now=NOON)
    assert (list(Service.objects.values()), Event.objects.count()) == before


@pytest.mark.parametrize(
    "spec",
    [
        ServiceSpec("Banner", TITLES, BY_DAY, 900),
        ServiceSpec("banner", {"en": "Banner"}, BY_DAY, 900),
        ServiceSpec("banner", TITLES, BY_DAY, 0),
        ServiceSpec("banner", TITLES, BY_DAY | {"default": float("nan")}, 900),
    ],
)
def test_a_service_that_the_protocol_cannot_carry_is_refused(hosted, spec):
    with pytest.raises(BadInput):
        publish_services(actor=hosted.otto, line=hosted.line, services=[spec], now=NOON)
    assert Service.objects.filter(active=True).count() == 4


def test_strangers_and_remote_lines_publish_nothing_here(hosted):
    remote = register_line(
        actor=SYSTEM,
        slug="remote",
        titles=TITLES,
        kind=LineKind.REMOTE,
        base_url="https://remote.invalid",
        secret=new_secret(),
        lead=hosted.otto,
        now=NOON,
    )
    service = hosted.service("banner")
    before = everything(hosted)
    with pytest.raises(BadInput):
        publish_services(actor=hosted.otto, line=remote, services=[BANNER], now=NOON)
    stranger = make_lin(NOON)
    before = everything(hosted)
    with pytest.raises(NotYourLine):
        publish_services(actor=stranger, line=hosted.line, services=[], now=NOON)
    with pytest.raises(NotYourLine):
        set_capacity(actor=stranger, service=service, key="2026-11-11", capacity=9, now=NOON)
    assert everything(hosted) == before


def test_capacity_is_opened_and_changed_with_an_event_each(hosted):
    slot = hosted.open("banner", "2026-11-12", 3)
    assert (slot.capacity, slot.taken) == (3, 0)
    hosted.open("banner", "2026-11-12", 0)
    payloads = [
        event.payload for event in Event.objects.filter(kind="lines.capacity_set").order_by("-pk")[:2]
    ]
    about = {"line": "brand-promotions", "service": "banner", "slot": "2026-11-12"}
    assert payloads == [about | {"before": 3, "after": 0}, about | {"before": None, "after": 3}]


def test_capacity_is_not_set_below_what_is_taken(hosted):
    hosted.open("banner", "2026-11-11", 3)
    for _ in range(2):
        hosted.hold()
    before = everything(hosted)
    with pytest.raises(StillTaken):
        hosted.open("banner", "2026-11-11", 1)
    assert everything(hosted) == before
    hosted.open("banner", "2026-11-11", 2)
    hosted.later(days=1)
    assert hosted.open("banner", "2026-11-11", 0).taken == 0
    assert_books_balance()


@pytest.mark.parametrize(
    ("code", "key", "capacity"),
    [
        ("banner", "2026-11-31", 1),
        ("banner", "", 1),
        ("banner", "2026-11-11", -1),
        ("banner", "2026-11-11", 2**31),
        ("boxes", "2026-11-11", 1),
        ("boxes", "2026-11-11/a/b", 1),
        ("boxes", "杭州/2026-11-11", 1),
        ("boxes", "2026-11-11/a%b", 1),
        ("boxes", "2026-11-11/" + "x" * 120, 1),
    ],
)
def test_a_slot_that_nobody_could_ask_for_is_refused(hosted, code, key, capacity):
    before = list(HostedSlot.objects.values())
    with pytest.raises(BadInput):
        hosted.open(code, key, capacity)
    assert list(HostedSlot.objects.values()) == before


def test_a_numbered_slot_is_written_one_way(hosted):
    schema = {
        "type": "object",
        "properties": {"week": {"$ref": "#/$defs/week", "type": "integer", "x-slot": True}},
        "required": ["week"],
        "$defs": {"week": {"maximum": 53}},
    }
    spec = ServiceSpec("weekly", TITLES, schema, 900)
    publish_service(actor=hosted.otto, line=hosted.line, service=spec, now=NOON)
    hosted.open("weekly", "46", 1)
    for key in ("046", "54", "x", "4.0"):
        with pytest.raises(BadInput):
            hosted.open("weekly", key, 1)
    assert hosted.hold("weekly", params={"week": 46.0}).state is HoldState.HELD


# --- telling Guanjia ----------------------------------------------------------------------------


def test_the_webhook_is_sent_until_it_is_taken_signed_and_under_one_id(hosted, settings):
    hosted.hold("brand-day", HOLD_ID)
    view = decide(hosted)
    received = []

    async def hook(request):
        body = await request.read()
        message_id = verify_webhook(hosted.secret, request.headers, body, datetime.now(UTC))
        received.append((request.path, message_id, DecisionNotice.from_json(parse_body(body)).hold))
        return web.Response(status=503 if len(received) == 1 else 202)

    key = HostedDecision.objects.get().pk
    flow = DecisionFlow(NO_HTTP)
    [turn] = flow.settle([(key, ())], NOON)
    first, second = asyncio.run(_attempts(settings, turn.calls[0], hook, 2))
    assert [attempt.failure for attempt in (first, second)] == ["HTTP 503", None]
    assert received == [("/hooks/lines/brand-promotions", f"dec_{HOLD_ID.hex}", view)] * 2
    [turn] = flow.settle([(key, [first])], NOON)
    assert (turn.calls, turn.wake_at) == ((), NOON + timedelta(seconds=1))
    [turn] = flow.settle([(key, [second])], NOON)
    assert (turn.calls, turn.wake_at) == ((), None)
    decision = HostedDecision.objects.get()
    assert (decision.attempts, decision.told_at) == (2, NOON)
    [turn] = flow.settle([(key, ())], NOON)
    assert (turn.calls, turn.wake_at) == ((), None)


async def _attempts(settings, delivery, hook, count):
    app = web.Application()
    app.router.add_post("/{rest:.*}", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = delivery.url.replace(settings.BASE_URL, f"http://127.0.0.1:{runner.addresses[0][1]}")
    async with session() as http:
        attempts = [await DecisionFlow(http).perform(replace(delivery, url=url)) for _ in range(count)]
    await runner.cleanup()
    return attempts


def test_a_house_that_is_down_is_an_attempt_that_failed(hosted, settings):
    settings.BASE_URL = "http://127.0.0.1:9"
    hosted.hold("brand-day", HOLD_ID)
    decide(hosted)
    [turn] = DecisionFlow(NO_HTTP).settle([(HostedDecision.objects.get().pk, ())], NOON)

    async def attempt():
        async with session() as http:
            return await DecisionFlow(http).perform(turn.calls[0])

    assert asyncio.run(attempt()) == Attempt("ClientConnectorError")
    assert hosted.secret not in repr(turn)


def test_pauses_double_up_to_a_quarter_of_an_hour():
    seconds = [pause_after(attempts).total_seconds() for attempts in (1, 2, 3, 10, 11, 500)]
    assert seconds == [1, 2, 4, 512, 900, 900]


def test_after_three_days_the_poll_must_do(hosted):
    hosted.hold("brand-day", HOLD_ID)
    decide(hosted)
    key = HostedDecision.objects.get().pk
    flow = DecisionFlow(NO_HTTP)
    [turn] = flow.settle([(key, [Attempt("HTTP 500")])], NOON + GIVE_UP_AFTER)
    assert turn.wake_at == NOON + GIVE_UP_AFTER + timedelta(seconds=1)
    [turn] = flow.settle([(key, [Attempt("HTTP 500")])], NOON + GIVE_UP_AFTER + timedelta(seconds=1))
    assert turn.wake_at is None
    assert HostedDecision.objects.get().told_at is None
