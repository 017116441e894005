"""What a line's answer comes to: the outcomes of a call, and how an HTTP response becomes one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from uuid import UUID

import aiohttp

from guanjia.lines.protocol.errors import (
    PROBLEM_CONTENT_TYPE,
    STATUS_OF_CODE,
    FieldError,
    ProtocolError,
)
from guanjia.lines.protocol.messages import HoldState, HoldView, Manifest
from guanjia.lines.protocol.wire import MAX_BODY_BYTES, Members, parse_body

CONTRACT_BREACH: Final = "contract_breach"
DESTINATION_REFUSED: Final = "destination_refused"
JSON_CONTENT_TYPE: Final = "application/json"

_MAX_FIELD_ERRORS = 100
# A line may ask us to stay away for an hour; "next year" is a fault, not a wish.
_MAX_RETRY_AFTER = 3600.0

# Which states make sense as the 200 answer to which call (4.2 to 4.6).
ALL_STATES = frozenset(HoldState)
AFTER_HOLD = ALL_STATES - {HoldState.RELEASED}
AFTER_CONFIRM = frozenset({HoldState.CONFIRMED})
AFTER_RELEASE = frozenset({HoldState.RELEASED})
AFTER_RENEW = frozenset({HoldState.HELD, HoldState.PENDING, HoldState.CONFIRMED})


@dataclass(frozen=True, slots=True)
class Answered:
    """The line did what was asked, or it had been done before: the hold as it is now."""

    hold: HoldView


@dataclass(frozen=True, slots=True)
class Described:
    """The line's manifest."""

    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Rejected:
    """The line answered no; trying the same again changes nothing.

    `code` is a code of §7, or `contract_breach` where the answer is not LP/1, or
    `destination_refused` where we do not connect to the line's address.
    """

    code: str
    detail: str
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Nobody knows whether the call had an effect; repeat it (every call is idempotent).

    `why`: `timeout`, `dns`, `refused`, `tls`, `broken`, `status_429`, `status_5xx` as numbers,
    `circuit_open` or `busy` (all our slots for this line are taken). `retry_at`: not before then,
    where the line or its circuit says so.
    """

    why: str
    retry_at: datetime | None = None


HoldOutcome = Answered | Rejected | Unreachable
ManifestOutcome = Described | Rejected | Unreachable


def breach(detail: str) -> Rejected:
    """The answer is not LP/1; `detail` says in what way, and quotes nothing of it."""
    return Rejected(CONTRACT_BREACH, detail)


async def bounded_body(response: aiohttp.ClientResponse) -> bytes | None:
    """The body, or None as soon as it is known to be longer than LP/1 allows (2.2)."""
    declared = response.content_length
    if declared is not None:  # aiohttp reads no further than the declared length
        return await response.read() if declared <= MAX_BODY_BYTES else None
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)


def read_answer(response: aiohttp.ClientResponse, body: bytes | None) -> Members | Rejected:
    """The members of a 200, or what a refusal says; anything that is not LP/1 is a breach."""
    status = response.status
    if body is None:
        return breach(f"HTTP {status}: body longer than {MAX_BODY_BYTES} bytes")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        return breach(f"HTTP {status}: compressed although we asked for identity")
    expected = JSON_CONTENT_TYPE if status == 200 else PROBLEM_CONTENT_TYPE
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type != expected:
        return breach(f"HTTP {status}: content type is not {expected}")
    try:
        members = parse_body(body)
        return members if status == 200 else _as_rejected(status, members)
    except ProtocolError as error:
        return breach(f"HTTP {status}: {error.detail}")


def _as_rejected(status: int, problem: Members) -> Rejected:
    code = problem.text("code")
    if STATUS_OF_CODE.get(code) != status:
        return breach(f"HTTP {status} with a code that LP/1 does not have for it")
    detail = problem.optional("detail", lambda name: problem.text(name, empty=True)) or ""
    if problem.is_null("errors"):
        return Rejected(code, detail)
    errors = [
        FieldError(error.text("field", empty=True), error.text("message", empty=True))
        for error in problem.children("errors", _MAX_FIELD_ERRORS)
    ]
    return Rejected(code, detail, tuple(errors))


def as_hold(
    reply: Members | Rejected | Unreachable, hold_id: UUID, states: frozenset[HoldState]
) -> HoldOutcome:
    """The outcome of a call about `hold_id` whose 200 answer may only be in one of `states`."""
    if not isinstance(reply, Members):
        return reply
    try:
        hold = HoldView.from_json(reply)
    except ProtocolError as error:
        return breach(error.detail)
    if hold.hold_id != hold_id:
        return breach("the answer is about another hold")
    if hold.state not in states:
        return breach(f"state {hold.state} makes no sense as the answer to this call")
    return Answered(hold)


def as_manifest(reply: Members | Rejected | Unreachable) -> ManifestOutcome:
    """The outcome of a manifest call."""
    if not isinstance(reply, Members):
        return reply
    try:
        return Described(Manifest.from_json(reply))
    except ProtocolError as error:
        return breach(error.detail)


def why(error: Exception) -> str:
    """The `why` of `Unreachable` for what aiohttp raised."""
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "dns"
    if isinstance(error, aiohttp.ClientSSLError | aiohttp.ClientConnectorCertificateError):
        return "tls"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "refused"
    return "broken"


def retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds, from either form of RFC 9110 §10.2.3; None where it is missing or unreadable."""
    if text is None or len(text) > 64:
        return None
    if text.isascii() and text.isdigit():
        return min(float(text), _MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:  # "-0000": UTC, says RFC 5322
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - now).total_seconds()), _MAX_RETRY_AFTER)
