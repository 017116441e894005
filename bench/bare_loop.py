"""The floor: the same eight calls per package in one concurrent loop, and nothing is remembered.

python bench/bare_loop.py LINE_URL

Each line on stdin is a number of packages; it prints a full stop per package done.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from uuid import uuid4

import aiohttp
from ground import LINES, stay_on_one_cpu

AT_ONCE = 64  # packages
_HEADERS = {"Content-Type": "application/json"}


async def package(session: aiohttp.ClientSession, line_url: str) -> None:
    """Hold on all lines at once, then confirm on all lines at once."""
    await settle(session, line_url, await hold(session, line_url))


async def hold(session: aiohttp.ClientSession, line_url: str) -> list[str]:
    """One hold on each line, at once; returns their ids."""
    holds = [str(uuid4()) for _ in range(LINES)]
    bodies = [{"hold_id": hold, "service": "slot", "params": {}, "ttl_seconds": 900} for hold in holds]
    answers = await asyncio.gather(*(_call(session, f"{line_url}/holds", body) for body in bodies))
    return [answer["hold_id"] for answer in answers if answer["state"] == "held"]


async def settle(session: aiohttp.ClientSession, line_url: str, holds: list[str]) -> None:
    """Confirm all, at once. RuntimeError if that is not what became of them."""
    body = {"authority": {"kind": "accepted"}}
    calls = (_call(session, f"{line_url}/holds/{hold}/confirm", body) for hold in holds)
    states = [answer["state"] for answer in await asyncio.gather(*calls)]
    if states != ["confirmed"] * LINES:
        raise RuntimeError(f"the line answered {states}")


async def _call(session: aiohttp.ClientSession, url: str, body: object) -> dict[str, str]:
    async with session.post(url, data=json.dumps(body).encode(), headers=_HEADERS) as response:
        answer: dict[str, str] = json.loads(await response.read())
        return answer


def new_session() -> aiohttp.ClientSession:
    """Keep-alive connections, as many as there are calls at once."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))


async def _main(line_url: str) -> None:
    gate = asyncio.Semaphore(AT_ONCE)
    async with new_session() as session:

        async def one() -> None:
            async with gate:
                await package(session, line_url)
            os.write(1, b".")

        while order := await asyncio.to_thread(sys.stdin.readline):
            await asyncio.gather(*(one() for _ in range(int(order))))


if __name__ == "__main__":
    stay_on_one_cpu()
    asyncio.run(_main(sys.argv[1]))
