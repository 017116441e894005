"""The house of a chaos run: where everything is, which programs run, who is in the database."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from guanjia.base.ports import Reserved
from guanjia.base.processes import Program, command
from guanjia.cli.running import house_programs
from guanjia.config import env
from guanjia.demo.chaos.line import LineSetting, open_line
from guanjia.demo.chaos.merchants import Account
from guanjia.demo.chaos.plan import MERCHANTS, Plan
from guanjia.demo.chaos.proxy import HOST, Proxy
from guanjia.demo.chaos.trades import TRADES
from guanjia.lines.protocol.signing import new_secret

WORKERS = 2


@dataclass(frozen=True)
class Ground:
    """A home of our own and the web door's address; the same for all runs of one process."""

    home: Path
    ports: Reserved
    port: int

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def take(self) -> None:
        """Make this process, and those it starts, belong to this home and to no other house."""
        for name in [name for name in os.environ if name.startswith(("GUANJIA_", "DATABASE_URL"))]:
            del os.environ[name]
        os.environ["GUANJIA_HOME"] = str(self.home)
        os.environ["GUANJIA_URL"] = self.base_url
        os.environ["GUANJIA_LINE_NETWORKS"] = "127.0.0.0/8"


@dataclass(frozen=True)
class Stall:
    """One line of a run: what its process must know, its port, and the port at which Guanjia calls it."""

    setting: LineSetting
    port: int
    door: int

    def program(self) -> Program:
        arguments = [sys.executable, "-m", "guanjia.demo.chaos.line", str(self.port)]
        return command(self.setting.slug, arguments, env={**os.environ, **self.setting.environment()})

    def proxy(self, plan: Plan) -> Proxy:
        """Made within the loop that is to serve."""
        return Proxy(
            self.setting.slug,
            port=self.door,
            upstream=self.port,
            seed=plan.seed,
            faults=plan.faults,
            down=self.setting.slug == plan.down,
        )


def make_stalls(ground: Ground, plan: Plan, *, fenced: bool) -> dict[str, Stall]:
    """The lines of this run by slug, each with a new database and a new secret."""
    folder = ground.home / "lines" / plan.name
    folder.mkdir(parents=True)
    found = {}
    for trade in TRADES:
        setting = LineSetting(
            slug=trade.slug,
            database=folder / f"{trade.slug}.db",
            secret=new_secret(),
            callback=f"{ground.base_url}/hooks/lines/{trade.slug}",
            slots=plan.slots,
            fenced=fenced,
        )
        found[trade.slug] = Stall(setting, ground.ports.port(), ground.ports.port())
    return found


def programs(stalls: Mapping[str, Stall], plan: Plan) -> list[Program]:
    """As `guanjia up` runs the house, and the lines; one that is down is never started."""
    lines = [stall.program() for slug, stall in stalls.items() if slug != plan.down]
    return [*house_programs(env.load(), workers=WORKERS), *lines]


def people(stalls: Mapping[str, Stall]) -> list[Account]:
    """Merchants with a way to sign in, and the lines, behind their proxies. Needs Django."""
    from guanjia.base.actors import SYSTEM
    from guanjia.demo import cast
    from guanjia.people.actions import issue_token

    now = datetime.now(UTC)
    wei, otto = cast.make_wei(now), cast.make_otto()
    pool = cast.make_pool(wei)
    for stall in stalls.values():
        manifest = open_line(stall.setting).holds.manifest
        url = f"http://{HOST}:{stall.door}"
        cast.make_line(manifest, lead=otto, now=now, base_url=url, secret=stall.setting.secret)
    accounts = []
    for number in range(MERCHANTS):
        owner = cast.make_user(f"chaos-{number}", f"Merchant {number}")
        merchant = cast.make_merchant(f"M-{number:04}", f"Shop {number}", owner=owner, pool=pool, now=now)
        token = issue_token(actor=SYSTEM, user=owner, label="chaos", now=now)
        accounts.append(Account(merchant.ref, token))
    return accounts
