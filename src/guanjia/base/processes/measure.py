"""How much memory a set of processes really takes."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil


def memory(pids: Iterable[int]) -> int:
    """Bytes held by these processes and all their descendants.

    PSS, which counts a page shared by n processes as 1/n of it for each (Linux, smaps_rollup), so
    that shared buffers and libraries count once. Where that is not to be had, RSS: too high.
    """
    return sum(_held(process) for process in _family(pids))


def _family(pids: Iterable[int]) -> set[psutil.Process]:
    found: set[psutil.Process] = set()
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            found |= {process, *process.children(recursive=True)}
    return found


def _held(process: psutil.Process) -> int:
    try:
        return _pss(Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii"))
    except (OSError, ValueError):
        with suppress(psutil.NoSuchProcess):
            return int(process.memory_info().rss)
        return 0


def _pss(rollup: str) -> int:
    for line in rollup.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError("no Pss line")
