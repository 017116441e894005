"""What a package and its items can be, as values."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID


class Mode(StrEnum):
    ALL_OR_NOTHING = "all_or_nothing"
    CORE_AND_OPTIONAL = "core_and_optional"
    BEST_EFFORT = "best_effort"


class PackageState(StrEnum):
    DRAFTED = "drafted"
    SUBMITTED = "submitted"  # waits for the merchant to accept the listed price
    HOLDING = "holding"
    DECIDING = "deciding"  # waits for a line's decision, or for the merchant to accept a quote
    CONFIRMING = "confirming"  # past the point of no return: only forward
    DONE = "done"
    RELEASING = "releasing"
    RELEASED = "released"


ENDED = frozenset({PackageState.DONE, PackageState.RELEASED})
OPEN = frozenset({PackageState.HOLDING, PackageState.DECIDING})


class ItemState(StrEnum):
    DRAFTED = "drafted"
    HOLDING = "holding"  # a hold may or may not have reached the line
    HELD = "held"
    PENDING_DECISION = "pending_decision"
    CONFIRMING = "confirming"  # a confirm may or may not have reached the line
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    RELEASING = "releasing"
    RELEASED = "released"
    EXPIRED = "expired"  # given up by the clock, and released
    FAILED_NEEDS_HAND = "failed_needs_hand"


GOING = frozenset({ItemState.HOLDING, ItemState.HELD, ItemState.PENDING_DECISION, ItemState.CONFIRMING})
"""States on the way to taking effect."""
ACTIVE = GOING | {ItemState.RELEASING}
"""States in which the next move is ours: a call is due at `next_at`."""
OUT = frozenset({ItemState.REFUSED, ItemState.RELEASING, ItemState.RELEASED, ItemState.EXPIRED})
"""States of an item that will not take effect."""


@dataclass(frozen=True, slots=True)
class Item:
    """One service on one line. Amounts are minor units; times are aware datetimes.

    `hold_id` is derived from `uid` and `generation`: a new hold after a lapse needs no randomness.
    `quote_amount` is the list price until the line's binding quote replaces it. `attempts` counts
    answers in a row that brought the item no further. At `give_up_at` the line has been out of reach
    for too long; past the point of no return it is None. `stuck`: people were told, in this state.
    `declined`: the merchant does not want it, and the package is judged without it.
    """

    uid: UUID
    state: ItemState
    core: bool
    ttl_seconds: int
    grace_seconds: int = 0
    silence_consents: bool = False
    generation: int = 0
    attempts: int = 0
    next_at: datetime | None = None
    give_up_at: datetime | None = None
    hold_expires_at: datetime | None = None
    decision_due_at: datetime | None = None
    escalated: bool = False
    by_silence: bool = False
    stuck: bool = False
    declined: bool = False
    accepted_amount: int | None = None
    quote_amount: int | None = None
    reference: str = ""
    reason_code: str = ""
    reason: Mapping[str, str] = field(default_factory=dict)

    @property
    def hold_id(self) -> UUID:
        return hold_id(self.uid, self.generation)

    @property
    def silence_at(self) -> datetime | None:
        """When the line's silence begins to count, by our clock; None while no decision is due."""
        due_at = self.decision_due_at
        return due_at and due_at + timedelta(seconds=self.grace_seconds)

    @property
    def awaits_acceptance(self) -> bool:
        return (self.quote_amount or 0) > (self.accepted_amount or 0)


def hold_id(uid: UUID, generation: int) -> UUID:
    """The name the line knows this hold by; generation 0 is the item's own uid (RFC 9562 §5.5)."""
    return uuid.uuid5(uid, str(generation)) if generation else uid


@dataclass(frozen=True, slots=True)
class Package:
    state: PackageState
    mode: Mode
    items: tuple[Item, ...]
    accept_due_at: datetime | None = None
    cancel_requested: bool = False


class CallKind(StrEnum):
    HOLD = "hold"
    CONFIRM = "confirm"
    RELEASE = "release"
    RENEW = "renew"
    LOOK = "look"


@dataclass(frozen=True, slots=True)
class Call:
    kind: CallKind
    item: Item


class NoticeKind(StrEnum):
    """What people must be told, beyond the moves themselves."""

    ACCEPTANCE_NEEDED = "acceptance_needed"
    DECISION_NEEDED = "decision_needed"
    DECISION_OVERDUE = "decision_overdue"
    SILENCE_CONSENTED = "silence_consented"
    SILENCE_REFUSED = "silence_refused"
    STUCK = "stuck"
    NEEDS_HAND = "needs_hand"


@dataclass(frozen=True, slots=True)
class Notice:
    kind: NoticeKind
    item: UUID | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What `settle` decided. `wake_at` None means nothing more happens without a person."""

    package: Package
    calls: tuple[Call, ...]
    wake_at: datetime | None
    notices: tuple[Notice, ...]
