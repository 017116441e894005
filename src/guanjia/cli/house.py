"""Opening the house for one command: settings, database, language."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django

from guanjia.base.postgres import RunningServer, Server, attach
from guanjia.base.processes import records
from guanjia.cli.output import say
from guanjia.config import env

SERVER_LIMIT = 60.0  # seconds for the supervisor to bring the database back


@contextmanager
def database() -> Iterator[str]:
    """The URL of the database: the configured one, the running embedded one, or one of our own.

    An embedded server that nobody runs is started for as long as the command takes.
    """
    given = env.load()
    if "DATABASE_URL" in os.environ or "DATABASE_URL_FILE" in os.environ:
        assert given.database_url is not None
        yield given.database_url
        return
    running = _coming_back(given.home) if _supervised(given.home) else attach(given.home)
    if running is not None:
        yield running.url
        return
    with Server(given.home, progress=say).start() as own:
        yield own.url


def _supervised(home: Path) -> bool:
    """Whether we are one of the programs that `guanjia up` keeps running in this home."""
    return any(record.pid == os.getpid() for record in records(home))


def _coming_back(home: Path) -> RunningServer | None:
    """The server that our supervisor starts. One of our own would end with us and take the house along."""
    end = time.monotonic() + SERVER_LIMIT
    while (running := attach(home)) is None and time.monotonic() < end:
        time.sleep(0.1)
    return running


@contextmanager
def house() -> Iterator[None]:
    """Django, ready to use, on the house's database, in the operator's language."""
    with database() as url:
        if "DATABASE_URL_FILE" not in os.environ:
            os.environ["DATABASE_URL"] = url
        ready()
        yield


def ready() -> None:
    """Django's set-up, and the language of GUANJIA_LANGUAGE for what we print."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guanjia.config.settings")
    django.setup()
    from django.utils import translation

    translation.activate("en" if env.load().language == "en" else "zh-hans")
