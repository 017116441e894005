"""What a data directory and the process table say about its server.

`postmaster.pid` alone is not believed: after kill -9 it stays, its number may belong to another
program by now, and a dead server stays a zombie until somebody waits for it.
Lines of that file (PostgreSQL, miscadmin.h): 1 process id, 8 status.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import psutil

STATUS_LINE = 7
ORPHANS_LIMIT = 10.0  # seconds


@dataclass(frozen=True)
class Postmaster:
    """A live server process; `status` is starting, ready, stopping or standby, or empty."""

    pid: int
    status: str


def find(data: Path) -> Postmaster | None:
    """The live server of this data directory, or None."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").split("\n")
        pid = int(lines[0])
    except (FileNotFoundError, ValueError):
        return None
    if not is_server(pid, data):
        return None
    return Postmaster(pid, lines[STATUS_LINE].strip() if len(lines) > STATUS_LINE else "")


def is_server(pid: int, data: Path) -> bool:
    """Exists, is not a zombie, and was started for this directory."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and str(data) in process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def clear(data: Path) -> None:
    """Remove what a dead server left, so that a new one can start.

    Its backends notice its death by themselves, a busy one late; PostgreSQL refuses to start
    beside one. Ending it loses nothing: crash recovery follows anyway.
    """
    stale = data / "postmaster.pid"
    if not stale.exists():
        return
    _, alive = psutil.wait_procs(_orphans(data), timeout=ORPHANS_LIMIT)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=ORPHANS_LIMIT)
    stale.unlink(missing_ok=True)


def _orphans(data: Path) -> list[psutil.Process]:
    """Processes of a server work inside its data directory."""
    home, found = str(data.resolve()), []
    for process in psutil.process_iter():
        try:
            if process.cwd() == home and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def wait_gone(pid: int, data: Path, limit: float) -> bool:
    """Whether the server has ended within `limit` seconds; it need not be our child."""
    end = time.monotonic() + limit
    while is_server(pid, data):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
