"""The worker's engine: claims flows and takes turns, settling many that are ready in one transaction.

Group commit is what makes it fast: whatever is ready when a settle begins is settled together, so one
slow line delays its own packages and no others. `batch=1` gives every flow its own transactions.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import wait as wait_for_threads
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from django.db import InterfaceError, InternalError, OperationalError, transaction

from guanjia.base.flows import queue
from guanjia.base.flows.crew import DATABASE_FAULTS, Crew

CallT = TypeVar("CallT")
AnswerT = TypeVar("AnswerT")
T = TypeVar("T")

log = logging.getLogger("guanjia.flows")

SOON_SECONDS = 1.0
"""What this worker itself puts back for less than this, it remembers; the pulse sees the rest in time."""
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


_PASSING = frozenset({"08", "25", "40", "53", "55", "57", "58"})
"""Classes of SQLSTATE for a database that is away, read-only, out of room, or in each other's way
(PostgreSQL manual, appendix A). The others are about what we sent, and waiting does not mend that."""


class Engine(Generic[CallT, AnswerT]):
    """One worker's engine for one flow. `inflight` bounds what it holds in memory at once."""

    def __init__(
        self,
        kind: FlowKind[CallT, AnswerT],
        crew: Crew,
        *,
        batch: int = 64,
        inflight: int = 256,
        settlers: int = 1,
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        self._kind = kind
        self._crew = crew
        self._call_seconds = call_seconds
        self._batch = batch
        self._inflight = inflight
        self._settlers = settlers
        self._lease = crew.lease
        self._pulse = crew.pulse
        self._ear = crew.pulse.ear(kind.name)
        self._active: set[int] = set()
        self._again: set[int] = set()
        self._unsure = False
        self._soon: list[float] = []
        self._ready: asyncio.Queue[tuple[int, Sequence[AnswerT]]] = asyncio.Queue()
        self._calls: set[asyncio.Task[None]] = set()
        self._in_threads: set[Future[Any]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then end the settle under way and put everything back.

        Calls under way are dropped: whoever takes the flow next makes them again.
        """
        tasks = [asyncio.create_task(self._claim_loop(stop))]
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
        await self._leave()

    async def _leave(self) -> None:
        """Give back what we hold, once what the threads had begun is done."""
        await asyncio.to_thread(wait_for_threads, self._in_threads)
        await self._guarded(queue.keep, self._kind.name, self._lease, (), _now())

    # --- claiming -------------------------------------------------------------------------------

    async def _claim_loop(self, stop: asyncio.Event) -> None:
        """Claims and housekeeping take turns here, so that neither sees the other half done."""
        loop = asyncio.get_running_loop()
        keep_at, woken = loop.time(), True
        while not stop.is_set():
            if loop.time() >= keep_at:
                keep_at = loop.time() + KEEP_SECONDS
                await self._keep()
            room = self._room() if self._pulse.beats else 0
            keys = await self._guarded(self._claim, room) if woken and room > 0 else None
            if keys:
                self._begin(keys)
            else:
                woken = await self._rest(keep_at)

    async def _keep(self) -> None:
        """Show that we live for what we hold. An engine at rest holds nothing, unless something it asked
        of the database was done and the answer lost."""
        if self._active or self._unsure:
            self._unsure = False
            await self._guarded(queue.keep, self._kind.name, self._lease, tuple(self._active), _now())

    async def _rest(self, keep_at: float) -> bool:
        """Until there may be something to claim (True), or it is time for housekeeping."""
        loop = asyncio.get_running_loop()
        soon = self._soon[0] if self._soon else keep_at
        woken = await self._pulse.wait(self._ear, min(soon, keep_at) - loop.time())
        due = 0
        while self._soon and self._soon[0] <= loop.time():
            due += bool(heapq.heappop(self._soon))
        return woken or due > 0

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
        seconds = (wake_at - _now()).total_seconds() if wake_at else SOON_SECONDS
        if seconds < SOON_SECONDS:
            heapq.heappush(self._soon, asyncio.get_running_loop().time() + max(seconds, 0.0))
            self._ear.set()

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
            self._ear.set()  # the claim loop sleeps, and now there is room
        self._active.discard(key)

    # --- threads --------------------------------------------------------------------------------

    async def _in_thread(self, function: Callable[..., T], *args: object) -> T:
        future = self._crew.do(function, *args)
        self._in_threads.add(future)
        future.add_done_callback(self._in_threads.discard)
        return await asyncio.wrap_future(future)

    async def _guarded(self, function: Callable[..., T], *args: object) -> T | None:
        """Housekeeping: a database fault costs one round, not the worker."""
        try:
            return await self._in_thread(function, *args)
        except DATABASE_FAULTS as fault:
            self._unsure = True
            log.warning("%s: %s", function.__name__, _first_line(fault))
            await asyncio.sleep(0.2)
            return None


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
