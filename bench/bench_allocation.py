"""How long allocation takes, next to sorting its rows and next to other implementations.

    python bench/bench_allocation.py [--sizes 10000,100000] [--rounds 7] [--no-peers] [--json FILE]

Everything in one run and interleaved: in each round of measuring every contestant has its turn. CPU seconds
of this process, medians; arrays are in memory, kernels are compiled. Peers are measured once: one call
takes longer than all of ours. Every outcome is verified, and must be that of the peers.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rounds import adversarial, sessions_for, typical, with_cells

from guanjia.core.allocation import Market, allocate, has_numba, verify

SIZES = (10_000, 100_000, 1_000_000, 5_000_000)
PEERS = {"algmatch": 3_000, "matching": 30_000}  # merchants: more takes them hours
ADVERSARIAL = 1_000_000  # merchants, at most
NO_JIT = 100_000


@dataclass
class Size:
    """Seconds by contestant, all on the same rows."""

    merchants: int
    rows: int
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def __getitem__(self, what: str) -> float:
        return statistics.median(self.seconds[what])

    def __contains__(self, what: str) -> bool:
        return what in self.seconds


@dataclass
class Report:
    sizes: list[Size] = field(default_factory=list)
    peers: dict[str, dict[str, float]] = field(default_factory=dict)
    adversarial: dict[str, float] = field(default_factory=dict)
    typical: float = 0.0
    load: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Bar:
    promise: str
    seen: str
    met: bool


# --- measuring ----------------------------------------------------------------------------------------


def cpu(what: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    result = what()
    return time.process_time() - began, result


def contestants(plain: Market, cells: Market) -> dict[str, Callable[[], Any]]:
    won = allocate(plain, backend="numba")
    key = plain.score.astype(np.uint64) << np.uint64(32)
    key |= np.repeat(plain.lottery, np.diff(plain.start)).astype(np.uint64)
    found: dict[str, Callable[[], Any]] = {
        "plain": lambda: allocate(plain, backend="numba"),
        "8 cells": lambda: allocate(cells, backend="numba"),
        "verify": lambda: verify(plain, won, backend="numba"),
        "lexsort": lambda: np.lexsort((key, plain.session)),
    }
    if plain.merchants <= NO_JIT:
        found["no JIT"] = lambda: allocate(plain, backend="python")
        found["no JIT, 8 cells"] = lambda: allocate(cells, backend="python")
    return found


def measure(merchants: int, rounds: int) -> Size:
    plain = typical(merchants)
    cells = with_cells(plain, 8)
    for market in (plain, cells):
        won = allocate(market, backend="numba")
        assert verify(market, won, backend="numba").stable
        if merchants <= NO_JIT:
            assert np.array_equal(allocate(market, backend="python"), won)
    size = Size(merchants, plain.rows)
    for _round in range(rounds):
        for what, run in contestants(plain, cells).items():
            size.seconds.setdefault(what, []).append(cpu(run)[0])
    return size


def measure_adversarial(merchants: int, rounds: int) -> tuple[float, dict[str, float]]:
    usual = typical(merchants)
    seconds: dict[str, list[float]] = {}
    cases = adversarial(merchants)
    for _round in range(rounds):
        for what, (market, order) in {"": (usual, None), **cases}.items():
            taken, _won = cpu(lambda m=market, o=order: allocate(m, order=o, backend="numba"))  # type: ignore[misc]
            seconds.setdefault(what, []).append(taken)
    assert all(verify(m, allocate(m, order=o, backend="numba")).stable for m, o in cases.values())
    medians = {what: statistics.median(times) for what, times in seconds.items()}
    return medians.pop(""), medians


# --- peers --------------------------------------------------------------------------------------------


def by_key(market: Market) -> tuple[dict[int, list[int]], dict[int, list[int]], dict[int, int]]:
    """Lists of merchants, lists of sessions with the best key first, and seats: what the peers take."""
    residents = {merchant: list(market.own(merchant).sessions) for merchant in range(market.merchants)}
    merchant = np.repeat(np.arange(market.merchants), np.diff(market.start))
    order = np.lexsort((market.lottery[merchant], market.score, market.session))[::-1]
    hospitals: dict[int, list[int]] = {}
    for session, who in zip(market.session[order].tolist(), merchant[order].tolist(), strict=True):
        hospitals.setdefault(session, []).append(who)
    return residents, hospitals, {session: int(market.rules.seats[session]) for session in hospitals}


def run_matching(market: Market) -> tuple[dict[str, float], list[int]]:
    from matching.games import HospitalResident

    lists = by_key(market)
    build, game = cpu(lambda: HospitalResident.create_from_dictionaries(*lists))
    solve, solution = cpu(lambda: game.solve(optimal="resident"))
    placed = {int(who.name): int(session.name) for session, those in solution.items() for who in those}
    return {"build": build, "solve": solve}, [placed.get(m, -1) for m in range(market.merchants)]


def deep(what: Callable[[], Any]) -> Any:
    """Run where recursion may go as deep as the market is large: `matching` copies its players that way."""
    found: list[Any] = []
    limit, stack = sys.getrecursionlimit(), threading.stack_size(1 << 30)
    sys.setrecursionlimit(1 << 24)
    thread = threading.Thread(target=lambda: found.append(what()))
    thread.start()
    thread.join()
    sys.setrecursionlimit(limit)
    threading.stack_size(stack)
    return found[0]


def run_algmatch(market: Market) -> tuple[dict[str, float], list[int]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has invalid escapes in its docstrings
        from algmatch import HospitalResidentsProblem

    residents, hospitals, seats = by_key(market)
    given = {
        "residents": {m + 1: [s + 1 for s in wishes] for m, wishes in residents.items()},
        "hospitals": {
            s + 1: {"capacity": seats[s], "preferences": [m + 1 for m in those]}
            for s, those in hospitals.items()
        },
    }
    build, problem = cpu(lambda: HospitalResidentsProblem(dictionary=given))
    solve, solution = cpu(problem.get_stable_matching)
    return {"build": build, "solve": solve}, _placed(solution, market.merchants)


def _placed(solution: Mapping[str, Any], merchants: int) -> list[int]:
    """algmatch names residents r1, r2, … and hospitals h1, h2, …"""
    pairs = solution["resident_sided"]
    placed = [pairs.get(f"r{merchant + 1}", "") for merchant in range(merchants)]
    return [int(session[1:]) - 1 if session else -1 for session in placed]


def measure_peer(name: str, merchants: int, rounds: int) -> dict[str, float]:
    market = typical(merchants)
    peer = {"matching": run_matching, "algmatch": run_algmatch}[name]
    seconds, theirs = deep(lambda: peer(market))
    won = allocate(market, backend="numba")
    ours = np.where(won >= 0, market.session[won], -1) if market.rows else won
    assert ours.tolist() == theirs, f"{name} has another outcome"
    taken = [cpu(lambda: allocate(market, backend="numba"))[0] for _round in range(rounds)]
    return {"merchants": merchants, "ours": statistics.median(taken), **seconds}


# --- bars and tables ------------------------------------------------------------------------------------


def bars(report: Report) -> Iterator[Bar]:
    large = [size for size in report.sizes if size.merchants >= 100_000]
    if large:
        yield _most(
            "plain at most 0.25 × lexsort, from 1e5", 0.25, [s["plain"] / s["lexsort"] for s in large]
        )
    yield _most("8 cells at most 2.5 × plain", 2.5, [s["8 cells"] / s["plain"] for s in report.sizes])
    largest = [size for size in large if size.merchants >= 1_000_000]
    if largest:
        yield _most("verify at most 0.3 × plain, from 1e6", 0.3, [s["verify"] / s["plain"] for s in largest])
    if report.adversarial:
        worst = max(report.adversarial.values()) / report.typical
        yield _most("worst adversarial at most 8 × typical", 8, [worst])
    if "matching" in report.peers:
        peer = report.peers["matching"]
        times = peer["solve"] / peer["ours"]
        yield Bar("at least 5,000 × matching at 3e4", f"{times:,.0f}", times >= 5000)
    if len(report.sizes) > 1:
        yield _most("growth exponent at most 1.3", 1.3, [exponent(report.sizes)])
    without = [size for size in report.sizes if "no JIT" in size]
    if without:
        yield _most("without numba at most 60 × as long", 60, [s["no JIT"] / s["plain"] for s in without])


def _most(promise: str, most: float, seen: list[float]) -> Bar:
    return Bar(promise, " … ".join(f"{value:.2f}" for value in seen), max(seen) <= most)


def exponent(sizes: list[Size]) -> float:
    """The slope of log(seconds) over log(merchants), least squares."""
    merchants, seconds = zip(*((size.merchants, size["plain"]) for size in sizes), strict=True)
    return float(np.polyfit(np.log(merchants), np.log(seconds), 1)[0])


def table(report: Report) -> Iterator[str]:
    yield (
        f"{platform.python_implementation()} {platform.python_version()}, NumPy {np.__version__},"
        f" {os.cpu_count()} processors, load {report.load[0]:.1f} before and {os.getloadavg()[0]:.1f} after;"
        " CPU seconds, medians"
    )
    columns = ("plain", "8 cells", "verify", "lexsort", "no JIT", "no JIT, 8 cells")
    yield f"\n{'merchants':>10}{'sessions':>9}{'rows':>12}" + "".join(f"{name:>10}" for name in columns[:5])
    for size in report.sizes:
        cells = "".join(f"{size[name]:>10.4f}" if name in size else f"{'–':>10}" for name in columns[:5])
        yield f"{size.merchants:>10,}{sessions_for(size.merchants):>9,}{size.rows:>12,}{cells}"
    if report.peers:
        yield f"\n{'peer':<12}{'merchants':>10}{'ours':>10}{'solve':>10}{'build':>10}{'solve ÷ ours':>15}"
    for name, seen in report.peers.items():
        times = seen["solve"] / seen["ours"]
        row = f"{seen['ours']:>10.4f}{seen['solve']:>10.2f}{seen['build']:>10.2f}{times:>15,.0f}"
        yield f"{name:<12}{seen['merchants']:>10,.0f}{row}"
    if report.adversarial:
        yield f"\n{'adversarial':<40}{'seconds':>9}{'÷ typical':>11}"
    for name, seconds in report.adversarial.items():
        yield f"{name:<40}{seconds:>9.4f}{seconds / report.typical:>11.2f}"
    yield "\nbars"
    for bar in bars(report):
        yield f"{'met   ' if bar.met else 'MISSED'}  {bar.promise}: {bar.seen}"


def run(sizes: list[int], rounds: int, peers: bool) -> Report:
    report = Report(load=os.getloadavg())
    measure(1_000, 1)  # compiles
    for merchants in sizes:
        print(f"… {merchants:,} merchants", file=sys.stderr, flush=True)
        report.sizes.append(measure(merchants, rounds if merchants < ADVERSARIAL else max(3, rounds // 2)))
    report.typical, report.adversarial = measure_adversarial(min(ADVERSARIAL, max(sizes)), 3)
    for name, merchants in PEERS.items() if peers else ():
        print(f"… {name}, {merchants:,} merchants", file=sys.stderr, flush=True)
        try:
            report.peers[name] = measure_peer(name, merchants, rounds)
        except ModuleNotFoundError:
            print(f"{name} is left out; to compare with it: pip install {name}", file=sys.stderr)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="merchants, by commas")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--no-peers", dest="peers", action="store_false")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if not has_numba():
        parser.error("needs numba: pip install 'guanjia[fast]'")
    report = run([int(size) for size in asked.sizes.split(",")], asked.rounds, asked.peers)
    print("\n".join(table(report)))
    if asked.json:
        found = asdict(report) | {"bars": [asdict(bar) for bar in bars(report)]}
        asked.json.write_text(json.dumps(found, indent=2), "utf-8")
    return 0 if all(bar.met for bar in bars(report)) else 1


if __name__ == "__main__":
    sys.exit(main())
