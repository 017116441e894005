from dataclasses import dataclass
from typing import ClassVar

from guanjia.ledger.actions import Payload


@dataclass(frozen=True)
class PackageComposed(Payload):
    kind: ClassVar[str] = "packages.composed"
    package: str
    mode: str
    services: list[str]


@dataclass(frozen=True)
class PackageSubmitted(Payload):
    kind: ClassVar[str] = "packages.submitted"
    package: str
    list_total: int
    within_mandate: list[int]
    needs_decision: list[int]


@dataclass(frozen=True)
class PackageAccepted(Payload):
    kind: ClassVar[str] = "packages.accepted"
    package: str
    total: int


@dataclass(frozen=True)
class ProposalAnswered(Payload):
    """The merchant's yes to `total`, and its no to the items at these positions."""

    kind: ClassVar[str] = "packages.answered"
    package: str
    declined: list[int]
    total: int


@dataclass(frozen=True)
class PackageCancelled(Payload):
    kind: ClassVar[str] = "packages.cancelled"
    package: str


@dataclass(frozen=True)
class ItemSettledByHand(Payload):
    kind: ClassVar[str] = "packages.item_settled_by_hand"
    package: str
    item: int
    outcome: str


@dataclass(frozen=True)
class ItemMove:
    item: int
    line: str
    before: str
    after: str
    reason: str


@dataclass(frozen=True)
class PackageMoved(Payload):
    """What one settle changed; `notices` are the kinds of what people were told."""

    kind: ClassVar[str] = "packages.moved"
    package: str
    before: str
    after: str
    items: list[ItemMove]
    notices: list[str]
