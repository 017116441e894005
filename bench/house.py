"""Guanjia as a contestant: its own worker processes on a copy of a database full of submitted packages."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache

import psycopg
from ground import HERE, Ground, running, wait_until
from measure import Running

FILLED = "filled"
WARM = 128
"""Packages that each worker set works off before it is measured: connections, caches, prepared lines."""

# A copy may be used long after it was filled: the lines' time to answer begins anew, and all but
# the warm-up waits until it is let go.
_HOLD_BACK = (
    "UPDATE packages_item SET give_up_at = now() + interval '15 minutes', next_at = now()",
    "UPDATE base_flow SET due_at = now() + interval '1 day'",
    f"UPDATE base_flow SET due_at = now() WHERE key IN (SELECT key FROM base_flow ORDER BY key LIMIT {WARM})",
)


@dataclass(frozen=True, slots=True)
class House:
    """Guanjia with `workers` processes, each settling up to `batch` packages in one transaction."""

    name: str
    batch: int
    workers: int

    def absent(self) -> str | None:
        return None

    @contextmanager
    def start(self, ground: Ground, packages: int) -> Iterator[Running]:
        """Workers that have warmed up and are idle, `packages` behind the gate."""
        url = ground.new_database("house", template=FILLED)
        try:
            with ExitStack() as stack:
                _tend(url, _HOLD_BACK)
                _tend(url, ("VACUUM ANALYZE",))
                watch = stack.enter_context(psycopg.connect(url, connect_timeout=10))
                workers = [stack.enter_context(_worker(ground, url, self.batch)) for _ in range(self.workers)]
                door = cache(lambda: stack.enter_context(Merchant.at_door(ground, url)))
                wait_until(lambda: _done(watch) == WARM, f"{self.name} to warm up")
                yield Running(
                    workers=[worker.pid for worker in workers],
                    store=[ground.server.pid],
                    database="house",
                    go=lambda: _let_go(url),
                    done=lambda: _done(watch),
                    submit=lambda: door().submit(1),
                )
        finally:
            ground.drop_database("house")


@dataclass(frozen=True, slots=True)
class Merchant:
    """The process of merchant.py."""

    process: subprocess.Popen[str]

    @classmethod
    @contextmanager
    def at_door(cls, ground: Ground, url: str) -> Iterator[Merchant]:
        command = [sys.executable, str(HERE / "merchant.py"), ground.line_url]
        environ = os.environ | _environ(ground, url)
        pipe = subprocess.PIPE
        with subprocess.Popen(command, env=environ, stdin=pipe, stdout=pipe, text=True) as process:
            yield cls(process)  # the end of its input is the end of it

    def submit(self, count: int) -> None:
        """Submit, and wait until all are accepted."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(count, file=self.process.stdin, flush=True)
        if self.process.stdout.readline().strip() != str(count):
            raise RuntimeError("the merchant's process failed")


def fill(ground: Ground, packages: int) -> float:
    """Submit `packages` and the warm-up into the database that is copied; packages accepted per second."""
    url = ground.new_database(FILLED)
    with Merchant.at_door(ground, url) as merchant:
        merchant.submit(WARM)
        began = time.monotonic()
        merchant.submit(packages)
        seconds = time.monotonic() - began
    return packages / seconds


@contextmanager
def _worker(ground: Ground, url: str, batch: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "guanjia.cli", "worker", "--batch", str(batch)]
    if batch == 1:  # many small transactions: let some wait for the disk while others are decided
        command += ["--settlers", "3"]
    with running(command, log=ground.home / "worker.log", **_environ(ground, url)) as worker:
        yield worker


def _environ(ground: Ground, url: str) -> dict[str, str]:
    networks = "127.0.0.0/8"
    return {"DATABASE_URL": url, "GUANJIA_HOME": str(ground.home), "GUANJIA_LINE_NETWORKS": networks}


def _tend(url: str, statements: tuple[str, ...]) -> None:
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as session:
        for statement in statements:
            session.execute(statement.encode())


def _let_go(url: str) -> None:
    told = "SELECT pg_notify('guanjia_flow', 'packages.package')"
    _tend(url, ("UPDATE base_flow SET due_at = now()", told))


def _done(watch: psycopg.Connection[tuple[object, ...]]) -> int:
    """Seen from within one long transaction, READ COMMITTED: looking does not add to the commits."""
    row = watch.execute("SELECT count(*) FROM packages_package WHERE state = 'done'").fetchone()
    assert row is not None
    return int(str(row[0]))
