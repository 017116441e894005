"""The calls of a line on its holds: fence, business effect and record in one transaction (6.1).

What a hosted line's screens and the responder both call. Whatever the business raises rolls the
whole call back; ProtocolError is an answer of §7.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from guanjia.lines.protocol import fence
from guanjia.lines.protocol.errors import ProtocolError
from guanjia.lines.protocol.fence import Effect, FenceStore, HoldRecord, Outcome, Step
from guanjia.lines.protocol.messages import (
    ConfirmAuthority,
    HoldRequest,
    HoldView,
    Manifest,
    Money,
    Reason,
)
from guanjia.lines.protocol.params import ParamsSchema
from guanjia.lines.protocol.wire import dump_body, parse_body

_log = logging.getLogger(__name__)

SWEEP_LIMIT: Final = 100

Clock = Callable[[], datetime]


class Business(Protocol):
    """What a line does. Every method runs inside the fence's transaction, at most once each."""

    @property
    def manifest(self) -> Manifest: ...

    def reserve(self, request: HoldRequest) -> Outcome:
        """Try: reserve and quote, or refuse and reserve nothing."""
        ...

    def confirm(self, record: HoldRecord) -> None:
        """Confirm: make the reservation of `record.hold_id` final."""
        ...

    def release(self, record: HoldRecord) -> None:
        """Cancel, refusal by a person, or lapse: give the reservation back."""
        ...


class Holds:
    """The calls of §4.2-4.8 and the decisions of §5 on one line.

    Raises ValueError at construction for a manifest that Guanjia would refuse.
    """

    def __init__(self, business: Business, store: FenceStore, clock: Clock) -> None:
        self.manifest = _sound(business.manifest)
        self.clock = clock
        self._business = business
        self._store = store
        self._specs = {spec.code: spec for spec in self.manifest.services}
        self._schemas = {code: ParamsSchema(spec.schema) for code, spec in self._specs.items()}

    def hold(self, request: HoldRequest) -> HoldView:
        """4.2, 4.3, 4.5.3: Try. What is known of the id comes before every other check."""
        digest = request.digest()
        with self._store.transaction():
            record = fence.admit(self._store.load(request.hold_id), digest)
            if record is None:
                record = self._reserve(request, digest)
            return record.view(self.clock())

    def confirm(self, hold_id: UUID, authority: ConfirmAuthority) -> HoldView:
        """4.4: Confirm."""
        return self._call(hold_id, lambda record, now: fence.confirm(record, authority, now))

    def release(self, hold_id: UUID) -> HoldView:
        """4.5: Cancel, of an unknown hold too."""
        return self._call(hold_id, lambda record, now: fence.release(record, hold_id, now))

    def renew(self, hold_id: UUID, ttl_seconds: int) -> HoldView:
        """4.6: a later expiry."""
        return self._call(hold_id, lambda record, now: fence.renew(record, ttl_seconds, now))

    def look(self, hold_id: UUID) -> HoldView:
        """4.8: the hold as it is."""
        with self._store.transaction():
            return fence.known(self._store.load(hold_id)).view(self.clock())

    def approve(self, hold_id: UUID, quote: Money | None = None) -> HoldView:
        """5.1: a person says yes. Raises NotPendingError. Sending the webhook is the caller's."""
        return self._call(hold_id, lambda record, now: fence.approve(record, quote, now))

    def refuse(self, hold_id: UUID, reason: Reason) -> HoldView:
        """5.1: a person says no. Raises NotPendingError. Sending the webhook is the caller's."""
        return self._call(hold_id, lambda record, now: fence.refuse(record, reason, now))

    def sweep(self, limit: int = SWEEP_LIMIT) -> int:
        """4.7: give back what up to `limit` lapsed holds reserved; how many were looked at.

        A release that fails stays behind for the next sweep and stops nobody else.
        """
        with self._store.transaction():
            now = self.clock()
            expired = self._store.expired(now, limit)
            for record in expired:
                try:
                    with self._store.transaction():
                        self._take(fence.lapse(record, now))
                except Exception:
                    _log.exception("release of the lapsed hold %s failed", record.hold_id)
            return len(expired)

    def _reserve(self, request: HoldRequest, digest: str) -> HoldRecord:
        spec = self._specs.get(request.service)
        if spec is None:
            raise ProtocolError("unknown_service", f"no service {request.service}")
        self._schemas[spec.code].check(request.params)
        self.sweep()
        outcome = self._business.reserve(request)
        record = fence.opened(request, digest, spec, outcome, self.clock())
        self._store.save(record)
        return record

    def _call(self, hold_id: UUID, decide: Callable[[HoldRecord | None, datetime], Step]) -> HoldView:
        with self._store.transaction():
            # The clock is read under the lock: a call that queued is judged by when it acts.
            record = self._store.load(hold_id)
            now = self.clock()
            return self._take(decide(record, now)).view(now)

    def _take(self, step: Step) -> HoldRecord:
        if step.effect is Effect.CONFIRM:
            self._business.confirm(step.record)
        elif step.effect is Effect.RELEASE:
            self._business.release(step.record)
        if step.write:
            self._store.save(step.record)
        return step.record


def _sound(manifest: Manifest) -> Manifest:
    """The manifest as Guanjia will read it."""
    try:
        return Manifest.from_json(parse_body(dump_body(manifest.to_json())))
    except ProtocolError as error:
        raise ValueError(f"the manifest is wrong at {error.detail}") from error
