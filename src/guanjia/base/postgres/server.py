"""Start, find and stop the embedded PostgreSQL server of a home directory."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from guanjia.base.ports import port_is_free
from guanjia.base.postgres import cluster as clusters
from guanjia.base.postgres import place, postmaster
from guanjia.base.postgres.access import server_user
from guanjia.base.postgres.binaries import programs
from guanjia.base.postgres.errors import PostgresError
from guanjia.base.postgres.place import Cluster
from guanjia.base.processes.logs import open_log, tail
from guanjia.base.processes.tether import PLAIN, spawn

Progress = Callable[[str], None]
FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT  # shutdown modes, PostgreSQL manual, 18.5
STOP_LIMITS = ((FAST, 30.0), (IMMEDIATE, 10.0), (signal.SIGKILL, 10.0))  # seconds
FIRST_SIGN = 60.0  # seconds until the server has at least written its pid file
TRIES = 3  # ports
DYING = 5.0  # seconds in which a server that accepts nobody may turn out to be dead
PAUSE = 0.02  # seconds
REPORT = 1.0  # seconds between two calls of the progress function
CONNECT = 10  # seconds


def silent(_: str) -> None:
    """The progress function of those who do not wait for one."""


@dataclass
class RunningServer:
    """A server that accepts connections. `process` is None when another process started it.

    As a context manager it stops, at the end, only a server that it started itself.
    """

    home: Path
    cluster: Cluster
    pid: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        return self.cluster.port

    @property
    def url(self) -> str:
        """The address of the house's own database."""
        return place.url(self.home, self.cluster)

    def alive(self) -> bool:
        """False as soon as the server is dead, also while it is still a zombie."""
        return self.poll() is None

    def poll(self) -> int | None:
        """None while it runs; then its exit status, -1 if it was not our child."""
        if self.process:
            return self.process.poll()
        return None if postmaster.is_server(self.pid, self.cluster.data) else -1

    def send_signal(self, number: int) -> None:
        """To the server itself; its backends follow it."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait(self, timeout: float) -> int:
        """The exit status; raises subprocess.TimeoutExpired after `timeout` seconds."""
        if self.process:
            return self.process.wait(timeout)
        if not postmaster.wait_gone(self.pid, self.cluster.data, timeout):
            raise subprocess.TimeoutExpired("postgres", timeout)
        return -1

    def stop(self) -> None:
        """End it: first so that running transactions roll back cleanly, at last by force."""
        for number, limit in STOP_LIMITS:
            self.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                self.wait(limit)
                return

    def ensure_database(self, name: str) -> str:
        """Create the database if it is missing; returns its address."""
        there = "SELECT 1 FROM pg_database WHERE datname = %s"
        maintenance = place.url(self.home, self.cluster, "postgres")
        with psycopg.connect(maintenance, autocommit=True, connect_timeout=CONNECT) as connection:
            if connection.execute(there, [name]).fetchone() is None:
                with suppress(psycopg.errors.DuplicateDatabase):  # somebody was faster
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return place.url(self.home, self.cluster, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process:
            self.stop()


def attach(home: Path) -> RunningServer | None:
    """The ready server of this home, or None. Starts nothing."""
    cluster = place.read_cluster(home)
    found = postmaster.find(cluster.data) if cluster else None
    if not cluster or not found or found.status != "ready":
        return None
    return RunningServer(home, cluster, found.pid)


@dataclass(frozen=True)
class Server:
    """The embedded server of `home`, not necessarily running.

    With `tether`, on Linux, it shuts down when the thread that started it ends, by kill -9 too:
    call `start` from a thread that lives as long as the server is to live. `fsync=False` is for
    tests. `progress` gets a line per second while we wait. `shared` takes what the server's user
    cannot reach in `home` (see `access`).
    """

    home: Path
    fsync: bool = True
    tether: bool = True
    progress: Progress = silent
    shared: Path = place.SHARED

    def start(self) -> RunningServer:
        """Start it, or attach to the running one; of several callers at once one starts it.

        Waits as long as crash recovery takes. Raises PostgresError.
        """
        folder = place.folder(self.home)
        try:
            folder.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
            with _locked(folder / "lock", _Wait(self.progress)):
                return self._running() or self._launch(self._cluster())
        except (OSError, psycopg.OperationalError) as error:
            raise self._failed(str(error)) from error

    def _running(self) -> RunningServer | None:
        """The live server, after it has made up its mind; None if it has ended meanwhile."""
        cluster, wait = place.read_cluster(self.home), _Wait(self.progress)
        while cluster and (found := postmaster.find(cluster.data)):
            running = RunningServer(self.home, cluster, found.pid)
            if found.status == "ready" and _accepts(running, wait):
                return running
            wait.pause(f"the running PostgreSQL is {found.status or 'starting'}")
        return None

    def _cluster(self) -> Cluster:
        stored = place.read_cluster(self.home)
        if stored:
            return stored
        self.progress("PostgreSQL creates its data directory")
        user = server_user()
        where = programs(self.shared, user)
        return clusters.create(self.home, programs=where, user=user, shared=self.shared)

    def _launch(self, cluster: Cluster) -> RunningServer:
        postmaster.clear(cluster.data)
        for _ in range(TRIES):
            if not port_is_free(cluster.port):
                cluster = Cluster(cluster.data, clusters.choose_port())
                place.write_cluster(self.home, cluster)
            running = self._spawn(cluster)
            try:
                if self._becomes_ready(running):
                    running.ensure_database(place.DATABASE)
                    return running
            except BaseException:
                running.stop()
                raise
        raise self._failed("other programs took its port each time")

    def _spawn(self, cluster: Cluster) -> RunningServer:
        user = server_user()
        clusters.configure(cluster, fsync=self.fsync, user=user)
        command = [str(programs(self.shared, user) / "postgres"), "-D", str(cluster.data)]
        last_signal = FAST if self.tether else None
        with open_log(self.log) as log:
            process = spawn(command, log=log, env=PLAIN, user=user, last_signal=last_signal)
        return RunningServer(self.home, cluster, process.pid, process)

    def _becomes_ready(self, running: RunningServer) -> bool:
        """True when it is ready; False if its port was taken before it could take it."""
        wait = _Wait(self.progress)
        while running.alive():
            found = postmaster.find(running.cluster.data)
            if found and found.pid == running.pid and found.status == "ready":
                return True
            if not found and wait.seconds > FIRST_SIGN:
                raise self._failed(f"it gave no sign of life for {FIRST_SIGN:.0f} seconds")
            wait.pause(f"PostgreSQL is starting: {tail(self.log, lines=1)}")
        if not port_is_free(running.port):
            return False
        raise self._failed(tail(self.log) or "it ended without a word")

    @property
    def log(self) -> Path:
        """What the server writes."""
        return self.home / "log" / "postgres.log"

    def _failed(self, why: str) -> PostgresError:
        return PostgresError(
            "The embedded PostgreSQL did not start.",
            why=why,
            todo=f"see {self.log}; a full disk, a home that belongs to another user and data of "
            "another PostgreSQL version are the usual reasons. "
            "Or name a server of your own in DATABASE_URL",
        )


class _Wait:
    """Short sleeps in a loop whose end we do not know, with a word about it now and then."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._began = self._reported = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def pause(self, text: str) -> None:
        if time.monotonic() - self._reported > REPORT:
            self._reported = time.monotonic()
            self._progress(f"{text} ({self.seconds:.0f} s)")
        time.sleep(PAUSE)


def _accepts(running: RunningServer, wait: _Wait) -> bool:
    """A server that was killed a moment ago looks alive until the kernel gets round to it."""
    try:
        running.ensure_database(place.DATABASE)
    except psycopg.OperationalError:
        if wait.seconds > DYING:
            raise
        return False
    return True


@contextmanager
def _locked(file: Path, wait: _Wait) -> Iterator[None]:
    """One starter at a time. The holder waits for the server only, and a dead one holds nothing."""
    with file.open("ab") as stream:
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                wait.pause("another process is starting PostgreSQL")
        yield
