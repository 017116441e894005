"""The demo marketplace: six lines as six processes, and the house around them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from guanjia.base.postgres import Server
from guanjia.base.postgres.program import program as postgres_program
from guanjia.base.processes import Program, answers, command, listens
from guanjia.cli.output import say
from guanjia.cli.running import me

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class MarketLine:
    """One line of the marketplace: `module` is its SDK service, None where Guanjia hosts it."""

    slug: str
    titles: Mapping[str, str]
    port: int
    module: str | None = None

    @property
    def base_url(self) -> str:
        address = f"http://{HOST}:{self.port}"
        return address if self.module else f"{address}/lines/{self.slug}"


@dataclass(frozen=True, slots=True)
class Market:
    """Where everything of one demo is. Ports count up from the web door's."""

    home: Path
    port: int
    secrets: Mapping[str, str]

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def lines(self) -> tuple[MarketLine, ...]:
        first = self.port + 1
        return (
            MarketLine(
                "display-slots", {"zh-Hans": "淘宝展位", "en": "Taobao display slots"}, first, "display_slots"
            ),
            MarketLine(
                "brand-promotions",
                {"zh-Hans": "天猫品牌活动", "en": "Tmall brand promotions"},
                first + 1,
                "brand_promotions",
            ),
            MarketLine(
                "group-buying", {"zh-Hans": "聚划算", "en": "Juhuasuan group-buying sessions"}, first + 2
            ),
            MarketLine(
                "flash-sales", {"zh-Hans": "淘抢购", "en": "Taobao flash sales"}, first + 3, "flash_sales"
            ),
            MarketLine("wholesale", {"zh-Hans": "1688 批发", "en": "1688 wholesale"}, first + 4),
            MarketLine(
                "warehousing", {"zh-Hans": "菜鸟仓储", "en": "Cainiao warehousing"}, first + 5, "warehousing"
            ),
        )

    def database_of(self, line: MarketLine) -> Path:
        """The SQLite file of an SDK line."""
        return self.home / "lines" / f"{line.slug}.db"

    def environment(self) -> dict[str, str]:
        """What makes a process belong to this marketplace."""
        return {
            "GUANJIA_HOME": str(self.home),
            "GUANJIA_URL": self.base_url,
            "GUANJIA_LINE_NETWORKS": "127.0.0.0/8",
            "GUANJIA_DEMO": "1",
        }

    def house(self) -> list[Program]:
        """Database, web and worker. The web door brings the tables up to date before it answers."""
        environ = {**os.environ, **self.environment()}
        programs = []
        if "DATABASE_URL" not in os.environ:
            programs.append(postgres_program(Server(self.home, progress=say)))
        programs.append(
            command("web", me("web", "--migrate"), env=environ, ready=answers(f"{self.base_url}/healthz"))
        )
        programs.append(command("worker", me("worker"), env=environ))
        return programs

    def line_programs(self) -> list[Program]:
        """Each line in a process of its own, all starting at once; see `lines_answer`."""
        return [self._sdk_line(line) if line.module else self._hosted_line(line) for line in self.lines]

    def lines_answer(self) -> bool:
        """Whether every line accepts connections."""
        return all(listens(HOST, line.port)() for line in self.lines)

    def _sdk_line(self, line: MarketLine) -> Program:
        assert line.module is not None
        database = self.database_of(line)
        database.parent.mkdir(parents=True, exist_ok=True)
        environ = {
            **os.environ,
            "LINE_DATABASE": str(database),
            "LINE_SECRET": self.secrets[line.slug],
            "LINE_CALLBACK": f"{self.base_url}/hooks/lines/{line.slug}",
        }
        arguments = [sys.executable, "-m", "guanjia.demo.lines", line.module, str(line.port)]
        return command(line.slug, arguments, env=environ)

    def _hosted_line(self, line: MarketLine) -> Program:
        arguments = me("line", "serve", line.slug, "--port", str(line.port))
        environ = {**os.environ, **self.environment()}
        return command(line.slug, arguments, env=environ)
