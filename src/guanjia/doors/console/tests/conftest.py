"""A hosted line of Otto's by the real clock, on which merchants wait for him."""

from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.utils import timezone

from guanjia.base.actors import SYSTEM
from guanjia.demo.cast import make_cast
from guanjia.lines.actions.hosted import open_hosted_line, publish_services, set_capacities
from guanjia.lines.hosted.business import holds_of
from guanjia.lines.models import Service
from guanjia.lines.protocol.messages import (
    Authority,
    DecisionRule,
    HoldRequest,
    Money,
    Rule,
    ServiceSpec,
    Silence,
)

DAY = {"type": "string", "format": "date", "x-slot": True, "x-titles": {"zh-Hans": "日期", "en": "Day"}}
PRODUCT = {"type": "string", "maxLength": 80, "x-titles": {"zh-Hans": "商品", "en": "Product"}}
SESSION = ServiceSpec(
    code="session",
    titles={"zh-Hans": "团购场次", "en": "Group-buying session"},
    schema={
        "type": "object",
        "properties": {"day": DAY, "product": PRODUCT},
        "required": ["day", "product"],
        "additionalProperties": False,
    },
    hold_ttl_seconds=24 * 3600,
    price=Money(50_000, "CNY"),
    decision=DecisionRule(Rule.ALWAYS, 4 * 3600, 3600, Silence.CONSENT),
)
DAYS = {"2027-01-01": 5, "2027-01-02": 5}


@pytest.fixture
def house(db):
    """`cast`, the `line`, its `service`, `now`, and `ask(merchant, …)` for a hold that waits."""
    now = timezone.now()
    cast = make_cast(now)
    titles = {"zh-Hans": "团购", "en": "Group buying"}
    line = open_hosted_line(actor=SYSTEM, slug="group-buying", titles=titles, lead=cast.otto, now=now)
    publish_services(actor=cast.otto, line=line, services=[SESSION], now=now)
    service = Service.objects.select_related("line").get(line=line, code="session")
    set_capacities(actor=cast.otto, service=service, capacities=DAYS, now=now)

    def ask(merchant=cast.mira_shop, *, ago=timedelta(), day="2027-01-01"):
        request = HoldRequest(
            hold_id=uuid4(),
            service="session",
            params={"day": day, "product": "羊绒围巾"},
            merchant_ref=merchant.ref,
            merchant_name=merchant.name,
            package_number="PK-2026-000017",
            item=1,
            ttl_seconds=24 * 3600,
            authority_kind=Authority.NONE,
            mandate=None,
        )
        holds_of(line, lambda: now - ago).hold(request)
        return request.hold_id

    return SimpleNamespace(cast=cast, line=line, service=service, now=now, ask=ask)


@pytest.fixture
def otto(house, client):
    client.force_login(house.cast.otto)
    return client
