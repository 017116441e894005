"""`make bench-web`: pages and intake over N cases, beside django-helpdesk, in one run on one machine.

PostgreSQL and every server stand on the loopback and end with the run. See docs/benchmarks.md for what is
asked, what is compared, and what the figures were.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import CalledProcessError

from ground import Ground, stand
from measure import load
from web import house, peer
from web.measure import Site, Target, read
from web.report import Report, Row

SMALL, LARGE, HUGE = 10_000, 1_000_000, 10_000_000
PEER_SIZES = (10_000, 100_000)
USERS = (1, 8, 32)


def main() -> int:
    asked = _arguments()
    sizes = (SMALL,) if asked.quick else (SMALL, LARGE, HUGE) if asked.big else (SMALL, LARGE)
    report = Report(load_before=load())
    with stand(5) as ground:
        _house(ground, sizes, asked, report)
        if not asked.no_peer:
            _peer(ground, asked, report)
    report.load_after = load()
    print(report.as_text())
    if asked.json:
        asked.json.write_text(report.as_json(), encoding="utf-8")
    return 0 if all(bar.met for bar in report.bars()) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--big", action="store_true", help="also 10 million cases: some 20 GB and 30 minutes")
    parser.add_argument("--quick", action="store_true", help="10 thousand cases only")
    parser.add_argument(
        "--no-peer", action="store_true", help="without django-helpdesk, which pip must fetch"
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="of each reading")
    parser.add_argument(
        "--rounds", type=int, default=3, help="readings of each kind, interleaved over the sizes"
    )
    parser.add_argument("--json", type=Path, help="write what was read to this file")
    return parser.parse_args()


def _house(ground: Ground, sizes: Sequence[int], asked: argparse.Namespace, report: Report) -> None:
    """Fill every size first; then each round reads every size, so that what else runs here hits all alike."""
    targets = {}
    for size in sizes:
        began = time.monotonic()
        targets[size] = house.fill(ground, f"cases{size}", size)
        report.filled[size] = time.monotonic() - began
        _say(f"{size} cases in {report.filled[size]:.0f} s")
    for _round in range(asked.rounds):
        for size in sizes:
            with house.serve(ground, f"cases{size}") as site:
                _read(site, size, targets[size], asked.seconds, report)


def _peer(ground: Ground, asked: argparse.Namespace, report: Report) -> None:
    """Between its rounds ours are not running, and the other way round: one server at a time."""
    try:
        python = peer.install(ground.home)
    except CalledProcessError as error:
        report.absent = f"django-helpdesk could not be installed: {error}"
        return
    targets = {
        size: peer.fill(ground, python, f"peer{size}", size) for size in PEER_SIZES[: 1 + (not asked.quick)]
    }
    for _round in range(asked.rounds):
        for size in targets:
            with peer.serve(ground, python, f"peer{size}") as site:
                _read(site, size, targets[size], asked.seconds, report)


def _read(
    site: Site, size: int, targets: Mapping[str, Sequence[Target]], seconds: float, report: Report
) -> None:
    for kind, asked in targets.items():
        read(site, asked, 4, 1.0, 0.5)  # templates, plans and pages that are new to this process
        for users in USERS:
            found = read(site, asked, users, seconds, 0.3)
            report.add(Row(site.name, kind, size, users), found)
            _say(
                f"{site.name}, {kind}, {size} cases, {users} users: {found.rate:.0f}/s p50 {found.p50:.1f} ms"
            )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
