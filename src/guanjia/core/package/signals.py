"""What can happen to a package: answers of lines, and acts of people."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Held:
    hold_id: UUID
    expires_at: datetime
    quote_amount: int | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    hold_id: UUID
    expires_at: datetime
    decision_due_at: datetime
    quote_amount: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    hold_id: UUID
    code: str
    reason: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """`quote_amount` is what the line says it confirmed at; None where it does not say."""

    hold_id: UUID
    reference: str = ""
    quote_amount: int | None = None


@dataclass(frozen=True, slots=True)
class Released:
    hold_id: UUID


@dataclass(frozen=True, slots=True)
class Rejected:
    """The line answered with an error of the contract; `code` as in LP/1 §7."""

    hold_id: UUID
    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """No answer that can be used: nobody knows whether the call had its effect."""

    hold_id: UUID
    why: str
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """The draft is asked for; `accepted` as in `Accepted`, empty where nobody has said yes yet."""

    accepted: Mapping[UUID, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The merchant accepts these amounts (minor units) by item uid."""

    amounts: Mapping[UUID, int]


@dataclass(frozen=True, slots=True)
class Declined:
    """The merchant does not want these items; without effect after the point of no return.

    The package goes on without them, by its mode; without any item left it is given up.
    """

    uids: Collection[UUID]


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Somebody asks to give the package up; without effect after the point of no return."""


@dataclass(frozen=True, slots=True)
class HandSettled:
    """A named person has dealt with an item that needed a hand.

    `confirmed`: it has taken effect, at no more than was accepted. `waived`: it shall not; what the
    line still holds is given back. `retry`: ask the line the same again.
    """

    uid: UUID
    outcome: Literal["confirmed", "waived", "retry"]


LineSignal = Held | Pending | Refused | Confirmed | Released | Rejected | Unreachable
Signal = LineSignal | Submitted | Accepted | Declined | Cancelled | HandSettled
