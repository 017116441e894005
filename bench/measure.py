"""Readings of one burst and of lone packages, taken the same way for every contestant."""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil
from ground import Ground

BURST_LIMIT = 120.0  # seconds
LOOK = 0.01  # seconds between two looks at how many are done
FLUSH = 1.2  # seconds until PostgreSQL's sessions have told their counters


@dataclass(frozen=True, slots=True)
class Burst:
    """`packages` handed over at one instant. CPU in milliseconds per package.

    `p50` and `p95`: seconds from that instant until half, and 95%, were seen to be done.
    """

    packages: int
    seconds: float
    p50: float
    p95: float
    worker_cpu: float
    store_cpu: float
    commits: float | None

    @property
    def rate(self) -> float:
        return self.packages / self.seconds


@dataclass(frozen=True, slots=True)
class Lone:
    """Seconds from the call that submits to done, one package at a time; commits/s when idle."""

    p50: float
    p95: float
    idle_commits: float | None


@dataclass(frozen=True, slots=True)
class Running:
    """A contestant that waits for work. `done` counts packages that came to their end since the start."""

    workers: Sequence[int]  # process ids
    store: Sequence[int]
    database: str | None
    go: Callable[[], None]
    done: Callable[[], int]
    submit: Callable[[], None]


def burst(ground: Ground, on: Running, packages: int) -> Burst:
    """Let `packages` go, and watch until all are done."""
    already = on.done()
    time.sleep(FLUSH)
    commits = ground.commits(on.database) if on.database else 0
    worker, store = cpu(on.workers), cpu(on.store)
    began = time.monotonic()
    on.go()
    curve = _watch(on.done, already + packages, began)
    worker, store = cpu(on.workers) - worker, cpu(on.store) - store
    time.sleep(FLUSH)
    return Burst(
        packages,
        seconds=curve[-1][0],
        p50=_reached(curve, already + packages * 0.5),
        p95=_reached(curve, already + packages * 0.95),
        worker_cpu=worker / packages * 1000,
        store_cpu=store / packages * 1000,
        commits=(ground.commits(on.database) - commits) / packages if on.database else None,
    )


def _watch(done: Callable[[], int], target: int, began: float) -> list[tuple[float, int]]:
    curve = []
    while not curve or curve[-1][1] < target:
        time.sleep(LOOK)
        count = done()
        curve.append((time.monotonic() - began, count))
        if curve[-1][0] > BURST_LIMIT:
            raise RuntimeError(f"{target - count} packages were not done within {BURST_LIMIT:.0f} s")
    return curve


def _reached(curve: Sequence[tuple[float, int]], count: float) -> float:
    return next(at for at, done in curve if done >= count)


def lone(ground: Ground, on: Running, times: int, idle_seconds: float) -> Lone:
    """First leave it idle, then submit one package after the other, with pauses that follow no beat."""
    idle = _idle(ground, on.database, idle_seconds) if on.database else None
    rng = random.Random(7)
    _one(on, 0.0)  # whatever is made at the first use is made
    waits = sorted(_one(on, rng.uniform(0.05, 0.6)) for _ in range(times))
    return Lone(statistics.median(waits), waits[int(0.95 * (times - 1))], idle)


def _idle(ground: Ground, database: str, seconds: float) -> float:
    time.sleep(FLUSH)
    before, began = ground.commits(database), time.monotonic()
    time.sleep(seconds)
    return (ground.commits(database) - before) / (time.monotonic() - began)


def _one(on: Running, pause: float) -> float:
    time.sleep(pause)
    already = on.done()
    began = time.monotonic()
    on.submit()
    while on.done() == already:
        if time.monotonic() - began > BURST_LIMIT:
            raise RuntimeError("a lone package was not done")
        time.sleep(0.002)
    return time.monotonic() - began


def cpu(pids: Sequence[int]) -> float:
    """CPU seconds used so far by these processes and their children, ended ones included."""
    total = 0.0
    for pid in pids:
        parent = psutil.Process(pid)
        for process in [parent, *parent.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                used = process.cpu_times()
                total += used.user + used.system
        total += parent.cpu_times().children_user + parent.cpu_times().children_system
    return total


def load() -> float:
    """The load average of the last minute, ours included: says how quiet the machine was."""
    return os.getloadavg()[0]
