"""How long an import of merchants takes, next to the least that it could take.

    python bench/bench_import.py [--rows 1000000] [--rounds 3] [--quoted] [--json]

Against DATABASE_URL (in a database of its own, dropped at the end) or an embedded server in a temporary
home. In one run, on one file: raw COPY into an unlogged table of texts, in one session; the dry run, in
one session and as the command does it; the import; the import of the same file again. Each several
times, of which the quickest counts: whatever else a machine does only ever adds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg.sql import SQL, Identifier

from guanjia.base.postgres import Server

FACTOR, RATE = 3.0, 60_000  # the bar: times (raw COPY + validation), and rows per second
CITIES = ("sao paulo", "campinas", "rio de janeiro", "curitiba", "santa barbara d´oeste", "杭州", "义乌")
STATES = ("SP", "RJ", "PR", "MG", "浙江")


@dataclass
class Times:
    """Seconds by what was measured, in order: of each the quickest."""

    rows: int
    size: int
    seconds: dict[str, float] = field(default_factory=dict)

    def took(self, what: str, seconds: float) -> None:
        self.seconds[what] = min(seconds, self.seconds.get(what, seconds))

    @property
    def base(self) -> float:
        return self.seconds["raw COPY"] + self.seconds["validation alone"]

    @property
    def factor(self) -> float:
        return self.seconds["import"] / self.base

    @property
    def rate(self) -> float:
        return self.rows / self.seconds["import"]


def write_file(path: Path, rows: int, quoted: bool) -> None:
    """Rows like those of the Olist sellers file, with a name."""
    chance, quote = random.Random(7), '"' if quoted else ""
    with path.open("w", encoding="utf-8") as stream:
        stream.write("seller_id,name,seller_zip_code_prefix,seller_city,seller_state\n")
        for number in range(rows):
            ref = hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()
            cells = [ref, f"云栖女装 {number} Store", f"{chance.randrange(100_000):05d}"]
            cells += [chance.choice(CITIES), chance.choice(STATES)]
            stream.write(",".join(f"{quote}{cell}{quote}" for cell in cells) + "\n")


@contextmanager
def database() -> Iterator[str]:
    """The URL of an empty database that goes away at the end."""
    home = Path(tempfile.mkdtemp(prefix="guanjia-bench-"))
    home.chmod(0o711)
    os.environ["GUANJIA_HOME"] = str(home)
    name = f"guanjia_bench_{os.getpid()}"
    try:
        with server(home) as url, psycopg.connect(url, autocommit=True) as session:
            session.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
            try:
                yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
            finally:
                session.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
    finally:
        shutil.rmtree(home)


@contextmanager
def server(home: Path) -> Iterator[str]:
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    with Server(home).start() as own:
        yield own.url


def ready(url: str) -> None:
    os.environ |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "guanjia.config.settings"}
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def raw_copy(url: str, path: Path) -> float:
    columns = "c0 text, c1 text, c2 text, c3 text, c4 text"
    with closing(psycopg.connect(url, autocommit=True)) as session:
        session.execute(f"CREATE UNLOGGED TABLE raw ({columns})")
        began = time.perf_counter()
        with (
            path.open("rb") as stream,
            session.cursor().copy("COPY raw FROM STDIN (FORMAT csv, HEADER)") as copy,
        ):
            while chunk := stream.read(1 << 20):
                copy.write(chunk)
        seconds = time.perf_counter() - began
        session.execute("DROP TABLE raw")
    return seconds


def bring(path: Path, *, apply: bool, sessions: int | None = None) -> tuple[Any, float, float]:
    """The outcome, the seconds of all of it, and those of its validation alone."""
    from django.utils import timezone

    from guanjia.base.actors import SYSTEM
    from guanjia.coverage.actions import ensure_default_pool
    from guanjia.merchants.importing.files import look_at
    from guanjia.merchants.importing.load import Wish, import_merchants
    from guanjia.merchants.importing.mapping import MERCHANTS, read_mapping
    from guanjia.merchants.importing.staging import Phase

    began = checking = time.perf_counter()

    def note(phase: Phase, _done: int, _total: int) -> None:
        nonlocal checking
        if phase is Phase.CHECK:
            checking = time.perf_counter()

    table, now = look_at(path), timezone.now()
    outcome = import_merchants(
        actor=SYSTEM,
        table=table,
        columns=read_mapping(table.header, [], MERCHANTS),
        wish=Wish(apply=apply, home_pool=lambda: ensure_default_pool(now=now), sessions=sessions),
        now=now,
        progress=note,
    )
    ended = time.perf_counter()
    return outcome, ended - began, ended - checking


def measure(url: str, path: Path, times: Times) -> None:
    """One round, on a database without merchants."""
    times.took("raw COPY", raw_copy(url, path))
    _outcome, _all, validation = bring(path, apply=False, sessions=1)
    times.took("validation alone", validation)
    for what, apply in (("dry run", False), ("import", True), ("same file again", True)):
        outcome, seconds, _validation = bring(path, apply=apply)
        times.took(what, seconds)
        expected = (0, times.rows) if what == "same file again" else (times.rows, 0)
        assert (outcome.new, outcome.unchanged, outcome.bad.total) == (*expected, 0)


def clear(rows: int) -> None:
    """Take the merchants out again, having counted them."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM merchants_merchant")
        assert cursor.fetchone() == (rows,)
        cursor.execute("TRUNCATE merchants_merchant CASCADE")


def let_go() -> None:
    """Close Django's connections, so that the database can be dropped."""
    from django.db import connection

    django_connection: Any = connection
    django_connection.close()
    django_connection.close_pool()


def table(times: Times) -> str:
    lines = [f"{times.rows:,} merchants, {times.size / 1e6:.1f} MB, {os.cpu_count()} processors"]
    lines.append(f"{'':<18}{'seconds':>9}{'rows/s':>12}{'of base':>9}")
    for what, seconds in times.seconds.items():
        lines.append(f"{what:<18}{seconds:>9.2f}{times.rows / seconds:>12,.0f}{seconds / times.base:>9.2f}")
    lines.append(f"base = raw COPY + validation alone = {times.base:.2f} s")
    kept = times.factor <= FACTOR and times.rate >= RATE
    lines.append(
        f"{'within' if kept else 'OUTSIDE'} the bar: import {times.factor:.2f} × base (at most {FACTOR:g}),"
        f" {times.rate:,.0f} rows/s (at least {RATE:,})"
    )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quoted", action="store_true", help="quotes around every cell")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="guanjia-bench-file-") as folder, database() as url:
        path = Path(folder) / "merchants.csv"
        write_file(path, asked.rows, asked.quoted)
        ready(url)
        times = Times(asked.rows, path.stat().st_size)
        for _round in range(asked.rounds):
            measure(url, path, times)
            clear(asked.rows)
        let_go()
    data = {"rows": times.rows, "bytes": times.size, **times.seconds}
    data |= {"base": times.base, "factor": times.factor, "rows_per_second": times.rate}
    print(json.dumps(data, indent=2) if asked.json else table(times))
    return 0 if times.factor <= FACTOR and times.rate >= RATE else 1


if __name__ == "__main__":
    sys.exit(main())
