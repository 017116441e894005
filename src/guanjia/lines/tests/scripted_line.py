"""A line that answers by a script, and what it has seen of us."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from aiohttp import web

from guanjia.lines.circuit import Policy
from guanjia.lines.client import Limits, LineClient, LineEndpoint
from guanjia.lines.protocol.messages import (
    Authority,
    HoldRequest,
)
from guanjia.lines.ssrf import LOOPBACK

SECRET = "whsec_" + "c2VjcmV0LW9mLXRoZS1kaXNwbGF5LXNsb3RzLWxpbmU="
HOLD_ID = UUID("0b9f0000-0000-4000-8000-000000000001")
OTHER_ID = UUID("0b9f0000-0000-4000-8000-000000000002")
NOON = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
EXPIRY = datetime(2026, 11, 10, 12, 15, tzinfo=UTC)
HELD = {
    "hold_id": str(HOLD_ID),
    "state": "held",
    "expires_at": "2026-11-10T12:15:00Z",
    "quote": {"amount": 120000, "currency": "CNY"},
    "decision_due_at": None,
    "reason": None,
    "reference": "TB-88231",
}
REQUEST = HoldRequest(
    hold_id=HOLD_ID,
    service="home-banner",
    params={"day": "2026-11-11"},
    merchant_ref="M-1042",
    merchant_name="云栖女装",
    package_number="PK-2026-000017",
    item=1,
    ttl_seconds=900,
    authority_kind=Authority.MANDATE,
    mandate="MD-7",
)
MANIFEST = {
    "protocol": "LP/1",
    "line": "display-slots",
    "titles": {"zh-Hans": "淘宝展位", "en": "Display slots"},
    "services": [],
}


def ok(document: object, **headers: str) -> web.Response:
    return web.json_response(document, headers=headers)


def state(name: str, **more: object) -> web.Response:
    return ok({**HELD, "state": name, **more})


def problem(status: int, code: str, **members: object) -> web.Response:
    body = {"type": "about:blank", "status": status, "code": code, **members}
    return web.json_response(body, status=status, content_type="application/problem+json")


@dataclass
class Seen:
    """One request as the line got it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class World:
    """A client with clocks we set, one scripted line, and what happened between them."""

    client: LineClient
    endpoint: LineEndpoint
    seen: list[Seen]
    pauses: list[float]
    clock: list[float] = field(default_factory=lambda: [0.0])

    async def hold(self):
        return await self.client.hold(self.endpoint, REQUEST)


class Half:
    def random(self) -> float:
        return 0.5


@asynccontextmanager
async def a_world(*script, limits: Limits | None = None, policy: Policy | None = None):
    """`script`: responses in order, or one async function of the request for all of them."""
    seen: list[Seen] = []
    answers = list(script)

    async def answer(request: web.BaseRequest):
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        seen.append(Seen(request.method, request.path_qs, headers, body))
        if callable(answers[0]):
            return await answers[0](request)
        return answers.pop(0)

    runner = web.ServerRunner(web.Server(answer, handler_cancellation=True), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    clock, pauses = [0.0], []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        clock[0] += seconds

    client = LineClient(
        LOOPBACK,
        limits=limits or Limits(),
        policy=policy,
        rng=Half(),
        sleep=sleep,
        monotonic=lambda: clock[0],
        now=lambda: NOON + timedelta(seconds=clock[0]),
    )
    endpoint = LineEndpoint("display-slots", f"http://127.0.0.1:{port}/lp/", SECRET)
    try:
        async with client:
            yield World(client, endpoint, seen, pauses, clock)
    finally:
        await runner.cleanup()


def hold_outcome(*script, **more):
    async def main():
        async with a_world(*script, **more) as world:
            return await world.hold()

    return asyncio.run(main())
