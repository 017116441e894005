"""The marketplace of the replay: callers are merchants, departments are teams, outsiders are lines."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING

from guanjia.base.postgres import Server
from guanjia.cli.house import ready
from guanjia.cli.output import say
from guanjia.demo.replay.records import Incident

if TYPE_CHECKING:
    from guanjia.people.models import User

OUTSIDE = {"Awaiting Vendor": "vendor", "Awaiting Problem": "problem", "Awaiting Evidence": "evidence"}
"""Whom a case waits for that waits for neither us nor the caller: a line of its own each."""
DESK = "service-desk"
NOBODY = "unknown caller"


@contextmanager
def own_house() -> Iterator[None]:
    """A temporary home with a database of its own, never the house's; nothing is left of it."""
    home = Path(tempfile.mkdtemp(prefix="guanjia-replay-"))
    home.chmod(0o711)  # for the database's user, when we are root
    for name in [name for name in os.environ if name.startswith(("GUANJIA_", "DATABASE_URL"))]:
        del os.environ[name]
    os.environ["GUANJIA_HOME"] = str(home)
    os.environ["GUANJIA_URL"] = "http://127.0.0.1:8700"
    # The log says when an incident is closed, and that any may come back.
    os.environ["GUANJIA_CLOSE_AFTER"] = "0"
    os.environ["GUANJIA_REOPEN_WITHIN"] = "always"
    try:
        with Server(home, progress=say).start() as server:
            os.environ["DATABASE_URL"] = server.url
            ready()
            _make_tables()
            yield
    finally:
        rmtree(home, ignore_errors=True)


def _make_tables() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)


@dataclass(frozen=True, slots=True)
class World:
    """Ids of the service desk's lead, and of the teams by name; the callers' refs are `ref_of`."""

    desk: int
    teams: dict[str, int]


def build_world(incidents: Sequence[Incident]) -> World:
    """People, teams, lines and merchants; the day before the first incident."""
    from guanjia.base.actors import SYSTEM
    from guanjia.demo.cast import make_user
    from guanjia.merchants.actions import register_merchant
    from guanjia.people.models import Pool

    now = min(incident.opened_at for incident in incidents) - timedelta(days=1)
    lead = make_user(DESK, "Service desk")
    pool = Pool.objects.create(code=DESK, name="Service desk", lead=lead)
    for slug in OUTSIDE.values():
        _outsider(slug, lead, now)
    for caller in sorted({incident.caller for incident in incidents}):
        ref, name = ref_of(caller), caller or NOBODY
        register_merchant(actor=SYSTEM, ref=ref, name=name, home_pool=pool, facts={}, now=now)
    return World(lead.pk, {name: _team(name) for name in _groups(incidents)})


def ref_of(caller: str) -> str:
    """A merchant's reference: the caller's number, or a digest where the name has none."""
    number = caller.rpartition(" ")[2]
    return f"C-{number}" if number.isdecimal() else f"C-{hashlib.sha256(caller.encode()).hexdigest()[:10]}"


def _groups(incidents: Sequence[Incident]) -> list[str]:
    return sorted({event.group for one in incidents for event in one.events if event.group})


def _team(name: str) -> int:
    from guanjia.demo.cast import make_user
    from guanjia.people.models import Team

    code = name.lower().replace(" ", "-")[:40]
    return Team.objects.create(code=code, name=name, lead=make_user(code, f"{name} lead")).pk


def _outsider(slug: str, lead: User, now: datetime) -> None:
    from guanjia.base.actors import SYSTEM
    from guanjia.lines.actions.joining import register_line
    from guanjia.lines.models import LineKind
    from guanjia.lines.protocol.signing import new_secret

    register_line(
        actor=SYSTEM,
        slug=slug,
        titles={"zh-Hans": slug, "en": slug.title()},
        kind=LineKind.REMOTE,
        base_url=f"https://{slug}.invalid",
        secret=new_secret(),
        lead=lead,
        now=now,
    )
