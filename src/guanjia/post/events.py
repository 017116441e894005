from dataclasses import dataclass
from typing import ClassVar

from guanjia.ledger.actions import Payload


@dataclass(frozen=True)
class EndpointAdded(Payload):
    kind: ClassVar[str] = "post.endpoint_added"
    endpoint: int
    endpoint_kind: str
    team: int | None


@dataclass(frozen=True)
class EndpointChanged(Payload):
    """`what` is settings, secret, on or trial; never what they are now."""

    kind: ClassVar[str] = "post.endpoint_changed"
    endpoint: int
    what: str


@dataclass(frozen=True)
class EndpointRemoved(Payload):
    kind: ClassVar[str] = "post.endpoint_removed"
    endpoint: int


@dataclass(frozen=True)
class EndpointDisabled(Payload):
    """It has failed for too long, or said that it is gone; `owners` are told."""

    kind: ClassVar[str] = "post.endpoint_disabled"
    endpoint: int
    failures: int
    owners: list[int]


@dataclass(frozen=True)
class Replayed(Payload):
    """Somebody had deliveries tried again that had been given up."""

    kind: ClassVar[str] = "post.replayed"
    deliveries: int
    endpoint: int | None
