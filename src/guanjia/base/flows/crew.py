"""What the engines of one worker share: a pulse, and the threads in which they settle."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, connection

from guanjia.base.flows.pulse import Pulse

T = TypeVar("T")

DATABASE_FAULTS = (DatabaseError, InterfaceError)


class Crew:
    """Every thread keeps one database session and the pulse another: a worker holds `threads + 1`,
    however many engines it runs. Use `crew` to make one."""

    def __init__(self, dsn: str, threads: int) -> None:
        self.lease = secrets.randbits(31)
        self.pulse = Pulse(dsn, self.lease)
        self._size = threads
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="settle")

    def do(self, function: Callable[..., T], *args: object) -> Future[T]:
        """Call it in one of the threads; after a fault of the database the thread connects anew."""
        return self._threads.submit(_with_connection, function, args)

    def hang_up(self) -> None:
        """After what the threads had begun, close their sessions."""
        everyone = threading.Barrier(self._size)
        for _ in range(self._size):
            self._threads.submit(_hang_up, everyone)
        self._threads.shutdown(wait=True)


@contextlib.asynccontextmanager
async def crew(dsn: str, *, threads: int) -> AsyncIterator[Crew]:
    """A crew at work; at the end, when its engines have stopped, its sessions are closed.

    With two threads and more, one long settle does not keep the others from claiming.
    """
    members = Crew(dsn, threads)
    pulse = asyncio.create_task(members.pulse.run())
    try:
        yield members
    finally:
        pulse.cancel()
        await asyncio.gather(pulse, return_exceptions=True)
        await asyncio.to_thread(members.hang_up)


def _with_connection(function: Callable[..., T], args: Sequence[object]) -> T:
    """Threads keep their connection; after a fault it is dropped, so that the next use reconnects."""
    try:
        return function(*args)
    except DATABASE_FAULTS:
        connection.close()
        raise


def _hang_up(everyone: threading.Barrier) -> None:
    """Runs once in each thread of the pool: nobody takes a second turn before all have come."""
    everyone.wait()
    connection.close()
