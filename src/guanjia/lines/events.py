from dataclasses import dataclass
from typing import ClassVar

from guanjia.ledger.actions import Payload


@dataclass(frozen=True)
class LineRegistered(Payload):
    kind: ClassVar[str] = "lines.registered"
    line: str
    line_kind: str


@dataclass(frozen=True)
class ManifestRead(Payload):
    kind: ClassVar[str] = "lines.manifest_read"
    line: str
    services: list[str]
    digest: str


@dataclass(frozen=True)
class MandateGranted(Payload):
    kind: ClassVar[str] = "lines.mandate_granted"
    mandate: int
    line: str
    service: str | None
    holder: str
    amount_per_use: int
    amount_per_period: int
    uses_per_period: int
    period: str
    silence: str
    until: str | None


@dataclass(frozen=True)
class MandateRevoked(Payload):
    kind: ClassVar[str] = "lines.mandate_revoked"
    mandate: int


@dataclass(frozen=True)
class MandateUsed(Payload):
    kind: ClassVar[str] = "lines.mandate_used"
    mandate: int
    item: str
    amount: int


@dataclass(frozen=True)
class MandateUseReturned(Payload):
    kind: ClassVar[str] = "lines.mandate_use_returned"
    mandate: int
    item: str
    amount: int


@dataclass(frozen=True)
class CapacitySet(Payload):
    kind: ClassVar[str] = "lines.capacity_set"
    line: str
    service: str
    slot: str
    before: int | None
    after: int


@dataclass(frozen=True)
class HoldDecided(Payload):
    kind: ClassVar[str] = "lines.hold_decided"
    line: str
    hold: str
    package: str
    item: int
    approved: bool
    quote: int | None


@dataclass(frozen=True)
class ConformanceAsked(Payload):
    kind: ClassVar[str] = "lines.conformance_asked"
    line: str
    run: int
    may_confirm: bool


@dataclass(frozen=True)
class ConformanceFinished(Payload):
    kind: ClassVar[str] = "lines.conformance_finished"
    line: str
    run: int
    passed: bool | None
    broken: list[str]
