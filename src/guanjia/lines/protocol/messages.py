"""The messages of LP/1 as frozen dataclasses, each with a strict reader and a writer.

`from_json` takes what `wire.parse_body` returns and raises ProtocolError `malformed`, naming the
bad member by its JSON Pointer; `to_json` gives plain values ready for `wire.dump_body`.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self
from uuid import UUID

from guanjia.lines.protocol.wire import (
    MAX_INTEGER,
    Members,
    format_instant,
)

PROTOCOL: Final = "LP/1"
MANIFEST_PATH: Final = "/.well-known/guanjia-line"

Texts = dict[str, str]
"""A text for people by language tag, at least `zh-Hans` and `en` (2.5)."""

_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_MAX_LINE_SLUG = 40
_MAX_SERVICE_CODE = 60
_REASON_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_MAX_SERVICES = 500
_YEAR_SECONDS = 366 * 86_400


class HoldState(StrEnum):
    """Where a hold stands (4.2)."""

    HELD = "held"
    PENDING = "pending"
    REFUSED = "refused"
    CONFIRMED = "confirmed"
    RELEASED = "released"
    LAPSED = "lapsed"


class Authority(StrEnum):
    """By what right Guanjia holds: a mandate covers the use, or nothing does yet (4.2)."""

    MANDATE = "mandate"
    NONE = "none"


class ConfirmAuthority(StrEnum):
    """By what right Guanjia confirms: the line accepted, or its silence counts (4.4)."""

    ACCEPTED = "accepted"
    SILENCE = "silence"


class Rule(StrEnum):
    """When a person of the line decides (4.1.3)."""

    NEVER = "never"
    BEYOND_MANDATE = "beyond_mandate"
    ALWAYS = "always"


class Silence(StrEnum):
    """What it means when nobody decides in time (4.1.3)."""

    CONSENT = "consent"
    REFUSAL = "refusal"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in integer minor units (fen, cents) of an ISO 4217 currency (2.3)."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        """ValueError for what the wire would refuse, so that a line cannot quote a float."""
        if type(self.amount) is not int or not 0 <= self.amount <= MAX_INTEGER:
            raise ValueError("an amount is an integer of minor units, not negative")
        if not _CURRENCY.fullmatch(self.currency):
            raise ValueError("a currency is an ISO 4217 code")

    @classmethod
    def from_json(cls, data: Members) -> Self:
        return cls(
            amount=data.integer("amount", 0, MAX_INTEGER),
            currency=data.match("currency", _CURRENCY),
        )

    def to_json(self) -> dict[str, Any]:
        return {"amount": self.amount, "currency": self.currency}


def _money(data: Members, name: str) -> Money | None:
    return None if data.is_null(name) else Money.from_json(data.child(name))


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a hold is refused: a stable code and a text for people."""

    code: str
    message: Texts

    def __post_init__(self) -> None:
        """ValueError for what the wire would refuse."""
        if not _REASON_CODE.fullmatch(self.code):
            raise ValueError("a reason code is lower-case letters, digits and underscores")
        if not {"zh-Hans", "en"} <= self.message.keys():
            raise ValueError("a reason needs a message in zh-Hans and en at least")

    @classmethod
    def from_json(cls, data: Members) -> Self:
        return cls(code=data.match("code", _REASON_CODE), message=data.texts("message"))

    def to_json(self) -> dict[str, Any]:
        return {"code": self.code, "message": dict(self.message)}


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """When a person decides, within what time, and what silence means (4.1.3). Seconds."""

    rule: Rule
    within_seconds: int = 0
    grace_seconds: int = 0
    silence: Silence = Silence.REFUSAL

    @classmethod
    def from_json(cls, data: Members) -> Self:
        rule = data.choice("rule", Rule)
        if rule is Rule.NEVER:  # the other members would say nothing
            return cls(rule)
        return cls(
            rule,
            within_seconds=data.integer("within_seconds", 1, _YEAR_SECONDS),
            grace_seconds=data.integer("grace_seconds", 0, _YEAR_SECONDS),
            silence=data.choice("silence", Silence),
        )

    def to_json(self) -> dict[str, Any]:
        if self.rule is Rule.NEVER:
            return {"rule": self.rule.value}
        return {
            "rule": self.rule.value,
            "within_seconds": self.within_seconds,
            "grace_seconds": self.grace_seconds,
            "silence": self.silence.value,
        }


NEVER_DECIDES: Final = DecisionRule(Rule.NEVER)


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One service of a manifest (4.1). `schema` is JSON Schema 2020-12 of an object."""

    code: str
    titles: Texts
    schema: Mapping[str, Any]
    hold_ttl_seconds: int
    price: Money | None = None
    decision: DecisionRule = NEVER_DECIDES

    @classmethod
    def from_json(cls, data: Members) -> Self:
        return cls(
            code=data.match("code", _SLUG, _MAX_SERVICE_CODE),
            titles=data.texts("titles"),
            schema=data.mapping("schema"),
            hold_ttl_seconds=data.ttl("hold_ttl_seconds"),
            price=_money(data, "price"),
            decision=DecisionRule.from_json(data.child("decision")),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "titles": dict(self.titles),
            "schema": dict(self.schema),
            "hold_ttl_seconds": self.hold_ttl_seconds,
            "price": self.price and self.price.to_json(),
            "decision": self.decision.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a line offers (4.1). `line` is its slug; service codes are unique."""

    line: str
    titles: Texts
    services: tuple[ServiceSpec, ...]

    @classmethod
    def from_json(cls, data: Members) -> Self:
        if data.text("protocol") != PROTOCOL:
            raise data.error("protocol", f"not {PROTOCOL}")
        services = tuple(map(ServiceSpec.from_json, data.children("services", _MAX_SERVICES)))
        if len({service.code for service in services}) < len(services):
            raise data.error("services", "has the same code twice")
        return cls(
            line=data.match("line", _SLUG, _MAX_LINE_SLUG),
            titles=data.texts("titles"),
            services=services,
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "protocol": PROTOCOL,
            "line": self.line,
            "titles": dict(self.titles),
            "services": [service.to_json() for service in self.services],
        }


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """`POST /holds` (4.2). `package_number` and `item` say what the hold is for."""

    hold_id: UUID
    service: str
    params: Mapping[str, Any]
    merchant_ref: str
    merchant_name: str
    package_number: str
    item: int
    ttl_seconds: int
    authority_kind: Authority = Authority.NONE
    mandate: str | None = None

    @classmethod
    def from_json(cls, data: Members) -> Self:
        merchant, package = data.child("merchant"), data.child("package")
        authority = data.child("authority")
        kind = authority.choice("kind", Authority)
        return cls(
            hold_id=data.hold_id("hold_id"),
            service=data.text("service", 200),
            params=data.mapping("params"),
            merchant_ref=merchant.text("ref", 100),
            merchant_name=merchant.text("name", 300),
            package_number=package.text("number", 100),
            item=package.integer("item", 0, 2**31 - 1),
            ttl_seconds=data.ttl("ttl_seconds"),
            authority_kind=kind,
            mandate=authority.text("mandate", 100) if kind is Authority.MANDATE else None,
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "hold_id": str(self.hold_id),
            "service": self.service,
            "params": dict(self.params),
            "merchant": {"ref": self.merchant_ref, "name": self.merchant_name},
            "package": {"number": self.package_number, "item": self.item},
            "authority": {"kind": self.authority_kind.value, "mandate": self.mandate},
            "ttl_seconds": self.ttl_seconds,
        }

    def digest(self) -> str:
        """SHA-256, in hex, over the canonical JSON of what is asked for (4.3.2).

        The merchant's display name and the wished-for time to live are left out: a retry after
        either changed is still the same hold.
        """
        content = [
            self.service,
            self.params,
            self.merchant_ref,
            self.package_number,
            self.item,
            self.authority_kind,
            self.mandate,
        ]
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ConfirmRequest:
    """`POST /holds/{hold_id}/confirm` (4.4)."""

    authority_kind: ConfirmAuthority = ConfirmAuthority.ACCEPTED

    @classmethod
    def from_json(cls, data: Members) -> Self:
        return cls(data.child("authority").choice("kind", ConfirmAuthority))

    def to_json(self) -> dict[str, Any]:
        return {"authority": {"kind": self.authority_kind.value}}


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """`POST /holds/{hold_id}/release` (4.5). `reason` is for the line's people, may be empty."""

    reason: str = ""

    @classmethod
    def from_json(cls, data: Members) -> Self:
        return cls(data.text("reason", empty=True))

    def to_json(self) -> dict[str, Any]:
        return {"reason": self.reason}


@dataclass(frozen=True, slots=True)
class RenewRequest:
    """`POST /holds/{hold_id}/renew` (4.6)."""

    ttl_seconds: int

    @classmethod
    def from_json(cls, data: Members) -> Self:
        return cls(data.ttl("ttl_seconds"))

    def to_json(self) -> dict[str, Any]:
        return {"ttl_seconds": self.ttl_seconds}


@dataclass(frozen=True, slots=True)
class HoldView:
    """The hold object every hold call answers with (4.2)."""

    hold_id: UUID
    state: HoldState
    expires_at: datetime | None = None
    quote: Money | None = None
    decision_due_at: datetime | None = None
    reason: Reason | None = None
    reference: str | None = None

    @classmethod
    def from_json(cls, data: Members) -> Self:
        state = data.choice("state", HoldState)
        if state in (HoldState.HELD, HoldState.PENDING) and data.is_null("expires_at"):
            raise data.error("expires_at", f"missing on a {state} hold")
        if state is HoldState.PENDING and data.is_null("decision_due_at"):
            raise data.error("decision_due_at", "missing on a pending hold")
        if state is HoldState.REFUSED and data.is_null("reason"):
            raise data.error("reason", "missing on a refused hold")
        return cls(
            hold_id=data.hold_id("hold_id"),
            state=state,
            expires_at=data.optional("expires_at", data.instant),
            quote=_money(data, "quote"),
            decision_due_at=data.optional("decision_due_at", data.instant),
            reason=None if data.is_null("reason") else Reason.from_json(data.child("reason")),
            reference=data.optional("reference", lambda name: data.text(name, 200, empty=True)),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "hold_id": str(self.hold_id),
            "state": self.state.value,
            "expires_at": self.expires_at and format_instant(self.expires_at),
            "quote": self.quote and self.quote.to_json(),
            "decision_due_at": self.decision_due_at and format_instant(self.decision_due_at),
            "reason": self.reason and self.reason.to_json(),
            "reference": self.reference,
        }


@dataclass(frozen=True, slots=True)
class DecisionNotice:
    """The webhook a line sends when a person decided a pending hold (5.1)."""

    line: str
    timestamp: datetime
    hold: HoldView

    @classmethod
    def from_json(cls, data: Members) -> Self:
        if data.text("type") != "hold.decided":
            raise data.error("type", "not hold.decided")
        inner = data.child("data")
        return cls(
            line=inner.match("line", _SLUG),
            timestamp=data.instant("timestamp"),
            hold=HoldView.from_json(inner.child("hold")),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "type": "hold.decided",
            "timestamp": format_instant(self.timestamp),
            "data": {"line": self.line, "hold": self.hold.to_json()},
        }
