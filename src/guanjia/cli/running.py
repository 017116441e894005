"""`guanjia up | web | worker | migrate`: the processes of the house."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from urllib.parse import urlsplit

import click

from guanjia.base.postgres import Server
from guanjia.base.postgres.program import program as postgres_program
from guanjia.base.processes import Program, Supervisor, answers, command
from guanjia.cli.exits import Exit
from guanjia.cli.house import house, ready
from guanjia.cli.output import say
from guanjia.config import env


def me(*arguments: str) -> list[str]:
    """The command line that runs `guanjia` with this interpreter."""
    return [sys.executable, "-m", "guanjia.cli", *arguments]


@click.command()
@click.option("--workers", default=1, show_default=True, help="Worker processes.")
def up(workers: int) -> int:
    """Run the whole house until Ctrl-C. Needs no server, no root, no set-up."""
    given = env.load()
    supervisor = Supervisor(given.home, house_programs(given, workers=workers))
    return run_supervised(supervisor, lambda: say(f"管家 Guanjia → {given.base_url}"))


def house_programs(given: env.Env, *, workers: int = 1) -> list[Program]:
    """Database (if embedded), then web and workers. Tables are brought up to date in between."""
    environ = {**os.environ, "GUANJIA_HOME": str(given.home), "GUANJIA_URL": given.base_url}
    programs = []
    if "DATABASE_URL" not in os.environ and "DATABASE_URL_FILE" not in os.environ:
        programs.append(postgres_program(Server(given.home, progress=say)))
    healthy = answers(f"{given.base_url}/healthz")
    programs.append(command("web", me("web", "--migrate"), env=environ, ready=healthy))
    programs += [command(f"worker-{n}", me("worker"), env=environ) for n in range(1, workers + 1)]
    return programs


def run_supervised(supervisor: Supervisor, started: object) -> int:
    """Start, tell, and run until SIGINT or SIGTERM; then stop everything in order."""
    until = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: until.set())
    supervisor.start()
    try:
        if callable(started):
            started()
        supervisor.run(until)
    finally:
        supervisor.stop()
    return Exit.OK


@click.command()
@click.option("--migrate", "migrate_first", is_flag=True, help="Bring tables up to date first.")
@click.option("--threads", default=4, show_default=True, help="Requests served at once.")
def web(migrate_first: bool, threads: int) -> int:
    """Run the web door at GUANJIA_URL."""
    with house():
        if migrate_first:
            _migrate()
        at = urlsplit(env.load().base_url)
        serve(at.hostname or "127.0.0.1", at.port or 8700, threads)
    return Exit.OK


def serve(host: str, port: int, threads: int) -> None:
    """Serve the WSGI application with granian in this process, until a signal."""
    from granian import Granian
    from granian.constants import Interfaces

    Granian(
        "guanjia.config.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        blocking_threads=threads,
        log_level="warning",  # type: ignore[arg-type]
    ).serve()


@click.command()
@click.option("--batch", default=64, show_default=True, help="Packages settled in one transaction.")
@click.option("--inflight", default=256, show_default=True, help="Packages worked on at once.")
@click.option("--settlers", default=1, show_default=True, help="Transactions settled at once.")
def worker(batch: int, inflight: int, settlers: int) -> int:
    """Run a worker until SIGTERM; it puts back what it holds."""
    ready()
    from guanjia.cli.worker import work

    asyncio.run(work(batch=batch, inflight=inflight, settlers=settlers))
    return Exit.OK


@click.command()
def migrate() -> int:
    """Bring the database's tables up to date."""
    with house():
        _migrate()
    return Exit.OK


def _migrate() -> None:
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from guanjia.coverage.actions import ensure_default_pool

    call_command("migrate", verbosity=0, interactive=False)
    ensure_default_pool(now=timezone.now())
    # The server forks. A pool in the fork would have our one connection and none of its threads: it
    # could not grow, and once that connection broke it would never have another.
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
