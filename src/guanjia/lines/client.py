"""Guanjia's side of LP/1: call a line, and say in types what came of it.

`LineClient` never raises for what a line or the network does. Each call ends as `Answered` (or
`Described`, for the manifest), `Rejected` or `Unreachable`, within one time budget that covers
waiting for a slot, every attempt and the pauses between them.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from random import SystemRandom
from secrets import token_hex
from typing import Self
from uuid import UUID

import aiohttp
from yarl import URL

from guanjia.lines.answers import (
    AFTER_CONFIRM,
    AFTER_HOLD,
    AFTER_RELEASE,
    AFTER_RENEW,
    ALL_STATES,
    DESTINATION_REFUSED,
    JSON_CONTENT_TYPE,
    HoldOutcome,
    ManifestOutcome,
    Rejected,
    Unreachable,
    as_hold,
    as_manifest,
    bounded_body,
    read_answer,
    retry_after,
    why,
)
from guanjia.lines.circuit import Circuit, Policy, Rng
from guanjia.lines.protocol.messages import (
    MANIFEST_PATH,
    ConfirmAuthority,
    ConfirmRequest,
    HoldRequest,
    ReleaseRequest,
    RenewRequest,
)
from guanjia.lines.protocol.signing import check_secrets, request_headers
from guanjia.lines.protocol.wire import Members, dump_body
from guanjia.lines.ssrf import DestinationRefused, Network, check_url, guarded_session
from guanjia.lines.vitals import Reading, Vitals

log = logging.getLogger(__name__)

# Ready-made: aiohttp would otherwise offer gzip, and we bound the size of what is on the wire.
_PLAIN = {"Accept-Encoding": "identity", "User-Agent": "guanjia"}


@dataclass(frozen=True, slots=True)
class LineEndpoint:
    """Where a line is and what it shares with us. `secret` is `whsec_…` and never printed.

    ValueError for a malformed secret; a `base_url` where we do not connect shows at the call.
    """

    slug: str
    base_url: str
    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        check_secrets(self.secret)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one call (seconds) and of one line: `total` is for the call with its retries."""

    total: float = 5.0
    concurrent: int = 32
    retries: int = 2
    backoff: float = 0.05


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    path: str
    body: bytes = b""
    signed: bool = True
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class _Fault:
    """A transport failure of one attempt; `retry_after` in seconds where the line asked."""

    why: str
    retry_after: float | None = None


_Reply = Members | Rejected | _Fault


class _Line:
    """What this process knows of one line: its address, its circuit, its slots."""

    def __init__(self, endpoint: LineEndpoint, base: URL, limits: Limits) -> None:
        self.endpoint = endpoint
        self.base = base
        self._prefix = base.raw_path.rstrip("/")
        self.circuit = Circuit()
        self.slots = asyncio.Semaphore(limits.concurrent)
        self.vitals = Vitals()

    def url(self, path: str) -> URL:
        # Taken as it is: quoting it anew would not match what is signed.
        return self.base.with_path(self._prefix + path, encoded=True)


class LineClient:
    """Calls lines; one per worker process, made inside its running loop, closed at its end.

    `allowed`: networks in which lines may be although they are private, or speak plain http.
    `rng`, `sleep`, `monotonic` and `now` are there for the tests.
    """

    def __init__(
        self,
        allowed: Sequence[Network] = (),
        *,
        limits: Limits | None = None,
        policy: Policy | None = None,
        rng: Rng | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._allowed = tuple(allowed)
        self._limits = limits or Limits()
        self._policy = policy or Policy()
        self._rng = rng or SystemRandom()
        self._sleep = sleep
        self._monotonic = monotonic
        self._now = now
        self._lines: dict[str, _Line] = {}
        # Unique across processes and restarts, without asking the kernel for each message.
        self._messages = (f"{prefix}-{number:x}" for prefix in (token_hex(12),) for number in count())
        # No limit here: a pool shared by all lines would let a slow one starve the others. The
        # bulkhead is each line's own slots.
        self._session = guarded_session(allowed, limit=0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the shared session and its connections."""
        await self._session.close()

    def readings(self) -> list[Reading]:
        """How the lines do that were called since the last look; memory only."""
        now = self._monotonic()
        called = [line for line in self._lines.values() if line.vitals.fresh]
        return [line.vitals.read(line.endpoint.slug, line.circuit, now, self._now()) for line in called]

    # --- the calls of §4 -------------------------------------------------------------------------

    async def manifest(self, endpoint: LineEndpoint) -> ManifestOutcome:
        """`GET /.well-known/guanjia-line`, unsigned (3.4)."""
        return as_manifest(await self._send(endpoint, _Call("GET", MANIFEST_PATH, signed=False)))

    async def hold(self, endpoint: LineEndpoint, request: HoldRequest) -> HoldOutcome:
        """`POST /holds`: reserve (4.2). A refusal is `Answered` with state `refused`."""
        body = dump_body(request.to_json())
        call = _Call("POST", "/holds", body, idempotency_key=str(request.hold_id))
        return as_hold(await self._send(endpoint, call), request.hold_id, AFTER_HOLD)

    async def confirm(
        self,
        endpoint: LineEndpoint,
        hold_id: UUID,
        authority: ConfirmAuthority = ConfirmAuthority.ACCEPTED,
    ) -> HoldOutcome:
        """`POST /holds/{id}/confirm`: make the reservation final (4.4)."""
        body = dump_body(ConfirmRequest(authority).to_json())
        call = _Call("POST", f"/holds/{hold_id}/confirm", body)
        return as_hold(await self._send(endpoint, call), hold_id, AFTER_CONFIRM)

    async def release(self, endpoint: LineEndpoint, hold_id: UUID, reason: str) -> HoldOutcome:
        """`POST /holds/{id}/release`: give the reservation back, or bar the hold (4.5)."""
        body = dump_body(ReleaseRequest(reason).to_json())
        call = _Call("POST", f"/holds/{hold_id}/release", body)
        return as_hold(await self._send(endpoint, call), hold_id, AFTER_RELEASE)

    async def renew(self, endpoint: LineEndpoint, hold_id: UUID, ttl_seconds: int) -> HoldOutcome:
        """`POST /holds/{id}/renew`: ask for a later expiry (4.6)."""
        body = dump_body(RenewRequest(ttl_seconds).to_json())
        call = _Call("POST", f"/holds/{hold_id}/renew", body)
        return as_hold(await self._send(endpoint, call), hold_id, AFTER_RENEW)

    async def look(self, endpoint: LineEndpoint, hold_id: UUID) -> HoldOutcome:
        """`GET /holds/{id}`: the hold as it is now (4.8)."""
        reply = await self._send(endpoint, _Call("GET", f"/holds/{hold_id}"))
        return as_hold(reply, hold_id, ALL_STATES)

    # --- one call: slot, attempts, circuit -------------------------------------------------------

    async def _send(self, endpoint: LineEndpoint, call: _Call) -> Members | Rejected | Unreachable:
        try:
            line = self._line(endpoint)
        except DestinationRefused as refusal:
            return Rejected(DESTINATION_REFUSED, str(refusal))
        deadline = self._monotonic() + self._limits.total
        if not await self._take_slot(line):
            return Unreachable("busy")
        try:
            return await self._attempts(line, call, deadline)
        finally:
            line.slots.release()

    def _line(self, endpoint: LineEndpoint) -> _Line:
        line = self._lines.get(endpoint.slug)
        if line is not None and line.endpoint == endpoint:
            return line
        base = check_url(endpoint.base_url, allowed=self._allowed)
        if base.query_string or base.fragment:
            raise DestinationRefused("a base URL has no query and no fragment")
        if line is not None and line.base == base:  # a new secret for the same place
            line.endpoint = endpoint
            return line
        line = self._lines[endpoint.slug] = _Line(endpoint, base, self._limits)
        return line

    async def _take_slot(self, line: _Line) -> bool:
        """Wait for a slot for at most half the budget, so that the call itself has a chance."""
        if not line.slots.locked():
            return await line.slots.acquire()
        try:
            async with asyncio.timeout(self._limits.total / 2):
                return await line.slots.acquire()
        except TimeoutError:
            return False

    async def _attempts(self, line: _Line, call: _Call, deadline: float) -> Members | Rejected | Unreachable:
        headers = self._headers(line, call)  # signed once: a retry has the same webhook-id
        attempt = 0
        while True:
            reply = await self._attempt(line, call, headers, deadline)
            if not isinstance(reply, _Fault):
                return reply
            pause = self._pause(attempt, reply)
            if (
                attempt == self._limits.retries
                or line.circuit.opened
                or self._monotonic() + pause >= deadline
            ):
                return self._unreachable(line, reply)
            attempt += 1
            await self._sleep(pause)

    def _headers(self, line: _Line, call: _Call) -> dict[str, str]:
        headers = dict(_PLAIN)
        if call.body:
            headers["Content-Type"] = JSON_CONTENT_TYPE
        if call.idempotency_key:
            headers["Idempotency-Key"] = call.idempotency_key
        if call.signed:
            secret, message_id = line.endpoint.secret, next(self._messages)
            headers |= request_headers(secret, call.method, call.path, call.body, self._now(), message_id)
        return headers

    def _pause(self, attempt: int, fault: _Fault) -> float:
        """Seconds before the next attempt: full jitter over a doubling back-off."""
        jittered = self._rng.random() * self._limits.backoff * 2.0**attempt
        return max(jittered, fault.retry_after or 0.0)

    async def _attempt(
        self, line: _Line, call: _Call, headers: Mapping[str, str], deadline: float
    ) -> _Reply | Unreachable:
        started = self._monotonic()
        circuit = line.circuit.admit(started)
        if circuit is None:
            return self._unreachable(line, _Fault("circuit_open"))
        line.circuit = circuit
        try:
            reply = await self._exchange(line, call, headers, deadline - started)
        except (aiohttp.ClientError, OSError) as error:
            reply = _Fault(why(error))
        except DestinationRefused as refusal:
            line.circuit = line.circuit.abandoned(circuit.era)
            return Rejected(DESTINATION_REFUSED, str(refusal))
        except BaseException:
            line.circuit = line.circuit.abandoned(circuit.era)
            raise
        self._note(line, circuit.era, reply, started)
        return reply

    def _note(self, line: _Line, era: int, reply: _Reply, started: float) -> None:
        """Tell the circuit what came of the attempt; an answer is a success, whatever it says."""
        now = self._monotonic()
        line.vitals.note(now - started, reply.why if isinstance(reply, _Fault) else "", self._now())
        if not isinstance(reply, _Fault):
            line.circuit = line.circuit.succeeded(era)
            return
        not_before = None if reply.retry_after is None else now + reply.retry_after
        before = line.circuit
        line.circuit = before.failed(era, now, self._policy, self._rng, not_before)
        if line.circuit.opened > before.opened:
            seconds = line.circuit.until - now
            log.warning("line %s: %s, no calls for %.1f s", line.endpoint.slug, reply.why, seconds)

    def _unreachable(self, line: _Line, fault: _Fault) -> Unreachable:
        now = self._monotonic()
        waits = [fault.retry_after or 0.0, (line.circuit.retry_at() or now) - now]
        wait = max(waits)
        return Unreachable(fault.why, self._now() + timedelta(seconds=wait) if wait > 0 else None)

    async def _exchange(self, line: _Line, call: _Call, headers: Mapping[str, str], seconds: float) -> _Reply:
        async with self._session.request(
            call.method,
            line.url(call.path),
            data=call.body or None,
            headers=headers,
            allow_redirects=False,
            # Zero would mean "for ever"; the ceiling is off: aiohttp would round 5 s up.
            timeout=aiohttp.ClientTimeout(total=max(seconds, 0.001), ceil_threshold=math.inf),
        ) as response:
            if response.status == 429 or response.status >= 500:
                after = retry_after(response.headers.get("Retry-After"), self._now())
                return _Fault(f"status_{response.status}", after)
            return read_answer(response, await bounded_body(response))
