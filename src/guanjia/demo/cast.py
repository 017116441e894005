"""The named cast that tests and the demo share: who they are, and how to make them.

Mira and Mo own two merchants; Lin is Mira's account manager, Wei leads the service people and with them
the pool that answers for Mo; Otto is the specialist of a business line; Yan is the integrity officer.
Every `make_*` can be called again: it finds what it made before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from guanjia.base.actors import SYSTEM
from guanjia.coverage.models import Responsibility, ResponsibilityRole
from guanjia.lines.actions.joining import read_manifest, register_line
from guanjia.lines.models import Line, LineKind
from guanjia.lines.protocol.messages import DecisionRule, Manifest, Money, Rule, ServiceSpec, Silence
from guanjia.merchants.models import Member, MemberRole, Merchant
from guanjia.people.actions import grant_role
from guanjia.people.models import Pool, Role, User

LINE_SECRET = "whsec_Z3VhbmppYS1jYXN0LWxpbmUtc2VjcmV0LTAwMDE="  # noqa: S105 - of an imaginary line

HOUR = 3600

DISPLAY_SLOTS = Manifest(
    line="display-slots",
    titles={"zh-Hans": "展位", "en": "Display slots"},
    services=(
        ServiceSpec(
            code="home-banner",
            titles={"zh-Hans": "首页展示位", "en": "Home page banner"},
            schema={
                "type": "object",
                "properties": {
                    "day": {
                        "type": "string",
                        "format": "date",
                        "x-titles": {"zh-Hans": "日期", "en": "Day"},
                    },
                    "shop": {
                        "type": "string",
                        "maxLength": 60,
                        "x-fact": "shop_name",
                        "x-titles": {"zh-Hans": "店铺名", "en": "Shop name"},
                    },
                },
                "required": ["day", "shop"],
                "additionalProperties": False,
            },
            hold_ttl_seconds=900,
            price=Money(120_000, "CNY"),
            decision=DecisionRule(Rule.BEYOND_MANDATE, 4 * HOUR, HOUR, Silence.CONSENT),
        ),
    ),
)
WAREHOUSING = Manifest(
    line="warehousing",
    titles={"zh-Hans": "仓配", "en": "Warehousing"},
    services=(
        ServiceSpec(
            code="storage-space",
            titles={"zh-Hans": "分仓备货", "en": "Storage space"},
            schema={
                "type": "object",
                "properties": {
                    "boxes": {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": 500,
                        "x-titles": {"zh-Hans": "箱数", "en": "Boxes"},
                    },
                },
                "required": ["boxes"],
                "additionalProperties": False,
            },
            hold_ttl_seconds=900,
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Cast:
    """Everyone at once. `mira` and `mo` are the owners; `mira_shop` and `mo_shop` their merchants."""

    mira: User
    mo: User
    lin: User
    otto: User
    wei: User
    yan: User
    pool: Pool
    mira_shop: Merchant
    mo_shop: Merchant
    display: Line
    warehousing: Line


def make_cast(now: datetime) -> Cast:
    wei, otto = make_wei(now), make_otto()
    pool = make_pool(wei)
    mira, mo, lin = make_mira(), make_mo(), make_lin(now)
    mira_shop = make_merchant("M-1042", "云栖女装", owner=mira, pool=pool, now=now)
    put_in_charge(lin, mira_shop, now)
    return Cast(
        mira=mira,
        mo=mo,
        lin=lin,
        otto=otto,
        wei=wei,
        yan=make_yan(now),
        pool=pool,
        mira_shop=mira_shop,
        mo_shop=make_merchant("M-2077", "墨白文具", owner=mo, pool=pool, now=now),
        display=make_line(DISPLAY_SLOTS, lead=otto, now=now),
        warehousing=make_line(WAREHOUSING, lead=otto, now=now),
    )


def make_user(username: str, name: str) -> User:
    user, _new = User.objects.get_or_create(username=username, defaults={"name": name})
    return user


def make_mira() -> User:
    return make_user("mira", "米拉 Mira")


def make_mo() -> User:
    return make_user("mo", "莫白 Mo")


def make_lin(now: datetime) -> User:
    """The account manager who answers for Mira's merchant."""
    return _with_role(make_user("lin", "林晓 Lin"), Role.ACCOUNT_MANAGER, now)


def make_otto() -> User:
    """The line specialist; `make_line` makes him one by naming him as its lead."""
    return make_user("otto", "欧拓 Otto")


def make_wei(now: datetime) -> User:
    """The service lead."""
    return _with_role(make_user("wei", "魏岚 Wei"), Role.SERVICE_LEAD, now)


def make_yan(now: datetime) -> User:
    """The integrity officer."""
    return _with_role(make_user("yan", "严明 Yan"), Role.INTEGRITY_OFFICER, now)


def _with_role(user: User, role: Role, now: datetime) -> User:
    grant_role(actor=SYSTEM, user=user, role=role, now=now)
    return user


def make_pool(lead: User, code: str = "home", name: str = "共享池") -> Pool:
    pool, _new = Pool.objects.get_or_create(code=code, defaults={"name": name, "lead": lead})
    return pool


def make_merchant(
    ref: str,
    name: str,
    *,
    owner: User,
    pool: Pool,
    now: datetime,
    facts: Mapping[str, object] | None = None,
) -> Merchant:
    """A merchant with one member, its owner; the shop's name is a known fact unless others are given."""
    known = {"shop_name": name} if facts is None else dict(facts)
    defaults = {"name": name, "home_pool": pool, "facts": known, "created_at": now}
    merchant, _new = Merchant.objects.get_or_create(ref=ref, defaults=defaults)
    Member.objects.get_or_create(merchant=merchant, user=owner, defaults={"role": MemberRole.OWNER})
    return merchant


def put_in_charge(manager: User, merchant: Merchant, now: datetime) -> Responsibility:
    """From now on this person is the merchant's account manager, unless somebody already is."""
    responsibility, _new = Responsibility.objects.get_or_create(
        merchant=merchant,
        role=ResponsibilityRole.ACCOUNT_MANAGER,
        during__contains=now,
        defaults={"person": manager, "during": (now, None), "reason": "cast"},
    )
    return responsibility


def make_line(
    manifest: Manifest,
    *,
    lead: User,
    now: datetime,
    kind: LineKind = LineKind.REMOTE,
    base_url: str = "",
    secret: str = LINE_SECRET,
) -> Line:
    """A registered line that offers what the manifest says. Without an address nobody answers there."""
    line = register_line(
        actor=SYSTEM,
        slug=manifest.line,
        titles=manifest.titles,
        kind=kind,
        base_url=base_url or f"https://{manifest.line}.invalid",
        secret=secret,
        lead=lead,
        now=now,
    )
    read_manifest(actor=SYSTEM, line=line, manifest=manifest, now=now)
    return line
