"""Which CPU a worker keeps to.

A Python process with threads gains nothing from a second core, and loses to passing its lock between
two (measured: docs/benchmarks.md). Two workers on the same core gain nothing either.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


@contextmanager
def own_cpu(folder: Path) -> Iterator[None]:
    """Keep this process on one CPU, another than those who came before it with the same `folder`.

    Once all are taken the CPUs are shared. A process that dies gives its CPU back. Where the system
    cannot keep a process on a CPU, nothing happens.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    allowed = os.sched_getaffinity(0)
    cpus = sorted(allowed)
    with ExitStack() as held:
        free = (cpu for cpu in cpus if _taken(folder / f"cpu-{cpu}", held))
        os.sched_setaffinity(0, {next(free, cpus[os.getpid() % len(cpus)])})
        try:
            yield
        finally:
            os.sched_setaffinity(0, allowed)


def _taken(file: Path, held: ExitStack) -> bool:
    """Whether we have the lock of `file` now, until `held` ends; the kernel drops it if we die."""
    lock = file.open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return False
    held.enter_context(lock)
    return True
