"""What the DBOS worker runs: a package in two coarse steps, alone or 32 in one workflow.

python bench/dbos_worker.py DATABASE_URL LINE_URL
"""

from __future__ import annotations

import asyncio
import sys
from uuid import uuid4

import aiohttp
from bare_loop import hold, new_session, settle
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer
from ground import stay_on_one_cpu

AT_ONCE = 64
"""Workflows at once: of 32, 64, 128 and 256 none was faster; see docs/benchmarks.md."""

_line_url = sys.argv[2]
_sessions: list[aiohttp.ClientSession] = []


def _session() -> aiohttp.ClientSession:
    """Made at its first use, inside DBOS's own loop."""
    if not _sessions:
        _sessions.append(new_session())
    return _sessions[0]


@DBOS.step(name="hold_all")
async def hold_all(packages: int) -> list[list[str]]:
    return list(await asyncio.gather(*(hold(_session(), _line_url) for _ in range(packages))))


@DBOS.step(name="settle_all")
async def settle_all(held: list[list[str]]) -> None:
    await asyncio.gather(*(settle(_session(), _line_url, holds) for holds in held))


@DBOS.workflow(name="package.v1")
async def package(packages: int) -> None:
    """All lines of one package (or of `packages` of them) in one step, so that they go out at once."""
    await settle_all(await hold_all(packages))


def main(database_url: str) -> None:
    config: DBOSConfig = {
        "name": "bench",
        "system_database_url": database_url,
        "dbos_system_schema": "dbos",
        "application_version": "1",
        "executor_id": f"w-{uuid4()}",
        "run_migrations": False,
        "serializer": DBOSPortableJSONSerializer(),
        "sys_db_pool_size": 16,
        "max_executor_threads": 16,
        "log_level": "WARNING",
        "scheduler_polling_interval_sec": 1.0,
    }
    DBOS(config=config)
    DBOS.listen_queues(["packages"])
    DBOS.launch()
    DBOS.register_queue(
        "packages", worker_concurrency=AT_ONCE, polling_interval_sec=0.2, on_conflict="always_update"
    )
    import signal

    signal.sigwait([signal.SIGTERM, signal.SIGINT])


if __name__ == "__main__":
    stay_on_one_cpu()
    main(sys.argv[1])
