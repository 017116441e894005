"""The merchants' programs: they ask over HTTP until they have an answer, some of them twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from guanjia.demo.chaos.line import SERVICE
from guanjia.demo.chaos.plan import Wish

PATIENCE = aiohttp.ClientTimeout(total=10)
HANG_UP_SECONDS = 0.03
AGAIN_SECONDS = 0.3


class NotAskedError(RuntimeError):
    """A request was refused that has no reason to be."""


@dataclass(frozen=True, slots=True)
class Account:
    """How a merchant's program signs in."""

    ref: str
    token: str


@dataclass(slots=True)
class Street:
    """All merchants of a run. `numbers` are the packages Guanjia has acknowledged, by wish."""

    base_url: str
    accounts: Sequence[Account]
    numbers: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    async def ask_for_all(self, wishes: Sequence[Wish]) -> None:
        """Each wish at its time; returns when each has its answer, and those given up are cancelled."""
        async with aiohttp.ClientSession(self.base_url, timeout=PATIENCE) as session:
            await asyncio.gather(*(self._live(session, wish) for wish in wishes))

    async def _live(self, session: aiohttp.ClientSession, wish: Wish) -> None:
        await asyncio.sleep(wish.at)
        try:
            self.numbers[wish.ref] = number = await self._ask(session, wish)
            if wish.cancel_after is not None:
                await asyncio.sleep(wish.cancel_after)
                await self._cancel(session, wish, number)
        except NotAskedError as error:
            self.faults.append(f"{wish.ref}: {error}")

    async def _ask(self, session: aiohttp.ClientSession, wish: Wish) -> str:
        account = self.accounts[wish.merchant]
        need = {"merchant": account.ref, "need": f"{wish.ref}: {len(wish.places)}"}
        case = await self._post(session, wish, "/api/cases", need)
        path = f"/api/cases/{case['number']}/packages"
        asked = [self._post(session, wish, path, package_of(wish)) for _ in range(1 + wish.twice)]
        numbers = {answer["number"] for answer in await asyncio.gather(*asked)}
        if len(numbers) > 1:
            raise NotAskedError(f"one key brought about {sorted(numbers)}")
        return str(numbers.pop())

    async def _cancel(self, session: aiohttp.ClientSession, wish: Wish, number: str) -> None:
        answer = await self._post(session, wish, f"/api/packages/{number}/cancel", {}, allow=(409,))
        self.counts["cancelled" if "number" in answer else "cancelled_too_late"] += 1

    async def _post(
        self,
        session: aiohttp.ClientSession,
        wish: Wish,
        path: str,
        content: Mapping[str, Any],
        *,
        allow: Sequence[int] = (),
    ) -> dict[str, Any]:
        """The answer, however often it takes; the same key each time, so that it has one effect."""
        headers = {
            "Authorization": f"Bearer {self.accounts[wish.merchant].token}",
            "Idempotency-Key": f"{wish.ref} {path}",
        }
        if wish.impatient:
            await self._hang_up(session, path, content, headers)
        while True:
            try:
                async with session.post(path, json=content, headers=headers) as answer:
                    found: dict[str, Any] = await answer.json(content_type=None)
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
                self.counts["unanswered"] += 1
            else:
                self.counts["replayed"] += "Idempotency-Replayed" in answer.headers
                if answer.status < 300 or answer.status in allow:
                    return found
                if answer.status < 500:
                    raise NotAskedError(f"{path}: {answer.status} {found.get('code')}")
                self.counts["busy"] += 1
            await asyncio.sleep(AGAIN_SECONDS)

    async def _hang_up(
        self,
        session: aiohttp.ClientSession,
        path: str,
        content: Mapping[str, Any],
        headers: Mapping[str, str],
    ) -> None:
        """Ask and do not wait for the answer: it may have had its effect, or not."""
        self.counts["hung_up"] += 1
        try:
            async with asyncio.timeout(HANG_UP_SECONDS):
                async with session.post(path, json=content, headers=headers):
                    pass
        except (aiohttp.ClientError, TimeoutError, OSError):
            return


def package_of(wish: Wish) -> dict[str, Any]:
    """The request for the package. `size` and `wish` travel with each item, for the auditor."""
    items = [
        {
            "line": line,
            "service": SERVICE,
            "params": {"slot": slot, "wish": wish.ref, "size": len(wish.places)},
        }
        for line, slot in wish.places
    ]
    return {"mode": "all_or_nothing", "items": items, "accept_total": wish.total}
