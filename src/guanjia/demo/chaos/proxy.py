"""The network between the workers and one line, when it is bad: late, twice, lost, out of order.

Faults are drawn per request from the seed, the hold and how often it was asked, so that they do not
depend on who comes first. Everything is bounded: each delay, how many requests are held back, how long.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from random import Random

import aiohttp
from aiohttp import web
from yarl import URL

HOST = "127.0.0.1"
FORWARD = aiohttp.ClientTimeout(total=10)
STALL_SECONDS = 6.0
"""Longer than a worker waits for a line: it gives up, and the request arrives after that."""
HELD_MOST = 200
HELD_SECONDS = (3.0, 12.0)
BLACKOUT_SECONDS = 3.0
_PASSED_ON = ("content-type", "idempotency-key", "webhook-id", "webhook-timestamp", "webhook-signature")


@dataclass(frozen=True, slots=True)
class Message:
    """One request: `hold` is the hold it is about, `action` hold, confirm, release, renew or look."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    hold: str
    action: str


@dataclass(slots=True)
class HeldBack:
    """A request on its way to being late: it goes on when `overtaken`, or after a while."""

    message: Message
    overtaken: asyncio.Event = field(default_factory=asyncio.Event)


Fault = Callable[["Proxy", Message, Random], Awaitable[web.Response | None]]


class Proxy:
    """Listens on `port` and forwards to the line on `upstream`. `faults` scales how often it misbehaves.

    `counts` says how often which fault happened. A `down` proxy answers nobody.
    """

    def __init__(
        self, line: str, *, port: int, upstream: int, seed: int, faults: float, down: bool = False
    ) -> None:
        self.line = line
        self.counts: Counter[str] = Counter()
        self._port = port
        self._upstream = upstream
        self._seed = seed
        self._faults = faults
        self._down = down
        self._asked: Counter[str] = Counter()
        self._wishes: dict[str, str] = {}
        self._first_seen: dict[str, float] = {}
        self._calmed = asyncio.Event()
        self._under_way = 0
        self._held: list[HeldBack] = []
        self._late: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Call it inside the loop that is to serve."""
        self._session = aiohttp.ClientSession(timeout=FORWARD, auto_decompress=False)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self._port).start()

    async def calm(self) -> None:
        """From now on a good network; what was held back goes on at once, and has arrived on return."""
        self._faults = 0.0
        self._calmed.set()
        for held in self._held:
            held.overtaken.set()
        while self._late:
            await asyncio.gather(*self._late, return_exceptions=True)

    def idle(self) -> bool:
        """Whether no request is on its way here."""
        return not self._under_way and not self._late

    async def pause(self, seconds: float) -> None:
        """Part of a fault: ends early when the network gets well."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._calmed.wait(), seconds)

    async def close(self) -> None:
        for task in self._late:
            task.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)
        await self._runner.cleanup()
        await self._session.close()

    # --- one request ----------------------------------------------------------------------------

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self._under_way += 1
        try:
            response = await self._treat(await self._read(request))
        finally:
            self._under_way -= 1
        if response is None and request.transport is not None:
            request.transport.abort()
        return response or web.Response()

    async def _treat(self, message: Message) -> web.Response | None:
        rng = self._rng(message)
        fault = self._draw(message, rng)
        self.counts[fault] += 1
        return await FAULTS[fault](self, message, rng)

    async def _read(self, request: web.Request) -> Message:
        body = await request.read()
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        parts = request.path.strip("/").split("/")
        if request.method == "POST" and parts == ["holds"]:
            asked = json.loads(body)
            hold = str(asked["hold_id"])
            self._wishes[hold] = f"{asked['params']['wish']} {asked['package']['item']}"
            return Message(request.method, request.raw_path, headers, body, hold, "hold")
        hold = parts[1] if len(parts) > 1 else ""
        action = parts[2] if len(parts) > 2 else "look"
        return Message(request.method, request.raw_path, headers, body, hold, action)

    def _rng(self, message: Message) -> Random:
        about = f"{self.line} {self._wishes.get(message.hold, message.hold)} {message.action}"
        self._asked[about] += 1
        return Random(f"{self._seed} {about} {self._asked[about]}")  # noqa: S311 - repeatable on purpose

    def _draw(self, message: Message, rng: Random) -> str:
        if self._down:
            return "down"
        if self._blacked_out(message):
            return "held_back"
        dice = rng.random()
        for name, share in SHARES.items():
            dice -= share * self._faults
            if dice < 0:
                return name
        return "passed"

    def _blacked_out(self, message: Message) -> bool:
        """For some items nothing of the first seconds of holding gets through: only later, or too late."""
        if message.action != "hold" or not self._faults:
            return False
        wish = self._wishes[message.hold]
        chosen = Random(f"{self._seed} {self.line} {wish}").random() < BLACKOUTS * self._faults  # noqa: S311
        now = asyncio.get_running_loop().time()
        since = self._first_seen.setdefault(wish, now)
        return chosen and now - since < BLACKOUT_SECONDS

    async def forward(self, message: Message) -> web.Response | None:
        """The line's answer, None where there is none; what this overtook may go on now."""
        url = URL(f"http://{HOST}:{self._upstream}{message.target}", encoded=True)
        try:
            async with self._session.request(
                message.method, url, data=message.body, headers=message.headers, allow_redirects=False
            ) as answer:
                body = await answer.read()
                response = web.Response(status=answer.status, body=body)
                response.headers["Content-Type"] = answer.headers.get("Content-Type", "application/json")
        except (aiohttp.ClientError, TimeoutError, OSError):
            self.counts["line_away"] += 1
            return None
        self._overtake(message)
        return response

    def _overtake(self, message: Message) -> None:
        for held in self._held:
            if held.message.hold == message.hold and held.message.action != message.action:
                held.overtaken.set()

    def hold_back(self, message: Message, rng: Random) -> None:
        """Keep it until a later request about the same hold has gone past, or for some seconds."""
        if len(self._held) < HELD_MOST:
            held = HeldBack(message)
            self._held.append(held)
            task = asyncio.create_task(self._later(held, rng.uniform(*HELD_SECONDS)))
            self._late.add(task)
            task.add_done_callback(self._late.discard)

    async def _later(self, held: HeldBack, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await held.overtaken.wait()
            self.counts["overtaken"] += 1
        except TimeoutError:
            self.counts["late"] += 1
        self._held.remove(held)
        await self.forward(held.message)


# --- the faults: each returns the answer for the worker, None for a broken connection ------------


async def _pass(proxy: Proxy, message: Message, _rng: Random) -> web.Response | None:
    return await proxy.forward(message)


async def _delay(proxy: Proxy, message: Message, rng: Random) -> web.Response | None:
    await proxy.pause(rng.uniform(0.05, 1.5))
    return await proxy.forward(message)


async def _stall(proxy: Proxy, message: Message, _rng: Random) -> web.Response | None:
    """The worker gives up and its connection is gone, but the request still arrives."""
    await proxy.pause(STALL_SECONDS)
    return await proxy.forward(message)


async def _duplicate(proxy: Proxy, message: Message, rng: Random) -> web.Response | None:
    """Both at the same time, or one after the other; the worker hears the second answer."""
    if rng.random() < 0.5:
        return (await asyncio.gather(proxy.forward(message), proxy.forward(message)))[1]
    await proxy.forward(message)
    return await proxy.forward(message)


async def _lose_request(_proxy: Proxy, _message: Message, _rng: Random) -> None:
    return None


async def _lose_answer(proxy: Proxy, message: Message, _rng: Random) -> None:
    await proxy.forward(message)


async def _hold_back(proxy: Proxy, message: Message, rng: Random) -> None:
    proxy.hold_back(message, rng)


async def _nobody(proxy: Proxy, _message: Message, _rng: Random) -> None:
    await proxy.pause(STALL_SECONDS)


FAULTS: Mapping[str, Fault] = {
    "passed": _pass,
    "delayed": _delay,
    "stalled": _stall,
    "duplicated": _duplicate,
    "request_lost": _lose_request,
    "answer_lost": _lose_answer,
    "held_back": _hold_back,
    "down": _nobody,
}
SHARES: Mapping[str, float] = {
    "delayed": 0.12,
    "stalled": 0.01,
    "duplicated": 0.08,
    "request_lost": 0.06,
    "answer_lost": 0.06,
    "held_back": 0.05,
}
"""How often, of all requests."""
BLACKOUTS = 0.06
"""Of all items: those whose first holds are held back."""
