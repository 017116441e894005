"""A hosted line behind its HTTP door, a client that signs, and a clock to move."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db.models import Q, Sum
from django.test import Client

from guanjia.base.actors import SYSTEM
from guanjia.base.seal import unseal
from guanjia.demo.cast import make_otto
from guanjia.lines.actions.hosted import open_hosted_line, publish_services, set_capacity
from guanjia.lines.models import HostedHold, HostedSlot, Service
from guanjia.lines.protocol.messages import (
    Authority,
    DecisionRule,
    HoldRequest,
    HoldView,
    Money,
    Rule,
    ServiceSpec,
    Silence,
)
from guanjia.lines.protocol.signing import request_headers
from guanjia.lines.protocol.wire import dump_body, parse_body
from guanjia.lines.tests.doors import NOON

HOLD_ID = UUID("0b9f2f6a-6f0e-4c84-9d5a-0a4f0b1c2d3e")
TITLES = {"zh-Hans": "品牌活动", "en": "Brand promotions"}
DAY = {"type": "string", "format": "date", "x-slot": True}
BY_DAY = {"type": "object", "properties": {"day": DAY}, "required": ["day"], "additionalProperties": False}
BY_DAY_AND_PLACE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "place": {"type": "string", "x-slot": True},
        "day": DAY,
        "boxes": {"type": "integer", "minimum": 1, "x-quantity": True},
    },
    "required": ["day", "place"],
}
BY_HAND = DecisionRule(Rule.ALWAYS, 3600, 600, Silence.CONSENT)
BEYOND = DecisionRule(Rule.BEYOND_MANDATE, 3600, 600, Silence.REFUSAL)
BANNER = ServiceSpec("banner", TITLES, BY_DAY, 900, Money(120_000, "CNY"))
BOXES = ServiceSpec("boxes", TITLES, BY_DAY_AND_PLACE, 900)
BRAND_DAY = ServiceSpec("brand-day", TITLES, BY_DAY, 7200, Money(500_000, "CNY"), BY_HAND)
FLASH_SALE = ServiceSpec("flash-sale", TITLES, BY_DAY, 7200, None, BEYOND)
SERVICES = (BANNER, BOXES, BRAND_DAY, FLASH_SALE)

ACCEPTED = {"authority": {"kind": "accepted"}}
BYE = {"reason": "package released"}


class HostedLine:
    """Otto's line; each service has one unit on the eleventh, where it is bound to a day alone."""

    def __init__(self, slug="brand-promotions"):
        self.now = NOON
        self.otto = make_otto()
        self.line = open_hosted_line(actor=SYSTEM, slug=slug, titles=TITLES, lead=self.otto, now=NOON)
        self.secret = unseal(self.line.sealed_secret)
        publish_services(actor=self.otto, line=self.line, services=SERVICES, now=NOON)
        for code in ("banner", "brand-day", "flash-sale"):
            self.open(code, "2026-11-11", 1)

    def service(self, code):
        return Service.objects.select_related("line").get(line=self.line, code=code)

    def open(self, code, key, capacity):
        return set_capacity(
            actor=self.otto, service=self.service(code), key=key, capacity=capacity, now=self.now
        )

    def later(self, **passed):
        self.now += timedelta(**passed)

    def send(self, method, target, body=b"", headers=None):
        """One signed call over HTTP; the response of Django's client."""
        body = body if isinstance(body, bytes) else dump_body(body)
        signed = request_headers(self.secret, method, target, body, self.now, "req_1") | (headers or {})
        # Django's client would raise another thread's exception too: the signal it listens to is global.
        return Client(raise_request_exception=False).generic(
            method, f"/lines/{self.line.slug}{target}", body, "application/json", headers=signed
        )

    def ask(self, method, target, body=b""):
        """A call that is answered with a hold."""
        answer = self.send(method, target, body)
        assert (answer.status_code, answer["content-type"]) == (200, "application/json")
        return HoldView.from_json(parse_body(answer.content))

    def hold(self, service="banner", hold_id=None, **changes):
        return self.ask("POST", "/holds", make_hold(service, hold_id or uuid4(), **changes))

    def confirm(self, hold_id, body=ACCEPTED):
        return self.send("POST", f"/holds/{hold_id}/confirm", body)

    def release(self, hold_id):
        return self.send("POST", f"/holds/{hold_id}/release", BYE)

    def taken(self, code="banner", key="2026-11-11"):
        return HostedSlot.objects.get(service__line=self.line, service__code=code, key=key).taken

    def state(self):
        """Everything a call could change."""
        holds = HostedHold.objects.filter(line=self.line).order_by("hold_id")
        slots = HostedSlot.objects.filter(service__line=self.line).order_by("pk")
        return list(holds.values()), list(slots.values())


def make_hold(service, hold_id, params=None, mandate="MD-7", ttl=900, ref="M-1042", item=1):
    return HoldRequest(
        hold_id=hold_id,
        service=service,
        params={"day": "2026-11-11"} if params is None else params,
        merchant_ref=ref,
        merchant_name="云栖女装",
        package_number="PK-2026-000017",
        item=item,
        ttl_seconds=ttl,
        authority_kind=Authority.MANDATE if mandate else Authority.NONE,
        mandate=mandate,
    ).to_json()


def assert_books_balance():
    """What each slot counts as taken is what its holds took and did not give back."""
    kept = Sum("holds__quantity", filter=Q(holds__state__in=["held", "pending", "confirmed"]), default=0)
    for slot in HostedSlot.objects.annotate(kept=kept):
        assert slot.taken == slot.kept <= slot.capacity
