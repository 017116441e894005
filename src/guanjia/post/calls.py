"""The calls that deliveries make, outside of any transaction, each with an end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import aiohttp

from guanjia.lines.protocol.signing import webhook_headers
from guanjia.lines.ssrf import DestinationRefused, Network, check_url, guarded_session
from guanjia.post.letters import Letter, Outcome
from guanjia.post.models import EndpointKind
from guanjia.post.robots import ring, verdict

TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
MAIL_SECONDS: Final = 60.0
CALL_SECONDS: Final = 90.0
_READ_MOST: Final = 64 * 1024
Carry = Callable[[Letter], Outcome]
"""Hands a letter to the mail system; it may block."""


@dataclass(frozen=True, slots=True)
class Hook:
    """One call of an endpoint: `content` a robot's text or a webhook's body; `trusted`: the house's own."""

    uid: UUID
    kind: str
    url: str = field(repr=False)
    secret: str = field(repr=False)
    content: bytes = field(repr=False)
    trusted: bool


Call = Letter | Hook


@asynccontextmanager
async def caller(carry: Carry, allowed: Sequence[Network]) -> AsyncIterator[Caller]:
    """A caller with its connections, made in a running loop."""
    async with guarded_session() as public, guarded_session(allowed) as house:
        yield Caller(carry, public, house, allowed)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a call. `gone`: the other side wants no more of them."""

    outcome: Outcome
    milliseconds: int
    gone: bool = False


class Caller:
    """Makes the calls. The house's own endpoints may lie in the `allowed` networks, a merchant's are at
    public addresses only; redirects are not followed."""

    def __init__(
        self,
        carry: Carry,
        public: aiohttp.ClientSession,
        house: aiohttp.ClientSession,
        allowed: Sequence[Network],
    ) -> None:
        self._carry = carry
        self._public = public
        self._house = house
        self._allowed = tuple(allowed)

    async def make(self, call: Call) -> Answer:
        begun = time.monotonic()
        if isinstance(call, Letter):
            outcome, gone = await self._mail(call), False
        else:
            outcome, gone = await self._hook(call)
        return Answer(outcome, int((time.monotonic() - begun) * 1000), gone)

    async def _mail(self, letter: Letter) -> Outcome:
        try:
            return await asyncio.wait_for(asyncio.to_thread(self._carry, letter), MAIL_SECONDS)
        except TimeoutError:
            return Outcome("later", "timeout")

    async def _hook(self, hook: Hook) -> tuple[Outcome, bool]:
        try:
            check_url(hook.url, allowed=self._allowed if hook.trusted else ())
            return await self._post(hook)
        except DestinationRefused as refusal:
            return Outcome("refused", str(refusal)[:200]), False
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as fault:
            return Outcome("later", type(fault).__name__), False

    async def _post(self, hook: Hook) -> tuple[Outcome, bool]:
        now = datetime.now(UTC)
        url, body, headers = hook.url, hook.content, {"content-type": "application/json"}
        if hook.kind == EndpointKind.WEBHOOK:
            headers |= webhook_headers(hook.secret, body, now, f"msg_{hook.uid.hex}")
        else:
            rung = ring(hook.kind, hook.url, hook.secret, hook.content.decode(), now)
            url, body = rung.url, rung.body
        http = self._house if hook.trusted else self._public
        async with http.post(
            url, data=body, headers=headers, allow_redirects=False, timeout=TIMEOUT
        ) as answer:
            said = await answer.content.read(_READ_MOST)
            if hook.kind != EndpointKind.WEBHOOK:
                return verdict(hook.kind, answer.status, said), False
            return _taken(answer.status), answer.status == 410


def _taken(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome("sent")
    return Outcome("refused" if status == 410 else "later", f"HTTP {status}")
