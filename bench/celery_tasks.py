"""What the Celery worker runs: one task per package.

The broker's address is in BENCH_REDIS, the line's in BENCH_LINE.
"""

from __future__ import annotations

import asyncio
import os
import threading

import aiohttp
from bare_loop import new_session, package
from celery import Celery
from celery.signals import worker_init
from ground import stay_on_one_cpu

REDIS = os.environ["BENCH_REDIS"]
LINE = os.environ["BENCH_LINE"]

app = Celery("bench", broker=f"{REDIS}/0", backend=f"{REDIS}/1")
app.conf.update(
    task_acks_late=True,  # a killed worker's task is done again; acknowledging early would lose it
    task_default_queue="packages",
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
)

_loop = asyncio.new_event_loop()
_sessions: list[aiohttp.ClientSession] = []


@worker_init.connect
def _begin(**_: object) -> None:
    """One event loop and one HTTP client for all threads of the pool: the client of every contestant."""
    stay_on_one_cpu()
    threading.Thread(target=_loop.run_forever, daemon=True).start()

    async def open_session() -> None:
        _sessions.append(new_session())

    asyncio.run_coroutine_threadsafe(open_session(), _loop).result(10)


@app.task
def run() -> None:
    """Hold on all lines, then confirm on all."""
    asyncio.run_coroutine_threadsafe(package(_sessions[0], LINE), _loop).result(60)
