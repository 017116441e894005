"""Who and what the demo marketplace starts with; running it again changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from guanjia.base.actors import SYSTEM
from guanjia.demo.cast import (
    make_lin,
    make_merchant,
    make_mira,
    make_otto,
    make_pool,
    make_wei,
    put_in_charge,
)
from guanjia.demo.market import Market, MarketLine
from guanjia.demo.plans import make_plans
from guanjia.demo.routines import lay_down_routines
from guanjia.lines.actions.hosted import publish_services, set_capacity
from guanjia.lines.actions.joining import read_manifest, register_line
from guanjia.lines.actions.mandates import grant_mandate
from guanjia.lines.client import LineEndpoint
from guanjia.lines.models import Line, LineKind, Mandate, MandatePeriod, Service
from guanjia.lines.models.line import Silence as SilenceChoice
from guanjia.lines.protocol.messages import DecisionRule, Money, Rule, ServiceSpec, Silence
from guanjia.lines.visit import visit
from guanjia.merchants.models import Member, MemberRole, Merchant
from guanjia.people.models import User

DAYS = [f"2026-11-{day:02}" for day in range(1, 31)]
HALL_CAPACITY = 3
SUPPLIES = 40


@dataclass(frozen=True, slots=True)
class Seeded:
    """The people and the merchant of the story."""

    owner: User
    manager: User
    specialist: User
    merchant: Merchant


def seed(market: Market, now: datetime, merchant: Merchant | None = None) -> Seeded:
    """People, lines, services, mandates; for an imported merchant its own manager, or Lin."""
    otto, wei = make_otto(), make_wei(now)
    pool = make_pool(wei)
    owner, lin = make_mira(), make_lin(now)
    if merchant is None:
        merchant = make_merchant("M-1042", "云栖女装", owner=owner, pool=pool, now=now)
    else:
        Member.objects.get_or_create(merchant=merchant, user=owner, defaults={"role": MemberRole.OWNER})
        _say_once(merchant)
    manager = put_in_charge(lin, merchant, now).person or lin
    for line in market.lines:
        _open(market, line, otto, now)
    _grant(otto, manager, now)
    lay_down_routines(wei, now)
    make_plans(now)
    return Seeded(owner, manager, otto, merchant)


def _say_once(merchant: Merchant) -> None:
    """What a form would ask for although the marketplace knows it."""
    merchant.facts = {"shop_name": merchant.name, **merchant.facts}
    merchant.save(update_fields=["facts"])


def _open(market: Market, line: MarketLine, lead: User, now: datetime) -> None:
    row = register_line(
        actor=SYSTEM,
        slug=line.slug,
        titles=line.titles,
        kind=LineKind.REMOTE if line.module else LineKind.HOSTED,
        base_url=line.base_url,
        secret=market.secrets[line.slug],
        lead=lead,
        now=now,
    )
    if line.module:
        manifest = visit(LineEndpoint(line.slug, line.base_url, market.secrets[line.slug]))
        read_manifest(actor=SYSTEM, line=row, manifest=manifest, now=now)
    else:
        _publish(row, lead, now)


def _publish(line: Line, lead: User, now: datetime) -> None:
    """The two hosted lines join with no code: services and inventory are entered."""
    spec, keys, capacity = _HOSTED[line.slug]
    publish_services(actor=lead, line=line, services=[spec], now=now)
    service = Service.objects.get(line=line, code=spec.code)
    for key in keys if not service.slots.exists() else ():
        set_capacity(actor=lead, service=service, key=key, capacity=capacity, now=now)


def _field(zh: str, en: str, **schema: object) -> dict[str, object]:
    return {**schema, "x-titles": {"zh-Hans": zh, "en": en}}


def _schema(properties: Mapping[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


_SESSION = ServiceSpec(
    code="session",
    titles={"zh-Hans": "团购场次", "en": "Group-buying session"},
    schema=_schema(
        {
            "day": _field("日期", "Day", type="string", format="date", **{"x-slot": True}),
            "product": _field("商品", "Product", type="string", minLength=2, maxLength=80),
        }
    ),
    hold_ttl_seconds=900,
    price=Money(50_000, "CNY"),
    decision=DecisionRule(Rule.BEYOND_MANDATE, 4 * 3600, 3600, Silence.CONSENT),
)
_SUPPLY = ServiceSpec(
    code="supply",
    titles={"zh-Hans": "批发货源", "en": "Wholesale supply"},
    schema=_schema(
        {
            "category": _field(
                "类目", "Category", type="string", enum=["apparel", "kitchen", "toys"], **{"x-slot": True}
            ),
            "lots": _field("批数", "Lots", type="integer", minimum=1, maximum=10, **{"x-quantity": True}),
        }
    ),
    hold_ttl_seconds=900,
    decision=DecisionRule(Rule.NEVER),
)
_HOSTED: Mapping[str, tuple[ServiceSpec, list[str], int]] = {
    "group-buying": (_SESSION, DAYS, HALL_CAPACITY),
    "wholesale": (_SUPPLY, ["apparel", "kitchen", "toys"], SUPPLIES),
}

_MANDATES = (
    # line, amount per use, per month, uses per month (fen): a group-buying session is always beyond
    ("display-slots", 150_000, 600_000, 10),
    ("brand-promotions", 100_000, 300_000, 5),
    ("group-buying", 20_000, 40_000, 5),
)


def _grant(specialist: User, manager: User, now: datetime) -> None:
    for slug, per_use, per_month, uses in _MANDATES:
        line = Line.objects.get(slug=slug)
        if not Mandate.objects.filter(line=line, person=manager, revoked_at=None).exists():
            grant_mandate(
                actor=specialist,
                line=line,
                service=None,
                holder=manager,
                amount_per_use=per_use,
                amount_per_period=per_month,
                uses_per_period=uses,
                period=MandatePeriod.MONTH,
                silence=SilenceChoice.CONSENT,
                now=now,
            )
