"""Which processes of this home run: `home/run/<name>.json`, for `guanjia doctor` and the demo."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Record:
    """`started` is the kernel's start time of the process, in Unix seconds.

    It tells our process from a later one with the same id.
    """

    name: str
    pid: int
    started: float

    def alive(self) -> bool:
        """Whether exactly this process still runs; a zombie does not."""
        try:
            process = psutil.Process(self.pid)
            return process.create_time() == self.started and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


def write_record(home: Path, name: str, pid: int) -> None:
    """Note a process that was just started; one that is already gone leaves no record."""
    with suppress(psutil.NoSuchProcess):
        record = Record(name, pid, psutil.Process(pid).create_time())
        file = _file(home, name)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = file.with_suffix(".new")
        draft.write_text(json.dumps(asdict(record)), encoding="utf-8")
        draft.replace(file)


def remove_record(home: Path, name: str) -> None:
    """Forget a process; no error if it was never noted."""
    _file(home, name).unlink(missing_ok=True)


def records(home: Path) -> tuple[Record, ...]:
    """All noted processes, by name; some may have ended by kill -9 (see `Record.alive`)."""
    found = []
    for file in sorted((home / "run").glob("*.json")):
        with suppress(FileNotFoundError):  # it ended while we read
            found.append(Record(**json.loads(file.read_text(encoding="utf-8"))))
    return tuple(found)


def kill(home: Path, name: str) -> bool:
    """kill -9 a noted process with its group; False if it does not run. Its supervisor restarts it.

    For the demo and for tests that break things.
    """
    for record in records(home):
        if record.name == name and record.alive():
            os.killpg(record.pid, signal.SIGKILL)
            return True
    return False


def _file(home: Path, name: str) -> Path:
    return home / "run" / f"{name}.json"
