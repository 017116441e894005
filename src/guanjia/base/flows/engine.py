"""The worker's engine: claims flows and takes turns, settling many that are ready in one transaction.

Group commit is what makes it fast: whatever is ready when a settle begins is settled together, so one
slow line delays its own packages and no others. `batch=1` gives every flow its own transactions.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, Protocol, TypeVar

from django.db import DatabaseError, InterfaceError, connection, transaction

from guanjia.base.flows import queue
from guanjia.base.flows.pulse import Pulse

CallT = TypeVar("CallT")
AnswerT = TypeVar("AnswerT")
T = TypeVar("T")

log = logging.getLogger("guanjia.flows")

POLL_SECONDS = 0.5
"""How late a due time may be noticed. A fresh flow does not wait: NOTIFY announces it."""
KEEP_SECONDS = 5.0
PAUSE_AFTER_FAULT = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Turn(Generic[CallT]):
    """What a settle decided for one key: calls to perform now, or when to look again (None: never)."""

    key: int
    calls: Sequence[CallT]
    wake_at: datetime | None


class FlowKind(Protocol[CallT, AnswerT]):
    """A room's flow. `name` never changes; keys are ids of the room's rows."""

    name: str

    def settle(self, batch: Sequence[tuple[int, Sequence[AnswerT]]], now: datetime) -> list[Turn[CallT]]:
        """Decide from the rows, within the transaction it is called in. No calls to the outside."""

    async def perform(self, call: CallT) -> AnswerT:
        """Make one call. Bounded in time; never raises for what the other side does."""


_DATABASE_FAULTS = (DatabaseError, InterfaceError)


class Engine(Generic[CallT, AnswerT]):
    """One worker's engine for one flow. `inflight` bounds what it holds in memory at once."""

    def __init__(
        self,
        kind: FlowKind[CallT, AnswerT],
        dsn: str,
        *,
        batch: int = 64,
        inflight: int = 256,
        settlers: int = 1,
    ) -> None:
        self._kind = kind
        self._batch = batch
        self._inflight = inflight
        self._settlers = settlers
        self._lease = secrets.randbits(31)
        self._pulse = Pulse(dsn, self._lease)
        self._active: set[int] = set()
        self._ready: asyncio.Queue[tuple[int, Sequence[AnswerT]]] = asyncio.Queue()
        self._threads = ThreadPoolExecutor(settlers + 1, thread_name_prefix="settle")
        self._calls: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then finish the calls under way and put everything back."""
        loops = [self._pulse.run(), self._claim_loop(stop)]
        tasks = [asyncio.create_task(loop) for loop in loops]
        tasks += [asyncio.create_task(self._settle_loop()) for _ in range(self._settlers)]
        stopping = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopping}:
                task.result()  # a loop only ends by a programming error: fail loudly
        finally:
            await self._wind_down([*tasks, stopping])

    async def _wind_down(self, tasks: Sequence[asyncio.Task[object]]) -> None:
        for task in [*tasks, *self._calls]:
            task.cancel()
        await asyncio.gather(*tasks, *self._calls, return_exceptions=True)
        try:
            await self._in_thread(self._keep, ())
        except _DATABASE_FAULTS:
            log.warning("could not give flows back; another worker will free them")
        self._threads.shutdown(wait=True)

    # --- claiming -------------------------------------------------------------------------------

    async def _claim_loop(self, stop: asyncio.Event) -> None:
        """Claims and housekeeping take turns here, so that neither sees the other half done."""
        loop = asyncio.get_running_loop()
        keep_at = loop.time()
        while not stop.is_set():
            if loop.time() >= keep_at:
                keep_at = loop.time() + KEEP_SECONDS
                await self._guarded(self._keep, tuple(self._active))
            room = min(self._inflight - len(self._active), 2 * self._batch * self._settlers)
            keys = await self._guarded(self._claim, room) if room > 0 else None
            if not keys:
                await self._pulse.wait(POLL_SECONDS)
                continue
            self._active.update(keys)
            for key in keys:
                self._ready.put_nowait((key, ()))

    def _claim(self, room: int) -> list[int]:
        return queue.claim(self._kind.name, self._lease, room, _now())

    def _keep(self, keys: Sequence[int]) -> None:
        """Show that we live for what we hold, and take over from those who do not."""
        queue.keep(self._kind.name, self._lease, keys, _now())
        queue.free_the_dead(_now())

    # --- turns ----------------------------------------------------------------------------------

    async def _settle_loop(self) -> None:
        while True:
            batch = [await self._ready.get()]
            while len(batch) < self._batch and not self._ready.empty():
                batch.append(self._ready.get_nowait())
            await self._settle_until_done(batch)

    async def _settle_until_done(self, batch: Sequence[tuple[int, Sequence[AnswerT]]]) -> None:
        """A lost database is waited for with the answers in hand: nothing is forgotten."""
        pause = 0.1
        while True:
            try:
                turns = await self._in_thread(self._settle, batch)
            except _DATABASE_FAULTS as fault:
                log.warning("settle failed, trying again: %s", str(fault).splitlines()[0])
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)
            except Exception:
                await self._isolate(batch)
                return
            else:
                self._go_on(turns)
                return

    def _settle(self, batch: Sequence[tuple[int, Sequence[AnswerT]]]) -> list[Turn[CallT]]:
        with transaction.atomic():
            turns = self._kind.settle(batch, _now())
            rest = {turn.key: turn.wake_at for turn in turns if not turn.calls}
            queue.put_back(self._kind.name, self._lease, rest)
        return turns

    def _go_on(self, turns: Sequence[Turn[CallT]]) -> None:
        for turn in turns:
            if turn.calls:
                task = asyncio.create_task(self._perform(turn))
                self._calls.add(task)
                task.add_done_callback(self._calls.discard)
            else:
                self._active.discard(turn.key)

    async def _perform(self, turn: Turn[CallT]) -> None:
        answers = await asyncio.gather(*(self._kind.perform(call) for call in turn.calls))
        self._ready.put_nowait((turn.key, answers))

    async def _isolate(self, batch: Sequence[tuple[int, Sequence[AnswerT]]]) -> None:
        """One flow in the batch trips a fault of ours: settle each alone, and set that one aside."""
        if len(batch) > 1:
            for one in batch:
                await self._settle_until_done([one])
            return
        key = batch[0][0]
        log.exception("flow %s %s failed; trying again in %s", self._kind.name, key, PAUSE_AFTER_FAULT)
        later = {key: _now() + PAUSE_AFTER_FAULT}
        await self._guarded(queue.put_back, self._kind.name, self._lease, later)
        self._active.discard(key)

    # --- threads --------------------------------------------------------------------------------

    async def _in_thread(self, function: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, _with_connection, function, args
        )

    async def _guarded(self, function: Callable[..., T], *args: object) -> T | None:
        """Housekeeping: a database fault costs one round, not the worker."""
        try:
            return await self._in_thread(function, *args)
        except _DATABASE_FAULTS as fault:
            log.warning("%s: %s", function.__name__, str(fault).splitlines()[0])
            await asyncio.sleep(0.2)
            return None


def _with_connection(function: Callable[..., T], args: Sequence[object]) -> T:
    """Threads keep their connection; after a fault it is dropped, so that the next use reconnects."""
    try:
        return function(*args)
    except _DATABASE_FAULTS:
        connection.close()
        raise


def _now() -> datetime:
    return datetime.now(UTC)
