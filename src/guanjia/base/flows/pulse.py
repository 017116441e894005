"""A worker's own database session: it listens for new flows, and its lock shows that the worker lives."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import psycopg

from guanjia.base.flows.queue import CHANNEL, LOCK_CLASS

log = logging.getLogger("guanjia.flows")


class Pulse:
    """Holds the advisory lock of `lease` and wakes the claim loop; reconnects for ever."""

    def __init__(self, dsn: str, lease: int) -> None:
        self._dsn = dsn
        self._lease = lease
        self._news = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Until something new is announced, at most `seconds`."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), seconds)
        self._news.clear()

    async def run(self) -> None:
        while True:
            try:
                await self._listen()
            except psycopg.Error as fault:
                log.warning("lost the database: %s", str(fault).splitlines()[0])
            await asyncio.sleep(0.2)

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(
            self._dsn, autocommit=True, connect_timeout=5
        ) as session:
            await session.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK_CLASS, self._lease])
            await session.execute(f"LISTEN {CHANNEL}")
            self._news.set()
            async for _ in session.notifies():
                self._news.set()
