"""`guanjia doctor`: how the house is, and what to do if it is not well."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import click

from guanjia.base.postgres import attach
from guanjia.base.processes import memory, records
from guanjia.cli.exits import Exit
from guanjia.cli.output import emit
from guanjia.config import env

OLDEST_SERVER = 15_00_00
OVERDUE = timedelta(seconds=30)
MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `advice` says what to do when it is not well."""

    name: str
    well: bool
    what: str
    advice: str = ""


@click.command()
@click.option("--json", "as_json", is_flag=True)
def doctor(as_json: bool) -> int:
    """Look at settings, database, tables, processes, flows and lines."""
    findings = list(_examine())
    well = all(finding.well for finding in findings)
    data = {"well": well, "findings": [_as_dict(f) for f in findings]}
    emit(data, "\n".join(_line(f) for f in findings), as_json=as_json)
    return Exit.OK if well else Exit.REFUSED


def _as_dict(finding: Finding) -> dict[str, object]:
    return {n: getattr(finding, n) for n in ("name", "well", "what", "advice")}


def _line(finding: Finding) -> str:
    mark = "✓" if finding.well else "✗"
    advice = f"\n    → {finding.advice}" if not finding.well and finding.advice else ""
    return f"{mark} {finding.name:<10} {finding.what}{advice}"


def _examine() -> Iterator[Finding]:
    settings = env.load()
    yield Finding("settings", True, f"home {settings.home}, {settings.base_url}")
    yield from _processes(settings)
    server = None if _outside_database() else attach(settings.home)
    if server is None and not _outside_database():
        yield Finding("database", False, "the embedded PostgreSQL is not running", "guanjia up")
        return
    if server is not None:
        os.environ["DATABASE_URL"] = server.url
    yield from _database()


def _outside_database() -> bool:
    return "DATABASE_URL" in os.environ or "DATABASE_URL_FILE" in os.environ


def _processes(settings: env.Env) -> Iterator[Finding]:
    running = [record for record in records(settings.home) if record.alive()]
    if not running:
        yield Finding("processes", True, "none of this home is running")
        return
    used = memory([record.pid for record in running]) / MEGABYTE
    names = ", ".join(f"{record.name} ({record.pid})" for record in running)
    yield Finding("processes", True, f"{names}; {used:.0f} MB in all (PSS)")
    yield _web(settings.base_url)


def _web(base_url: str) -> Finding:
    started = datetime.now(UTC)
    try:
        with urllib.request.urlopen(f"{base_url}/readyz", timeout=5) as answer:  # noqa: S310 - our own
            well, what = answer.status == 200, f"/readyz answers {answer.status}"
    except (urllib.error.URLError, TimeoutError) as fault:
        return Finding("web", False, str(fault), "guanjia up; then look into log/web.log in the home")
    took = (datetime.now(UTC) - started).total_seconds() * 1000
    return Finding("web", well, f"{what} in {took:.0f} ms")


def _database() -> Iterator[Finding]:
    from guanjia.cli.house import ready

    ready()
    from django.db import DatabaseError

    looks: list[Callable[[], Finding]] = [_server, _tables, _flows, _workers, _lines]
    for look in looks:
        try:
            yield look()
        except DatabaseError as fault:
            yield Finding("database", False, str(fault).splitlines()[0], "guanjia migrate")
            return


def _server() -> Finding:
    from guanjia.base.sql import rows

    [(number, version)] = rows("SELECT current_setting('server_version_num')::int, version()")
    advice = "PostgreSQL 15 or later is needed"
    return Finding("database", number >= OLDEST_SERVER, version.split(" on ")[0], advice)


def _tables() -> Finding:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    what = f"{len(missing)} migrations missing" if missing else "up to date"
    return Finding("tables", not missing, what, "guanjia migrate")


def _flows() -> Finding:
    from guanjia.base.models import Flow

    now = datetime.now(UTC)
    waiting = Flow.objects.count()
    overdue = Flow.objects.filter(due_at__lt=now - OVERDUE, lease=None).count()
    what = f"{waiting} waiting, {overdue} overdue by more than {OVERDUE.seconds} s"
    return Finding("flows", not overdue, what, "start a worker: guanjia worker")


def _workers() -> Finding:
    from guanjia.base.flows.queue import LOCK_CLASS
    from guanjia.base.sql import rows

    [(alive,)] = rows(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND granted",
        [LOCK_CLASS],
    )
    return Finding("workers", True, f"{alive} engines show that they live")


def _lines() -> Finding:
    from guanjia.lines.models import Line

    lines = list(Line.objects.filter(active=True).order_by("slug")[:200])
    return Finding("lines", True, ", ".join(line.slug for line in lines) or "none registered yet")
