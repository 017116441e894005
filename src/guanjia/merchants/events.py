from dataclasses import dataclass
from typing import ClassVar

from guanjia.ledger.actions import Payload


@dataclass(frozen=True)
class MerchantRegistered(Payload):
    kind: ClassVar[str] = "merchants.registered"
    merchant: int
    home_pool: int
    facts: tuple[str, ...]


@dataclass(frozen=True)
class MemberAdded(Payload):
    kind: ClassVar[str] = "merchants.member_added"
    merchant: int
    user: int
    role: str


@dataclass(frozen=True)
class MemberRoleChanged(Payload):
    kind: ClassVar[str] = "merchants.member_role_changed"
    merchant: int
    user: int
    before: str
    role: str


@dataclass(frozen=True)
class MemberRemoved(Payload):
    kind: ClassVar[str] = "merchants.member_removed"
    merchant: int
    user: int
    role: str


@dataclass(frozen=True)
class FactsSet(Payload):
    """Which facts changed; their values stay out of the log."""

    kind: ClassVar[str] = "merchants.facts_set"
    merchant: int
    facts: tuple[str, ...]


@dataclass(frozen=True)
class FactDefined(Payload):
    kind: ClassVar[str] = "merchants.fact_defined"
    fact: str


@dataclass(frozen=True)
class MerchantsImported(Payload):
    """`digest` is the SHA-256 of the file; `mapping` holds `target=column` texts."""

    kind: ClassVar[str] = "merchants.imported"
    digest: str
    mapping: tuple[str, ...]
    rows: int
    new: int
    changed: int
    unchanged: int
    bad: int
