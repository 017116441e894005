"""Celery on Redis as a contestant. Its result backend says what is done, as our rows do."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from ground import HERE, Ground, running, wait_until
from measure import Running

from guanjia.base.ports import choose_port

WARM = 128
TASK = "celery_tasks.run"
RESULTS = 1  # the number of the database in Redis
THREADS = 96
"""Of 8, 16, 32 and 64 the best on two cores; see docs/benchmarks.md."""


class CeleryPeer:
    """One worker, pool of threads, late acknowledgement, on one CPU like ours. Redis without its log."""

    name = "Celery + Redis"

    def absent(self) -> str | None:
        if shutil.which("redis-server") is None:
            return "apt-get install -y redis-server"
        if not (importlib.util.find_spec("celery") and importlib.util.find_spec("redis")):
            return "pip install 'guanjia[bench]'"
        return None

    @contextmanager
    def start(self, ground: Ground, packages: int) -> Iterator[Running]:
        with ExitStack() as stack:
            redis, port = stack.enter_context(_redis(ground))
            address = f"redis://127.0.0.1:{port}"
            worker = stack.enter_context(_worker(ground, address))
            client, results = _client(address), _connection(port, RESULTS)
            wait_until(lambda: bool(client.control.ping(timeout=0.5)), "the Celery worker")
            _submit(client, "warm", WARM)
            wait_until(lambda: results.dbsize() == WARM, "Celery to warm up")
            _submit(client, "packages", packages)
            yield Running(
                workers=[worker.pid],
                store=[redis.pid],
                database=None,
                go=lambda: client.control.add_consumer("packages"),
                done=lambda: int(results.dbsize()),
                submit=lambda: _submit(client, "warm", 1),
            )
            client.close()


def _client(address: str) -> Any:
    from celery import Celery

    return Celery("bench", broker=f"{address}/0", backend=f"{address}/{RESULTS}")


def _submit(client: Any, queue: str, packages: int) -> None:
    for _ in range(packages):
        client.send_task(TASK, queue=queue)


def _connection(port: int, database: int = 0) -> Any:
    from redis import Redis

    return Redis(port=port, db=database)


@contextmanager
def _redis(ground: Ground) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port, folder = choose_port(), ground.home / "redis"
    folder.mkdir(exist_ok=True)
    settings = {"port": port, "bind": "127.0.0.1", "dir": folder, "appendonly": "no", "save": ""}
    flags = [str(word) for name, value in settings.items() for word in (f"--{name}", value)]
    with running(["redis-server", *flags], log=ground.home / "redis.log") as redis:
        wait_until(lambda: _answers(port), "Redis")
        yield redis, port


def _answers(port: int) -> bool:
    from redis.exceptions import RedisError

    try:
        return bool(_connection(port).ping())
    except RedisError:
        return False


@contextmanager
def _worker(ground: Ground, address: str) -> Iterator[subprocess.Popen[bytes]]:
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING"]
    pool = ["--pool", "threads", "--concurrency", str(THREADS), "--queues", "warm"]
    command = [sys.executable, "-m", "celery", "-A", "celery_tasks", "worker", *pool, *quiet]
    path = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH", "")]))
    environ = {"PYTHONPATH": path, "BENCH_REDIS": address, "BENCH_LINE": ground.line_url}
    with running(command, log=ground.home / "celery.log", **environ) as worker:
        yield worker
