"""The fence (§6): what each call does to the record of a hold. Pure: no I/O, `now` is passed in.

Every function takes the record as it is, or None where the hold was never seen, and returns what
to write and which business effect to run, both in one local transaction. A refusal raises
ProtocolError and changes nothing. The three classic faults of Try-Confirm-Cancel (duplicates,
empty cancel, a try that hangs behind its cancel) are decided here and nowhere else.

Expiry is looked at, never waited for: a record may say `held` long after its `expires_at`, and
every function treats it as lapsed (4.7). `lapse` later gives its capacity back.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final, Protocol, Self
from uuid import UUID

from guanjia.lines.protocol.errors import ProtocolError
from guanjia.lines.protocol.messages import (
    Authority,
    ConfirmAuthority,
    HoldRequest,
    HoldState,
    HoldView,
    Money,
    Reason,
    Rule,
    ServiceSpec,
    Silence,
    Texts,
)
from guanjia.lines.protocol.wire import MAX_TTL_SECONDS, Members, format_instant


class Effect(Enum):
    """The business effect to run in the same transaction as the record is written."""

    NONE = "none"
    CONFIRM = "confirm"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Held:
    """The business reserved. `quote` None means the list price of the service.

    Where the service's rule asks for a person, the hold becomes pending all the same.
    """

    quote: Money | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """The business reserved and says that a person must decide; only where the rule allows it."""

    quote: Money | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The business reserved nothing, and says why: a stable code and a text for people."""

    code: str
    message: Texts


Outcome = Held | Pending | Refused


@dataclass(frozen=True, slots=True)
class HoldRecord:
    """What a line remembers of one hold.

    `state` is what was last written; whether it has lapsed since is `state_at(now)`. A tombstone of
    a hold never seen has no `request` and an empty `digest`. `silence_consents_at` is when the
    silence of the line becomes its consent, None where it never does.
    """

    hold_id: UUID
    state: HoldState
    changed_at: datetime
    digest: str = ""
    request: HoldRequest | None = None
    longest_ttl_seconds: int = MAX_TTL_SECONDS
    expires_at: datetime | None = None
    quote: Money | None = None
    decision_due_at: datetime | None = None
    silence_consents_at: datetime | None = None
    reason: Reason | None = None
    reference: str | None = None

    def state_at(self, now: datetime) -> HoldState:
        """The state with expiry looked at (4.7.1)."""
        if self.state in RESERVING and self.expires_at is not None and now >= self.expires_at:
            return HoldState.LAPSED
        return self.state

    def view(self, now: datetime) -> HoldView:
        """The hold object of the wire as it is now (4.2, 4.8)."""
        return self._hold(self.state_at(now))

    def _hold(self, state: HoldState) -> HoldView:
        return HoldView(
            hold_id=self.hold_id,
            state=state,
            expires_at=self.expires_at,
            quote=self.quote,
            decision_due_at=self.decision_due_at,
            reason=self.reason,
            reference=self.reference,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values for a JSON column."""
        consents = self.silence_consents_at
        return {
            "hold": self._hold(self.state).to_json(),
            "request": self.request and self.request.to_json(),
            "digest": self.digest,
            "longest_ttl_seconds": self.longest_ttl_seconds,
            "silence_consents_at": consents and format_instant(consents),
            "changed_at": format_instant(self.changed_at),
        }

    @classmethod
    def from_json(cls, data: Members) -> Self:
        hold = HoldView.from_json(data.child("hold"))
        known = not data.is_null("request")
        return cls(
            hold_id=hold.hold_id,
            state=hold.state,
            changed_at=data.instant("changed_at"),
            digest=data.text("digest", 64, empty=True),
            request=HoldRequest.from_json(data.child("request")) if known else None,
            longest_ttl_seconds=data.ttl("longest_ttl_seconds"),
            expires_at=hold.expires_at,
            quote=hold.quote,
            decision_due_at=hold.decision_due_at,
            silence_consents_at=data.optional("silence_consents_at", data.instant),
            reason=hold.reason,
            reference=hold.reference,
        )


class FenceStore(Protocol):
    """Where records live: the same database, and the same transaction, as the business (6.1)."""

    def transaction(self) -> AbstractContextManager[object]:
        """Commit on leaving, roll back on an exception. Nests: an inner one is a savepoint."""
        ...

    def load(self, hold_id: UUID) -> HoldRecord | None:
        """The record, locked until the transaction ends.

        Two calls with the same id must take turns even where there is no record yet: lock the id,
        not only the row.
        """
        ...

    def save(self, record: HoldRecord) -> None:
        """Insert or replace the record of `record.hold_id`."""
        ...

    def expired(self, now: datetime, limit: int) -> Sequence[HoldRecord]:
        """Up to `limit` records written as held or pending whose expiry has passed, locked."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """What a call comes to: the record to answer with, and whether it must be written."""

    record: HoldRecord
    effect: Effect = Effect.NONE
    write: bool = False


class NotPendingError(Exception):
    """A person decided a hold that is not waiting for a decision; `state` says what it is.

    After silence that consents it is `held`, whatever a look still calls it.
    """

    def __init__(self, state: HoldState) -> None:
        super().__init__(f"the hold is {state}, not pending")
        self.state = state


RESERVING: Final = frozenset({HoldState.HELD, HoldState.PENDING})

_REFUSALS: Final = {
    HoldState.RELEASED: ("hold_released", "the hold was released"),
    HoldState.REFUSED: ("hold_refused", "the line refused the hold"),
    HoldState.LAPSED: ("hold_lapsed", "the hold is past its expiry"),
    HoldState.CONFIRMED: ("hold_confirmed", "the hold is confirmed, and release is no refund"),
    HoldState.PENDING: ("decision_pending", "the line has not decided"),
}


def _refusal(state: HoldState) -> ProtocolError:
    return ProtocolError(*_REFUSALS[state])


def known(record: HoldRecord | None) -> HoldRecord:
    """The record itself; raises `unknown_hold` where there is none (4.4.3, 4.6, 4.8.1)."""
    if record is None:
        raise ProtocolError("unknown_hold", "no such hold")
    return record


def admit(record: HoldRecord | None, digest: str) -> HoldRecord | None:
    """What `POST /holds` finds: None to go on and reserve, or the hold to answer with (4.3.1).

    Raises `hold_released` before `idempotency_mismatch`: a tombstone knows no content (4.5.3).
    """
    if record is None:
        return None
    if record.state is HoldState.RELEASED:
        raise _refusal(HoldState.RELEASED)
    if record.digest != digest:
        raise ProtocolError("idempotency_mismatch", "the hold id was used with other content")
    return record


def needs_person(spec: ServiceSpec, request: HoldRequest) -> bool:
    """Whether the published rule sends this use to a person of the line (4.1.3)."""
    if spec.decision.rule is Rule.BEYOND_MANDATE:
        return request.authority_kind is Authority.NONE
    return spec.decision.rule is Rule.ALWAYS


def opened(
    request: HoldRequest, digest: str, spec: ServiceSpec, outcome: Outcome, now: datetime
) -> HoldRecord:
    """The first record of a hold, from what the business said (4.2).

    Raises ValueError where the business says Pending and the published rule asks nobody.
    """
    written = HoldRecord(
        hold_id=request.hold_id,
        state=HoldState.HELD,
        changed_at=now,
        digest=digest,
        request=request,
        longest_ttl_seconds=spec.hold_ttl_seconds,
    )
    if isinstance(outcome, Refused):
        reason = Reason(outcome.code, outcome.message)
        return replace(written, state=HoldState.REFUSED, reason=reason)
    granted = min(request.ttl_seconds, spec.hold_ttl_seconds)
    written = replace(
        written,
        expires_at=now + timedelta(seconds=granted),
        quote=outcome.quote or spec.price,
        reference=outcome.reference,
    )
    if needs_person(spec, request):
        return _waiting(written, spec, now)
    if isinstance(outcome, Pending):
        raise ValueError(f"{spec.code}: pending, but its decision rule asks nobody for this use")
    return written


def _waiting(record: HoldRecord, spec: ServiceSpec, now: datetime) -> HoldRecord:
    due = now + timedelta(seconds=spec.decision.within_seconds)
    consents = due + timedelta(seconds=spec.decision.grace_seconds)
    return replace(
        record,
        state=HoldState.PENDING,
        decision_due_at=due,
        silence_consents_at=consents if spec.decision.silence is Silence.CONSENT else None,
    )


def confirm(record: HoldRecord | None, authority: ConfirmAuthority, now: datetime) -> Step:
    """4.4: make a hold final, once."""
    before = known(record)
    state = before.state_at(now)
    if state is HoldState.CONFIRMED:
        return Step(before)
    agreed = state is HoldState.HELD or (
        state is HoldState.PENDING
        and authority is ConfirmAuthority.SILENCE
        and before.silence_consents_at is not None
        and now >= before.silence_consents_at
    )
    if not agreed:
        raise _refusal(state)
    after = replace(before, state=HoldState.CONFIRMED, changed_at=now)
    return Step(after, Effect.CONFIRM, write=True)


def release(record: HoldRecord | None, hold_id: UUID, now: datetime) -> Step:
    """4.5: give back, once; an unknown hold leaves a tombstone."""
    if record is None:
        return Step(HoldRecord(hold_id, HoldState.RELEASED, now), write=True)
    if record.state is HoldState.RELEASED:
        return Step(record)
    if record.state is HoldState.CONFIRMED:
        raise _refusal(HoldState.CONFIRMED)
    # `lapsed` as written gave its capacity back already; expired but unwritten has not.
    effect = Effect.RELEASE if record.state in RESERVING else Effect.NONE
    return Step(replace(record, state=HoldState.RELEASED, changed_at=now), effect, write=True)


def renew(record: HoldRecord | None, ttl_seconds: int, now: datetime) -> Step:
    """4.6: a later expiry, never an earlier one; the line grants at most its own time to live."""
    before = known(record)
    state = before.state_at(now)
    if state is HoldState.CONFIRMED:
        return Step(before)
    if state not in RESERVING:
        raise _refusal(state)
    asked = now + timedelta(seconds=min(ttl_seconds, before.longest_ttl_seconds))
    later = max(asked, before.expires_at or asked)
    return Step(replace(before, expires_at=later), write=later != before.expires_at)


def lapse(record: HoldRecord, now: datetime) -> Step:
    """4.7: write down that a hold lapsed and give its capacity back, once."""
    if record.state_at(now) is record.state:
        return Step(record)
    return Step(replace(record, state=HoldState.LAPSED, changed_at=now), Effect.RELEASE, write=True)


def approve(record: HoldRecord | None, quote: Money | None, now: datetime) -> Step:
    """5.1: a person says yes, perhaps at another price. Raises NotPendingError."""
    before = _pending(record, now)
    after = replace(before, state=HoldState.HELD, changed_at=now, quote=quote or before.quote)
    return Step(after, write=True)


def refuse(record: HoldRecord | None, reason: Reason, now: datetime) -> Step:
    """5.1: a person says no; what was reserved is free again. Raises NotPendingError."""
    before = _pending(record, now)
    after = replace(before, state=HoldState.REFUSED, changed_at=now, reason=reason)
    return Step(after, Effect.RELEASE, write=True)


def _pending(record: HoldRecord | None, now: datetime) -> HoldRecord:
    before = known(record)
    state = before.state_at(now)
    if state is not HoldState.PENDING:
        raise NotPendingError(state)
    if before.silence_consents_at is not None and now >= before.silence_consents_at:
        # 5.4: Guanjia may be confirming other lines on the strength of this silence.
        raise NotPendingError(HoldState.HELD)
    return before
