"""A worker's own database session: it listens for new flows, and its lock shows that the worker lives."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

import psycopg

from guanjia.base.flows.queue import CHANNEL, LOCK_CLASS

log = logging.getLogger("guanjia.flows")

AGAIN_SECONDS = 0.2
STEADY_SECONDS = 2.0
"""After the database was away all workers come back at about the same time: none judges sooner."""


class Pulse:
    """Holds the advisory lock of `lease` and wakes the claim loop; reconnects for ever."""

    def __init__(self, dsn: str, lease: int) -> None:
        self._dsn = dsn
        self._lease = lease
        self._news = asyncio.Event()
        self._since: float | None = None

    @property
    def beats(self) -> bool:
        """Whether our lock is held, as far as we know. Without it others free what we claim."""
        return self._since is not None

    @property
    def steady(self) -> bool:
        """Whether the others have had the time to show that they live, too."""
        return self._since is not None and time.monotonic() - self._since >= STEADY_SECONDS

    def nudge(self) -> None:
        """End the current wait, or the next one."""
        self._news.set()

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
            finally:
                self._since = None
            await asyncio.sleep(AGAIN_SECONDS)

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(
            self._dsn, autocommit=True, connect_timeout=5
        ) as session:
            await session.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK_CLASS, self._lease])
            await session.execute(f"LISTEN {CHANNEL}")
            self._since = time.monotonic()
            self.nudge()
            async for _ in session.notifies():
                self.nudge()
