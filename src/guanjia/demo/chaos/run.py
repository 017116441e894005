"""One run: open the house, let it storm, let it calm, stop everything, audit."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from guanjia.base.processes import Supervisor
from guanjia.cli.house import ready
from guanjia.demo.chaos.audit import audit
from guanjia.demo.chaos.clerks import Clerk
from guanjia.demo.chaos.house import Ground, make_stalls, people, programs
from guanjia.demo.chaos.merchants import Street
from guanjia.demo.chaos.plan import Kill, Plan
from guanjia.demo.chaos.proxy import Proxy
from guanjia.demo.chaos.report import SHOWN, RunReport
from guanjia.demo.chaos.trades import TRADES
from guanjia.lines.protocol.messages import Rule

T = TypeVar("T")

ROUND = 0.05
TELL_EVERY = 5.0
STREET_LIMIT = 90.0
"""Seconds after the storm in which the last merchants must have their answer."""


class Run:
    """A run of `plan`. The processes belong to the calling thread, the street has one of its own."""

    def __init__(self, ground: Ground, plan: Plan, *, fenced: bool = True) -> None:
        self._ground = ground
        self._plan = plan
        self._fenced = fenced
        self._stalls = make_stalls(ground, plan, fenced=fenced)
        self._supervisor = Supervisor(ground.home, programs(self._stalls, plan))
        self._clerks = [
            Clerk(self._stalls[trade.slug].setting, plan.seed)
            for trade in TRADES
            if trade.decision.rule is not Rule.NEVER and trade.slug != plan.down
        ]
        self._loop = asyncio.new_event_loop()
        self._proxies: list[Proxy] = []
        self._kills: Counter[str] = Counter()
        self._told = 0.0

    def play(self, settle_seconds: float) -> RunReport:
        """Raises base.processes.ProgramError when a process does not come back."""
        began = time.monotonic()
        thread = threading.Thread(target=self._loop.run_forever, name="street", daemon=True)
        self._supervisor.start()
        try:
            ready()
            thread.start()
            return self._play(began, settle_seconds)
        finally:
            self._close(thread)
            self._supervisor.stop()
            _forget_the_database()

    def _play(self, began: float, settle_seconds: float) -> RunReport:
        street = Street(self._ground.base_url, people(self._stalls))
        self._await(self._open_proxies())
        for clerk in self._clerks:
            clerk.start()
        self._storm(street)
        self._await(self._calm())
        seconds = self._settle(settle_seconds)
        return self._report(street, began, seconds)

    # --- the storm ------------------------------------------------------------------------------

    def _storm(self, street: Street) -> None:
        start = time.monotonic()
        asking = asyncio.run_coroutine_threadsafe(street.ask_for_all(self._plan.wishes), self._loop)
        kills = list(self._plan.kills)
        while kills or not asking.done():
            elapsed = time.monotonic() - start
            self._supervisor.look()
            kills = [kill for kill in kills if not self._kill(kill, elapsed)]
            self._tell(lambda: f"{len(street.numbers)} acknowledged, {self._kills.total()} killed")
            if elapsed > self._plan.seconds + STREET_LIMIT:
                asking.cancel()
                street.faults.append("not every merchant had an answer in time")
                return
            time.sleep(ROUND)
        asking.result()

    def _kill(self, kill: Kill, elapsed: float) -> bool:
        """Whether this one is done with. What is only just starting is killed when it has started."""
        if kill.at > elapsed or kill.name not in self._supervisor.seconds():
            return False
        self._supervisor.kill(kill.name)
        self._kills[kill.name] += 1
        return True

    # --- the calm after it ----------------------------------------------------------------------

    async def _open_proxies(self) -> None:
        self._proxies = [stall.proxy(self._plan) for stall in self._stalls.values()]
        for proxy in self._proxies:
            await proxy.start()

    async def _calm(self) -> None:
        for proxy in self._proxies:
            await proxy.calm()

    def _settle(self, limit: float) -> float | None:
        """Seconds until every package was over, None if they were not within the limit."""
        start = time.monotonic()
        while (elapsed := time.monotonic() - start) < limit:
            left = self._waiting()
            if not left and all(proxy.idle() for proxy in self._proxies):
                return elapsed
            self._tell(lambda: f"the storm is over, {self._waiting()} packages are not")
            self._look_for(0.5)
        return None

    def _waiting(self) -> int:
        """Packages that are not over; all of them while the database is still coming back."""
        from django.db import DatabaseError

        from guanjia.demo.chaos.view import waiting

        try:
            return waiting(self._plan)
        except DatabaseError:
            _forget_the_database()
            return len(self._plan.wishes)

    def _look_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._supervisor.look()
            time.sleep(ROUND)

    # --- the end --------------------------------------------------------------------------------

    def _report(self, street: Street, began: float, settled: float | None) -> RunReport:
        from guanjia.demo.chaos.view import apart_from, disagreements, histories, packages_of

        views = packages_of(self._plan)
        found = audit([stall.setting.database for stall in self._stalls.values()])
        apart = apart_from(self._plan) | {view.wish for view in views if not view.ended}
        return RunReport(
            name=self._plan.name,
            seed=self._plan.seed,
            fenced=self._fenced,
            packages=len(self._plan.wishes),
            acknowledged=len(street.numbers),
            seconds=round(time.monotonic() - began, 1),
            settled_after=settled,
            kills=self._kills,
            faults=sum((proxy.counts for proxy in self._proxies), Counter()),
            merchants=street.counts,
            decisions=sum((clerk.counts for clerk in self._clerks), Counter()),
            outcomes=Counter(view.state for view in views),
            audit=found,
            apart=apart,
            disagreements=disagreements(self._plan, street.numbers, views, found),
            complaints=street.faults,
            histories=histories([view for view in views if view.wish in found.wishes][:SHOWN]),
            times=sorted(v.seconds for v in views if v.seconds is not None and v.wish not in apart),
        )

    def _close(self, thread: threading.Thread) -> None:
        for clerk in self._clerks:
            clerk.stop()
        if not thread.is_alive():
            return
        with suppress(Exception):
            self._await(self._close_proxies())
        self._loop.call_soon_threadsafe(self._loop.stop)
        thread.join()
        self._loop.close()

    async def _close_proxies(self) -> None:
        for proxy in self._proxies:
            await proxy.close()

    # --- the two threads ------------------------------------------------------------------------

    def _await(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for the street, and look after the processes meanwhile."""
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        while not future.done():
            self._supervisor.look()
            time.sleep(ROUND)
        return future.result()

    def _tell(self, words: Callable[[], str]) -> None:
        if time.monotonic() - self._told > TELL_EVERY:
            self._told = time.monotonic()
            print(f"{self._plan.name}: {words()}", file=sys.stderr, flush=True)


def _forget_the_database() -> None:
    """It was killed or stopped; the next question connects anew."""
    from django.conf import settings
    from django.db import connection

    if settings.configured:
        connection.close()
