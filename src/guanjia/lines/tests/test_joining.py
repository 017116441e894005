"""A line joins the house, moves, and publishes."""

import json
from typing import Any

import pytest

from guanjia.base.actors import SYSTEM
from guanjia.base.errors import BadInput
from guanjia.demo.cast import make_lin, make_otto
from guanjia.ledger.models import Event
from guanjia.lines.actions.joining import read_manifest, register_line
from guanjia.lines.client import LineEndpoint
from guanjia.lines.models import Line, LineKind, LineStaff, Service
from guanjia.lines.protocol.messages import DecisionRule, Manifest, Money, Rule, ServiceSpec, Silence
from guanjia.lines.queries import endpoint_of, endpoints, services_by_code
from guanjia.lines.tests.doors import NOON

pytestmark = pytest.mark.django_db

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_Z3VhbmppYS1hbm90aGVyLWxpbmUtc2VjcmV0"
TITLES = {"zh-Hans": "展位", "en": "Display slots"}
PLAIN = {"type": "object"}
BANNER = ServiceSpec(
    "banner", TITLES, PLAIN, 900, Money(120_000, "CNY"), DecisionRule(Rule.ALWAYS, 600, 60, Silence.CONSENT)
)
FREE = ServiceSpec("free", TITLES, PLAIN, 60)


def register(**changes):
    about: dict[str, Any] = {
        "actor": SYSTEM,
        "slug": "display-slots",
        "titles": TITLES,
        "kind": LineKind.REMOTE,
        "base_url": "https://display.invalid/lp/",
        "secret": SECRET,
        "lead": make_otto(),
        "now": NOON,
    }
    return register_line(**about | changes)


def publish(line, *services, titles=TITLES):
    read_manifest(actor=SYSTEM, line=line, manifest=Manifest(line.slug, titles, services), now=NOON)


def everything():
    return [list(model.objects.order_by("pk").values()) for model in (Line, LineStaff, Service, Event)]


def test_a_registered_line_can_be_called_and_has_a_specialist():
    line = register()
    assert endpoint_of(line) == LineEndpoint("display-slots", "https://display.invalid/lp", SECRET)
    assert endpoints([line.pk]) == {line.pk: endpoint_of(line)}
    assert line.staff.get().user == line.lead == make_otto()
    event = Event.objects.get()
    assert (event.kind, event.subject) == ("lines.registered", "line:display-slots")
    assert event.payload == {"line": "display-slots", "line_kind": "remote"}


def test_the_secret_is_kept_sealed_and_out_of_the_log():
    line = register()
    assert SECRET.encode() not in bytes(Line.objects.get(pk=line.pk).sealed_secret)
    assert SECRET not in json.dumps([event.payload for event in Event.objects.all()])
    assert SECRET not in repr(endpoint_of(line))


def test_registering_again_moves_the_line_and_keeps_its_services():
    publish(register(), BANNER)
    lin = make_lin(NOON)
    moved = register(base_url="https://elsewhere.invalid", secret=OTHER_SECRET, lead=lin)
    assert Line.objects.get() == moved
    assert endpoint_of(moved) == LineEndpoint("display-slots", "https://elsewhere.invalid", OTHER_SECRET)
    assert {staff.user for staff in moved.staff.all()} == {make_otto(), lin}
    assert moved.services.get().code == "banner"


@pytest.mark.parametrize(
    "wrong",
    [
        {"slug": "Display"},
        {"slug": "display_slots"},
        {"slug": "x" * 41},
        {"slug": ""},
        {"titles": {"en": "Display"}},
        {"titles": {"zh-Hans": "", "en": "x"}},
        {"secret": "whsec_short"},
        {"secret": "plain text of sufficient length"},
    ],
)
def test_what_the_protocol_does_not_allow_is_refused(wrong):
    make_otto()
    before = everything()
    with pytest.raises(BadInput):
        register(**wrong)
    assert everything() == before


def test_a_manifest_becomes_services():
    line = register()
    publish(line, BANNER, FREE)
    banner, free = Service.objects.order_by("code")
    assert (banner.price_amount, banner.currency, banner.hold_ttl_seconds) == (120_000, "CNY", 900)
    assert (banner.decision_rule, banner.silence) == ("always", "consent")
    assert (banner.decision_within_seconds, banner.decision_grace_seconds) == (600, 60)
    assert (free.price_amount, free.decision_rule) == (None, "never")
    line.refresh_from_db()
    assert line.checked_at == NOON
    event = Event.objects.latest("pk")
    assert (event.kind, event.payload["services"]) == ("lines.manifest_read", ["banner", "free"])
    assert len(event.payload["digest"]) == 64


def test_what_is_no_longer_named_is_no_longer_offered_and_can_come_back():
    line = register()
    publish(line, BANNER, FREE)
    publish(line, FREE)
    asked = {("display-slots", "banner"), ("display-slots", "free")}
    assert services_by_code(asked).keys() == {("display-slots", "free")}
    publish(line, BANNER, FREE)
    assert services_by_code(asked).keys() == asked
    assert Service.objects.count() == 2


def test_services_of_an_inactive_line_are_not_offered():
    line = register()
    publish(line, BANNER)
    Line.objects.update(active=False)
    assert services_by_code({("display-slots", "banner")}) == {}
    assert services_by_code([]) == {}
    assert register().active


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array"},
        {},
        {"type": "object", "properties": {"x": {"type": "strin"}}},
        {"type": "object", "properties": {"x": {"pattern": "("}}},
        {"type": "object", "properties": {"x": {"$ref": "https://elsewhere.invalid/schema"}}},
        {"type": "object", "default": float("nan")},
    ],
)
def test_a_manifest_whose_parameters_could_not_be_checked_is_refused_whole(schema):
    line = register()
    publish(line, BANNER)
    before = everything()
    with pytest.raises(BadInput):
        publish(line, FREE, ServiceSpec("broken", TITLES, schema, 900))
    assert everything() == before


def test_two_services_of_one_code_are_refused():
    line = register()
    before = everything()
    with pytest.raises(BadInput):
        publish(line, FREE, FREE)
    assert everything() == before
