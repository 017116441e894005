"""A worker's own database session: it listens for new flows, sees which are due, and shows that we live."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import psycopg

from guanjia.base.flows.queue import CHANNEL, FREE_THE_DEAD, LOCK_CLASS

log = logging.getLogger("guanjia.flows")

AGAIN_SECONDS = 0.2
POLL_SECONDS = 1.0
"""How late a due time may be noticed. A fresh flow does not wait: NOTIFY announces it."""
LOOK_SECONDS = 5.0
"""How often we look for what the dead have left."""
STEADY_SECONDS = 2.0
"""After the database was away all workers come back at about the same time: none judges sooner."""
_DUE = """
SELECT name FROM unnest(%s::text[]) AS name WHERE EXISTS (
  SELECT FROM base_flow f WHERE f.name = name.name AND f.due_at <= now() AND f.lease IS NULL)
"""


class Pulse:
    """Holds the advisory lock of `lease` and wakes the engines that have something to do; reconnects for
    ever. One session serves all engines of a worker."""

    def __init__(self, dsn: str, lease: int) -> None:
        self._dsn = dsn
        self._lease = lease
        self._ears: dict[str, asyncio.Event] = {}
        self._since: float | None = None
        self._look_at = 0.0

    @property
    def beats(self) -> bool:
        """Whether our lock is held, as far as we know. Without it others free what we claim."""
        return self._since is not None

    def ear(self, name: str) -> asyncio.Event:
        """Set whenever flows of this name are to be looked at; `wait` clears it. One a name: a second
        engine under the same lease would free what the first works on."""
        if name in self._ears:
            raise ValueError(f"two engines for {name} in one crew")
        return self._ears.setdefault(name, asyncio.Event())

    async def wait(self, ear: asyncio.Event, seconds: float) -> bool:
        """Until something new is announced to this ear, at most `seconds`; whether something was."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ear.wait(), seconds)
        woken = ear.is_set()
        ear.clear()
        return woken

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
            self._look_at = self._since + STEADY_SECONDS
            self._tell(tuple(self._ears))
            while True:
                async for notice in session.notifies(timeout=POLL_SECONDS):
                    self._tell([notice.payload])
                await self._free_the_dead(session)
                due = await session.execute(_DUE, [list(self._ears)])
                self._tell([name for (name,) in await due.fetchall()])

    async def _free_the_dead(self, session: psycopg.AsyncConnection[Any]) -> None:
        """Now and then, and not before the others have had the time to show that they live, too."""
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK_SECONDS
            await session.execute(FREE_THE_DEAD, {"now": datetime.now(UTC)})

    def _tell(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self._ears:
                self._ears[name].set()
