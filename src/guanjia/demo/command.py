"""`guanjia demo`: the marketplace as processes, the story, and then, unless `--once`, left running."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from guanjia.base.postgres import stored_url
from guanjia.base.processes import Supervisor
from guanjia.cli.exits import Exit
from guanjia.cli.house import ready
from guanjia.cli.output import complain, say
from guanjia.config import env
from guanjia.demo.market import Market
from guanjia.demo.telling import StoryError, Teller

PORT = 8720


@click.command()
@click.option("--once", is_flag=True, help="Play the story, print the summary, leave nothing running.")
@click.option("--merchants", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--responsibilities", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--port", default=PORT, show_default=True, help="First of nine ports on 127.0.0.1.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON; needs --once.")
def demo(once: bool, merchants: Path | None, responsibilities: Path | None, port: int, as_json: bool) -> int:
    """Play the story on a demo marketplace of six lines.

    A merchant asks once for four lines; processes are killed in the middle; it takes effect on all.
    With --merchants the story is told about the first merchant of that file.
    """
    if as_json and not once:
        raise click.UsageError("--json needs --once")
    teller = Teller(english=env.load().language == "en", quiet=as_json)
    with _home(once) as home:
        market = Market(home, port, _secrets(home, port))
        run = Run(market, teller, merchants, responsibilities, once)
        return run.play(as_json)


@contextmanager
def _home(once: bool) -> Iterator[Path]:
    """A home of its own, never the house's: a temporary one, or one that is made anew each time."""
    if once:
        home = Path(tempfile.mkdtemp(prefix="guanjia-demo-"))
    else:
        home = env.home_from() / "demo"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
    home.chmod(0o711)  # for the database's user, when we are root
    try:
        yield home
    finally:
        if once:
            shutil.rmtree(home, ignore_errors=True)


def _secrets(home: Path, port: int) -> dict[str, str]:
    from guanjia.lines.protocol.signing import new_secret

    return {line.slug: new_secret() for line in Market(home, port, {}).lines}


@dataclass
class Run:
    """One run: the supervisor in this thread, the story in another."""

    market: Market
    teller: Teller
    merchants: Path | None
    responsibilities: Path | None
    once: bool
    over: threading.Event = field(default_factory=threading.Event)
    summary: dict[str, Any] = field(default_factory=dict)
    failure: BaseException | None = None

    def play(self, as_json: bool) -> int:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.over.set())
        os.environ.update(self.market.environment())
        self.teller.tell("开市：数据库、网页、后台、六条业务线", "Opening: database, web, worker, six lines")
        market = self.market
        programs = [*market.house(), *market.line_programs()]
        supervisor = Supervisor(market.home, programs)
        supervisor.start()
        threading.Thread(target=self._tell, name="story", daemon=True).start()
        supervisor.run(self.over)
        return self._report(as_json)

    def _tell(self) -> None:
        try:
            self._story()
        except BaseException as failure:
            self.failure = failure
        if self.once or self.failure:
            self.over.set()
        else:
            self._leave_open()

    def _story(self) -> None:
        os.environ.setdefault("DATABASE_URL", stored_url(self.market.home) or "")
        ready()
        from guanjia.demo.bustle import bustle
        from guanjia.demo.real import import_files, merchant_of_the_story
        from guanjia.demo.seed import seed
        from guanjia.demo.story import Story, _now
        from guanjia.demo.telling import wait_until

        wait_until("all six lines to open", self.market.lines_answer)
        self.teller.tell(
            "六条业务线已开门，正在登记服务和授权", "Six lines are open; services and mandates are entered"
        )
        imported = import_files(self.merchants, self.responsibilities, self.teller)
        people = seed(self.market, _now(), merchant_of_the_story())
        self.summary = Story(self.market, people, self.teller).play()
        if self.merchants:
            self.summary["imported"] = imported
        if not self.once:
            bustle(_now())

    def _leave_open(self) -> None:
        first = self.summary["packages"][0]["link"]
        self.teller.tell(
            f"市场开着：{self.market.base_url}", f"The marketplace stays open: {self.market.base_url}"
        )
        self.teller.tell(f"刚才的一揽子：{first}", f"The package just now: {first}")
        self.teller.tell(
            "右上角“登录”，一键换成商家、客户经理或业务线；不用密码",
            "Under “Sign in”, one click makes you the merchant, the account manager or the line; no password",
        )
        self.teller.tell("按 Ctrl-C 收市", "Ctrl-C closes it")

    def _report(self, as_json: bool) -> int:
        if self.failure is not None:
            complain(_cause(self.failure), hint=str(self.market.home / "log"), code="story", as_json=as_json)
            return Exit.STORY
        if as_json:
            click.echo(json.dumps(self.summary, ensure_ascii=False, indent=2, default=str))
        elif self.once:
            good = sum(holds for _, holds in self.teller.checks)
            say(f"{good}/{len(self.teller.checks)} ✓")
        return Exit.OK if not self.summary or self.summary["ok"] else Exit.STORY


def _cause(failure: BaseException) -> str:
    return str(failure) if isinstance(failure, StoryError) else f"{type(failure).__name__}: {failure}"
