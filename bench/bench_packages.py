"""How many packages a second, at what price: Guanjia, the bare calls, and the libraries it could be built on.

    python bench/bench_packages.py [--packages N] [--rounds R] [--json]

All in one run, in interleaved rounds: whoever else uses this machine disturbs all alike. What each
does is described in docs/benchmarks.md. Exit code 1 if a bar was missed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from bare import Bare
from celery_peer import CeleryPeer
from dbos_peer import DbosPeer
from ground import Ground, stand
from house import House, fill
from measure import Lone, Running, burst, load, lone
from report import Report, Row

UNIT = 32  # packages: what the batched DBOS workflow takes at once
IDLE_SECONDS = 15.0


class Contestant(Protocol):
    @property
    def name(self) -> str: ...

    def absent(self) -> str | None:
        """None, or the command that installs what is missing."""

    def start(self, ground: Ground, packages: int) -> AbstractContextManager[Running]:
        """Warmed up and idle, with `packages` that wait to be let go."""


BARE = Bare()
ONE_EACH = House("Guanjia, one flow each, 1 worker", batch=1, workers=1)
BATCHED = House("Guanjia, batched, 1 worker", batch=64, workers=1)
CELERY = CeleryPeer()
DBOS = DbosPeer("DBOS, one workflow each", batch=1)
CONTESTANTS: tuple[Contestant, ...] = (
    BARE,
    ONE_EACH,
    House("Guanjia, one flow each, 2 workers", batch=1, workers=2),
    BATCHED,
    House("Guanjia, batched, 2 workers", batch=64, workers=2),
    CELERY,
    DBOS,
    DbosPeer(f"DBOS, {UNIT} packages a workflow", batch=UNIT),
)
LONE: tuple[Contestant, ...] = (BARE, BATCHED, CELERY, DBOS)


def main() -> int:
    given = _arguments()
    packages = -(-given.packages // UNIT) * UNIT
    rows = [Row(each.name, each.absent()) for each in CONTESTANTS if given.only in each.name]
    report = Report(packages, given.rounds, given.latency, rows, load_before=load())
    with stand(given.latency) as ground:
        if any(report.row(each.name) for each in CONTESTANTS if isinstance(each, House)):
            say(f"{packages} packages are submitted, to be copied for each round …")
            report.accepted = fill(ground, packages)
        for contestant, row in _interleaved(report, given.rounds):
            with contestant.start(ground, packages) as on:
                row.bursts.append(burst(ground, on, packages))
            say(f"{contestant.name}: {row.bursts[-1].rate:.0f}/s")
        for contestant in LONE:
            row = report.row(contestant.name)
            if row and row.absent is None:
                row.lone = _lone(ground, contestant, given.lone)
    report.load_after = load()
    print(report.as_json() if given.json else report.as_text())
    return 0 if all(bar.met for bar in report.bars()) else 1


def _interleaved(report: Report, rounds: int) -> Iterator[tuple[Contestant, Row]]:
    """Everybody once, then everybody again: odd rounds forwards, even rounds backwards."""
    for number in range(rounds):
        order: Sequence[Contestant] = CONTESTANTS[:: -1 if number % 2 else 1]
        for contestant in order:
            row = report.row(contestant.name)
            if row and row.absent is None:
                yield contestant, row


def _lone(ground: Ground, contestant: Contestant, times: int) -> Lone:
    say(f"{contestant.name}: {times} lone packages …")
    with contestant.start(ground, 0) as on:
        return lone(ground, on, times, IDLE_SECONDS)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--packages", type=int, default=640, help="in each burst (default 640)")
    parser.add_argument("--rounds", type=int, default=5, help="medians are over these (default 5)")
    parser.add_argument("--lone", type=int, default=40, help="lone packages (default 40)")
    parser.add_argument("--latency", type=float, default=5.0, help="of the line, in ms (default 5)")
    parser.add_argument("--only", default="", help="contestants whose name contains this")
    parser.add_argument("--json", action="store_true", help="everything that was measured")
    return parser.parse_args()


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
