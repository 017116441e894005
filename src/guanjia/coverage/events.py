from dataclasses import dataclass
from typing import ClassVar

from guanjia.ledger.actions import Payload


@dataclass(frozen=True)
class PoolCreated(Payload):
    kind: ClassVar[str] = "coverage.pool_created"
    pool: int
    code: str
    lead: int


@dataclass(frozen=True)
class Assigned(Payload):
    """`holder` is `person:5`, `team:2` or `pool:1`; `closed` the responsibility that ends with it."""

    kind: ClassVar[str] = "coverage.assigned"
    responsibility: int
    role: str
    holder: str
    since: str
    closed: int | None


@dataclass(frozen=True)
class Ended(Payload):
    """From `at` on the home pool answers, where the role was account manager."""

    kind: ClassVar[str] = "coverage.ended"
    responsibility: int
    role: str
    at: str


@dataclass(frozen=True)
class Withdrawn(Payload):
    """A responsibility that was planned and never began."""

    kind: ClassVar[str] = "coverage.withdrawn"
    responsibility: int
    role: str
    holder: str
    since: str


@dataclass(frozen=True)
class ResponsibilitiesImported(Payload):
    """`digest` is the SHA-256 of the file; `mapping` holds `target=column` texts."""

    kind: ClassVar[str] = "coverage.imported"
    digest: str
    mapping: tuple[str, ...]
    rows: int
    new: int
    changed: int
    unchanged: int
    bad: int
    new_people: int
    new_merchants: int
