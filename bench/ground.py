"""What all contestants stand on: one PostgreSQL that syncs to disk, one toy line, two cores."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from guanjia.base.ports import choose_port
from guanjia.base.postgres import RunningServer, Server

HERE = Path(__file__).resolve().parent
LINES = 4
"""Items of a package. All four lines are the same process: what they cost is the same for all."""
START_LIMIT = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Ground:
    """`home` is a temporary directory; `line_url` answers LP/1 from memory after 5 ms."""

    home: Path
    server: RunningServer
    line: subprocess.Popen[bytes]
    line_url: str

    def new_database(self, name: str, template: str = "template1") -> str:
        """A fresh database, a copy of `template`; returns its address."""
        with self._admin() as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.server.url.rpartition("/")[0] + f"/{name}"

    def drop_database(self, name: str) -> None:
        with self._admin() as admin:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def commits(self, database: str) -> int:
        """Transactions committed in the database so far, as far as its sessions have told."""
        with self._admin() as admin:
            found = admin.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = %s", [database])
            row = found.fetchone()
            return int(row[0]) if row else 0

    def _admin(self) -> psycopg.Connection[tuple[object, ...]]:
        address = self.server.url.rpartition("/")[0] + "/postgres"
        return psycopg.connect(address, autocommit=True, connect_timeout=10)


@contextmanager
def stand(latency_ms: float) -> Iterator[Ground]:
    """Start PostgreSQL and the line; end both, and remove everything, at the end."""
    home = Path(tempfile.mkdtemp(prefix="guanjia-bench-"))
    home.chmod(0o711)  # for the server's user, when we are root
    try:
        with Server(home, fsync=True).start() as server, _toy_line(latency_ms) as (line, url):
            yield Ground(home, server, line, url)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _toy_line(latency_ms: float) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    port = choose_port()
    with running([sys.executable, str(HERE / "toy_line.py"), str(port), str(latency_ms)]) as line:
        wait_until(lambda: _listens(port), "the toy line")
        yield line, f"http://127.0.0.1:{port}"


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


@contextmanager
def running(
    command: Sequence[str], *, log: Path | None = None, **environ: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A child process with our environment and `environ`; asked to end, then made to."""
    out = log.open("ab") if log else None
    child = subprocess.Popen(command, env=os.environ | environ, stdout=out, stderr=out)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if out:
            out.close()


def wait_until(true: Callable[[], bool], what: str, limit: float = START_LIMIT) -> None:
    """Look every 20 ms; RuntimeError after `limit` seconds."""
    end = time.monotonic() + limit
    while not true():
        if time.monotonic() > end:
            raise RuntimeError(f"waited {limit:.0f} s for {what}")
        time.sleep(0.02)


def stay_on_one_cpu(number: int = 0) -> None:
    """As our own worker does: a Python process loses by moving its lock between two cores."""
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpus[number % len(cpus)]})
