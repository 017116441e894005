"""Keep a handful of processes running: start in order, restart the dead, stop in reverse order."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from guanjia.base.processes.logs import open_log, tail
from guanjia.base.processes.measure import memory
from guanjia.base.processes.probes import Probe, at_once
from guanjia.base.processes.records import remove_record, write_record
from guanjia.base.processes.tether import spawn

ROUND = 0.05  # seconds between two looks at the processes
PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0)  # seconds before each restart in a row; then we give up
STEADY = 30.0  # seconds of readiness after which earlier deaths are forgotten
FORCE = 5.0  # seconds for the kernel to end a killed process


class Handle(Protocol):
    """A running process; `subprocess.Popen` is one, `postgres.RunningServer` another."""

    pid: int

    def poll(self) -> int | None: ...
    def send_signal(self, number: int, /) -> None: ...
    def wait(self, timeout: float) -> int: ...


@dataclass(frozen=True)
class Program:
    """What to run. `launch` starts it and gets the path of its log; times are in seconds."""

    name: str
    launch: Callable[[Path], Handle]
    ready: Probe = at_once
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    start_limit: float = 60.0


def command(
    name: str,
    arguments: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    ready: Probe = at_once,
    grace: float = 10.0,
) -> Program:
    """A program that is an ordinary command. It starts in `/` and gets SIGTERM when we end."""

    def launch(file: Path) -> Handle:
        with open_log(file) as log:
            return spawn(arguments, log=log, env=env)

    return Program(name, launch, ready, grace=grace)


class ProgramError(RuntimeError):
    """A program cannot be kept running. The text ends with the last lines of its log."""

    def __init__(self, name: str, what: str, log: Path) -> None:
        super().__init__(f"{name} {what}. The end of {log}:\n{tail(log) or '(empty)'}")
        self.name = name


class AlreadyRunningError(RuntimeError):
    """Another supervisor works in this home."""


@dataclass
class _Child:
    """One program and what has become of it."""

    program: Program
    log: Path
    handle: Handle | None = None
    launched: float = 0.0
    ready_at: float | None = None
    due: float = 0.0
    deaths: int = 0
    seconds: float = 0.0

    def is_ready(self) -> bool:
        return self.handle is not None and self.ready_at is not None


@dataclass
class Supervisor:
    """Runs `programs` for `home`. All calls come from one thread, which lives as long as they do:
    on Linux the programs end with it (see `tether.spawn`)."""

    home: Path
    programs: Sequence[Program]
    clock: Callable[[], float] = time.monotonic
    _children: list[_Child] = field(init=False)
    _lock: IO[bytes] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        logs = self.home / "log"
        self._children = [_Child(each, logs / f"{each.name}.log") for each in self.programs]

    def start(self) -> None:
        """Start each program and wait until it is ready before the next.

        Raises ProgramError or AlreadyRunningError, and leaves nothing running.
        """
        self._take_home()
        try:
            for count, child in enumerate(self._children, start=1):
                self._look(self._children[:count])
                while not child.is_ready():
                    time.sleep(ROUND)
                    self._look(self._children[:count])
        except BaseException:
            self.stop()
            raise

    def run(self, until: threading.Event) -> None:
        """Watch and restart until the event is set, then stop all; also before ProgramError."""
        try:
            while not until.wait(ROUND):
                self.look()
        finally:
            self.stop()

    def look(self) -> None:
        """One round: notice deaths and readiness, restart what is due."""
        self._look(self._children)

    def stop(self) -> None:
        """End all in reverse order: the stop signal, after `grace` seconds SIGKILL to the group."""
        for child in reversed(self._children):
            if child.handle:
                self._end(child, child.handle)
                child.handle = None
            remove_record(self.home, child.program.name)
        if self._lock:
            self._lock.close()
            self._lock = None

    def kill(self, name: str) -> None:
        """kill -9, to show that it comes back."""
        for child in self._children:
            if child.program.name == name and child.handle:
                _kill_group(child.handle.pid)

    def pids(self) -> dict[str, int]:
        """The process id of each program that runs now."""
        return {each.program.name: each.handle.pid for each in self._children if each.handle}

    def ready(self) -> bool:
        """Whether all programs are ready."""
        return all(each.is_ready() for each in self._children)

    def seconds(self) -> dict[str, float]:
        """From start to ready, of each program's latest start."""
        return {each.program.name: each.seconds for each in self._children if each.is_ready()}

    def memory(self) -> int:
        """Bytes of all programs with their descendants, and of ourselves. See `measure.memory`."""
        return memory([os.getpid(), *self.pids().values()])

    def _take_home(self) -> None:
        file = self.home / "run" / "lock"
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = file.open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise AlreadyRunningError(f"Another Guanjia is running in {self.home}.") from None
        self._lock = lock

    def _look(self, children: Sequence[_Child]) -> None:
        for child in children:
            if child.handle is None:
                self._launch_if_due(child)
            elif (status := child.handle.poll()) is not None:
                self._bury(child, child.handle.pid, status)
            elif child.ready_at is None:
                self._ask(child)
            elif self.clock() - child.ready_at > STEADY:
                child.deaths = 0

    def _launch_if_due(self, child: _Child) -> None:
        if self.clock() < child.due:
            return
        child.launched, child.ready_at = self.clock(), None
        child.handle = child.program.launch(child.log)
        write_record(self.home, child.program.name, child.handle.pid)
        self._ask(child)

    def _ask(self, child: _Child) -> None:
        if child.program.ready():
            child.ready_at = self.clock()
            child.seconds = child.ready_at - child.launched
        elif self.clock() - child.launched > child.program.start_limit:
            limit = child.program.start_limit
            raise ProgramError(child.program.name, f"was not ready in {limit:.0f} s", child.log)

    def _bury(self, child: _Child, pid: int, status: int) -> None:
        """After a death: end what it left in its group, and set the time of the next try."""
        was_ready, child.handle, child.ready_at = child.ready_at is not None, None, None
        _kill_group(pid)
        remove_record(self.home, child.program.name)
        # Killed in full work: that is the demo, or the memory killer. Always worth another try.
        if not (was_ready and status == -signal.SIGKILL):
            child.deaths += 1
        if child.deaths > len(PAUSES):
            what = f"ended {child.deaths} times in a row, with status {status}"
            raise ProgramError(child.program.name, what, child.log)
        child.due = self.clock() + PAUSES[max(child.deaths - 1, 0)]

    def _end(self, child: _Child, handle: Handle) -> None:
        if handle.poll() is None:
            handle.send_signal(child.program.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                handle.wait(child.program.grace)
        _kill_group(handle.pid)
        with suppress(subprocess.TimeoutExpired):
            handle.wait(FORCE)


def _kill_group(pid: int) -> None:
    """Each program leads a session of its own; its workers must not outlive it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
