"""Lines and a network as simple as they can be: the independent model that `settle` is tried against.

Nothing here shares code with the machine or with `lines.protocol.fence`: it is LP/1 once more, in the
plainest words, as one would explain it on a board.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from guanjia.core.package import (
    CallKind,
    Confirmed,
    Held,
    Pending,
    Refused,
    Rejected,
    Released,
)


@dataclass
class LineHold:
    state: str  # held, pending, refused, confirmed or released; whether it has lapsed is looked at
    expires_at: datetime
    quote: int | None
    due_at: datetime
    grace: timedelta

    def alive(self, now: datetime) -> bool:
        return self.state in ("held", "pending") and now < self.expires_at

    def word(self, now: datetime) -> str:
        lapsed = self.state in ("held", "pending") and now >= self.expires_at
        return "lapsed" if lapsed else self.state


@dataclass
class Line:
    """One line with one service; its holds by id. `granted` seconds may be less than it was asked."""

    granted: float
    price: int | None
    decides: bool = False
    within: float = 60.0
    grace: float = 60.0
    consents: bool = False
    sold_out: bool = False
    behind: float = 0.0  # seconds by which its clock is late
    holds: dict[UUID, LineHold] = field(default_factory=dict)

    def answer(self, kind: CallKind, hold_id: UUID, world_now: datetime, *, silence: bool):
        now = world_now - timedelta(seconds=self.behind)
        hold = self.holds.get(hold_id)
        if kind is CallKind.HOLD:
            return self._hold(hold_id, hold, now)
        if kind is CallKind.RELEASE:
            return self._release(hold_id, hold, now)
        if hold is None:
            return Rejected(hold_id, "unknown_hold")
        if kind is CallKind.CONFIRM:
            return self._confirm(hold_id, hold, now, silence)
        if kind is CallKind.RENEW:
            return self._renew(hold_id, hold, now)
        return self.view(hold_id, now)

    def _hold(self, hold_id, hold, now):
        if hold is None:
            state = "refused" if self.sold_out else "pending" if self.decides else "held"
            self.holds[hold_id] = LineHold(
                state,
                now + timedelta(seconds=self.granted),
                self.price,
                now + timedelta(seconds=self.within),
                timedelta(seconds=self.grace),
            )
        elif hold.state == "released":
            return Rejected(hold_id, "hold_released")
        return self.view(hold_id, now)

    def _release(self, hold_id, hold, now):
        if hold is None:
            hold = self.holds[hold_id] = LineHold("released", now, None, now, timedelta())
        if hold.state == "confirmed":
            return Rejected(hold_id, "hold_confirmed")
        hold.state = "released"
        return Released(hold_id)

    def _confirm(self, hold_id, hold, now, silence):
        word = hold.word(now)
        consents = silence and self.consents and now >= hold.due_at + hold.grace
        if word == "held" or (word == "pending" and consents):
            hold.state = "confirmed"
        elif word == "pending":
            return Rejected(hold_id, "decision_pending")
        elif word != "confirmed":
            return Rejected(hold_id, f"hold_{word}")
        return self.view(hold_id, now)

    def _renew(self, hold_id, hold, now):
        word = hold.word(now)
        if word not in ("held", "pending", "confirmed"):
            return Rejected(hold_id, f"hold_{word}")
        if word != "confirmed":
            hold.expires_at = max(hold.expires_at, now + timedelta(seconds=self.granted))
        return self.view(hold_id, now)

    def view(self, hold_id: UUID, now: datetime):
        """The hold as it is now, as the signal that the house makes of it."""
        hold = self.holds[hold_id]
        match hold.word(now):
            case "held":
                return Held(hold_id, hold.expires_at, hold.quote)
            case "pending":
                return Pending(hold_id, hold.expires_at, hold.due_at, hold.quote)
            case "refused":
                return Refused(hold_id, "sold_out", {"en": "sold out"})
            case "confirmed":
                return Confirmed(hold_id, "", hold.quote)
            case word:
                return Rejected(hold_id, f"hold_{word}")

    # --- people of the line, and what the test asks -----------------------------------------------

    def decide(self, hold_id: UUID, now: datetime, *, yes: bool, quote: int | None):
        """The webhook of a person's decision."""
        hold = self.holds[hold_id]
        hold.state = "held" if yes else "refused"
        hold.quote = quote if yes else hold.quote
        return self.view(hold_id, now)

    def undecided(self, now: datetime) -> list[UUID]:
        return [hold_id for hold_id, hold in self.holds.items() if hold.word(now) == "pending"]

    def state_of(self, hold_id: UUID) -> str:
        hold = self.holds.get(hold_id)
        return hold.state if hold else "unknown"
