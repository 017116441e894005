"""The worker's engine: claims flows and takes turns, settling many that are ready in one transaction.

Group commit is what makes it fast: whatever is ready when a settle begins is settled together, so one
slow line delays its own packages and no others. `batch=1` gives every flow its own transactions.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, Protocol, TypeVar

from django.db import (
    DatabaseError,
    InterfaceError,
    InternalError,
    OperationalError,
    connection,
    transaction,
)

from guanjia.base.flows import queue
from guanjia.base.flows.pulse import Pulse

CallT = TypeVar("CallT")
AnswerT = TypeVar("AnswerT")
T = TypeVar("T")

log = logging.getLogger("guanjia.flows")

POLL_SECONDS = 1.0
"""How late a due time may be noticed. A fresh flow does not wait: NOTIFY announces it. Nor does one
that this worker itself has put back for a moment."""
CLAIM_LEAST = 32
"""A claim is a commit: even where each flow is settled alone, it takes this many at once."""
KEEP_SECONDS = 5.0
CALL_SECONDS = 60.0
"""The last resort against a call that does not end; callers bound their calls far below."""
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
_PASSING = frozenset({"08", "25", "40", "53", "55", "57", "58"})
"""Classes of SQLSTATE for a database that is away, read-only, out of room, or in each other's way
(PostgreSQL manual, appendix A). The others are about what we sent, and waiting does not mend that."""


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
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        self._kind = kind
        self._call_seconds = call_seconds
        self._batch = batch
        self._inflight = inflight
        self._settlers = settlers
        self._lease = secrets.randbits(31)
        self._pulse = Pulse(dsn, self._lease)
        self._active: set[int] = set()
        self._again: set[int] = set()
        self._soon: list[float] = []
        self._ready: asyncio.Queue[tuple[int, Sequence[AnswerT]]] = asyncio.Queue()
        self._threads = ThreadPoolExecutor(settlers + 1, thread_name_prefix="settle")
        self._calls: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then end the settle under way and put everything back.

        Calls under way are dropped: whoever takes the flow next makes them again.
        """
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
        await asyncio.to_thread(self._leave)

    def _leave(self) -> None:
        """Give back what we hold, after what the threads had begun, and close their sessions."""
        everyone = threading.Barrier(self._settlers + 1)
        for _ in range(self._settlers + 1):
            self._threads.submit(_hang_up, everyone)
        self._threads.shutdown(wait=True)
        try:
            queue.keep(self._kind.name, self._lease, (), _now())
        except _DATABASE_FAULTS:
            log.warning("could not give flows back; another worker will free them")
        finally:
            connection.close()

    # --- claiming -------------------------------------------------------------------------------

    async def _claim_loop(self, stop: asyncio.Event) -> None:
        """Claims and housekeeping take turns here, so that neither sees the other half done."""
        loop = asyncio.get_running_loop()
        keep_at = loop.time()
        while not stop.is_set():
            if loop.time() >= keep_at:
                keep_at = loop.time() + KEEP_SECONDS
                await self._guarded(self._keep, tuple(self._active))
            room = self._room() if self._pulse.beats else 0
            keys = await self._guarded(self._claim, room) if room > 0 else None
            if keys:
                self._begin(keys)
            else:
                await self._pulse.wait(self._until_next(loop.time()))

    def _until_next(self, now: float) -> float:
        """Seconds until something that we put back is due, or until the next poll."""
        while self._soon and self._soon[0] <= now:
            heapq.heappop(self._soon)
        return min(self._soon[0] - now, POLL_SECONDS) if self._soon else POLL_SECONDS

    def _room(self) -> int:
        return min(self._inflight - len(self._active), max(2 * self._batch * self._settlers, CLAIM_LEAST))

    def _begin(self, keys: Sequence[int]) -> None:
        """A key that we still work on waits for its turn: a batch never has the same key twice."""
        self._again.update(self._active.intersection(keys))
        for key in set(keys) - self._active:
            self._active.add(key)
            self._ready.put_nowait((key, ()))

    def _claim(self, room: int) -> list[int]:
        return queue.claim(self._kind.name, self._lease, room, _now())

    def _keep(self, keys: Sequence[int]) -> None:
        """Show that we live for what we hold, and take over from those who do not."""
        with transaction.atomic():
            queue.keep(self._kind.name, self._lease, keys, _now())
            if self._pulse.steady:
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
            except Exception as fault:
                if not _will_pass(fault):
                    await self._isolate(batch)
                    return
                log.warning("settle failed, trying again: %s", _first_line(fault))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)
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
                self._remember(turn.wake_at)
                self._finish(turn.key)

    def _remember(self, wake_at: datetime | None) -> None:
        """Be there in time for a flow that is due again sooner than the next poll."""
        seconds = (wake_at - _now()).total_seconds() if wake_at else POLL_SECONDS
        if seconds < POLL_SECONDS:
            heapq.heappush(self._soon, asyncio.get_running_loop().time() + max(seconds, 0.0))
            self._pulse.nudge()

    async def _perform(self, turn: Turn[CallT]) -> None:
        try:
            async with asyncio.timeout(self._call_seconds):
                answers = await asyncio.gather(*(self._kind.perform(call) for call in turn.calls))
        except Exception:
            await self._set_aside(turn.key)
        else:
            self._ready.put_nowait((turn.key, answers))

    async def _isolate(self, batch: Sequence[tuple[int, Sequence[AnswerT]]]) -> None:
        """One flow in the batch trips a fault of ours: settle each alone, and set that one aside."""
        if len(batch) == 1:
            await self._set_aside(batch[0][0])
            return
        for one in batch:
            await self._settle_until_done([one])

    async def _set_aside(self, key: int) -> None:
        """Called while the fault is being handled; if giving it back fails too, `keep` frees it."""
        log.exception("flow %s %s failed; trying again in %s", self._kind.name, key, PAUSE_AFTER_FAULT)
        later = {key: _now() + PAUSE_AFTER_FAULT}
        await self._guarded(queue.put_back, self._kind.name, self._lease, later)
        self._finish(key)

    def _finish(self, key: int) -> None:
        if key in self._again:
            self._again.discard(key)
            self._ready.put_nowait((key, ()))
            return
        if self._room() <= 0:
            self._pulse.nudge()  # the claim loop sleeps, and now there is room
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
            log.warning("%s: %s", function.__name__, _first_line(fault))
            await asyncio.sleep(0.2)
            return None


def _with_connection(function: Callable[..., T], args: Sequence[object]) -> T:
    """Threads keep their connection; after a fault it is dropped, so that the next use reconnects."""
    try:
        return function(*args)
    except _DATABASE_FAULTS:
        connection.close()
        raise


def _hang_up(everyone: threading.Barrier) -> None:
    """Runs once in each thread of the pool: nobody takes a second turn before all have come."""
    everyone.wait()
    connection.close()


def _will_pass(fault: Exception) -> bool:
    """Whether waiting helps: the database is away or busy, rather than refusing what we sent it."""
    if not isinstance(fault, (OperationalError, InterfaceError, InternalError)):
        return False
    state = getattr(fault.__cause__, "sqlstate", None)
    return state is None or state[:2] in _PASSING


def _first_line(fault: Exception) -> str:
    return (str(fault).splitlines() or [type(fault).__name__])[0]


def _now() -> datetime:
    return datetime.now(UTC)
