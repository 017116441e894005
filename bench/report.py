"""What was measured, as a table with its bars, or as JSON."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

from measure import Burst, Lone

ONE_EACH_LEAST = 100.0  # packages per second
OF_BARE_LEAST = 0.35
IDLE_MOST = 5.0  # commits per second
LONE_MOST = 0.3  # seconds
_HEAD = (
    f"{'':36}{'pkg/s':>7} {'(range)':>11}{'p50 s':>7}{'p95 s':>7}{'worker':>8}{'store':>7}{'commits':>9}\n"
    f"{'':36}{'':>7} {'':>11}{'burst':>7}{'burst':>7}{'ms/pkg':>8}{'ms/pkg':>7}{'/pkg':>9}"
)


@dataclass
class Row:
    """One contestant; `absent` is the command that would install it, where it is missing."""

    name: str
    absent: str | None
    bursts: list[Burst] = field(default_factory=list)
    lone: Lone | None = None

    def median(self, reading: Callable[[Burst], float]) -> float:
        return statistics.median(map(reading, self.bursts))

    @property
    def rate(self) -> float:
        return self.median(lambda burst: burst.rate)


@dataclass(frozen=True, slots=True)
class Bar:
    """What was promised, and what came of it."""

    promise: str
    found: str
    met: bool


@dataclass
class Report:
    packages: int
    rounds: int
    latency_ms: float
    rows: Sequence[Row]
    load_before: float
    load_after: float = 0.0
    accepted: float = 0.0

    def row(self, name: str) -> Row | None:
        return next((row for row in self.rows if row.name == name), None)

    def bars(self) -> list[Bar]:
        """Bars about what was measured; a peer that is missing sets none."""
        found = []
        bare, one, batched = self._measured("bare"), self._measured("one flow each, 1"), self._batched()
        if one:
            promise = f"one flow each: at least {ONE_EACH_LEAST:.0f}/s"
            found.append(Bar(promise, f"{one.rate:.0f}/s", one.rate >= ONE_EACH_LEAST))
        if bare and batched:
            share = batched.rate / bare.rate
            promise = f"batched: at least {OF_BARE_LEAST} of the bare loop"
            found.append(Bar(promise, f"{share:.2f}", share >= OF_BARE_LEAST))
        if batched and (celery := self._measured("Celery")):
            found.append(
                Bar("batched: faster than Celery", _against(batched, celery), batched.rate > celery.rate)
            )
        return found + self._quiet_bars(batched)

    def _quiet_bars(self, batched: Row | None) -> list[Bar]:
        if not batched or not batched.lone or batched.lone.idle_commits is None:
            return []
        alone, idle = batched.lone.p50, batched.lone.idle_commits
        return [
            Bar(f"idle: at most {IDLE_MOST:.0f} commits/s", f"{idle:.1f}", idle <= IDLE_MOST),
            Bar(f"a lone package: p50 at most {LONE_MOST * 1000:.0f} ms", _ms(alone), alone <= LONE_MOST),
        ]

    def _batched(self) -> Row | None:
        return self._measured("batched, 1")

    def _measured(self, part: str) -> Row | None:
        return next((row for row in self.rows if part in row.name and row.bursts), None)

    def as_json(self) -> str:
        bars = [asdict(bar) for bar in self.bars()]
        return json.dumps(asdict(self) | {"machine": _machine(), "bars": bars}, ensure_ascii=False, indent=2)

    def as_text(self) -> str:
        about = (
            f"{self.packages} packages over four lines ({self.latency_ms:g} ms each), medians of"
            f" {self.rounds} interleaved rounds; {_machine()};\nload average {self.load_before:.2f} before,"
            f" {self.load_after:.2f} after. The house accepted {self.accepted:.0f} submissions per second."
        )
        burst = [_HEAD, *(_burst_line(row) for row in self.rows)]
        alone = [_lone_line(row) for row in self.rows if row.lone]
        bars = [f"{'✓' if bar.met else '✗'} {bar.promise}: {bar.found}" for bar in self.bars()]
        return "\n".join([about, "", *burst, "", *alone, "", *bars])


def _burst_line(row: Row) -> str:
    if row.absent is not None:
        return f"{row.name:36}not installed: {row.absent}"
    rates = [burst.rate for burst in row.bursts]
    if not rates:
        return f"{row.name:36}not measured"
    commits = [burst.commits for burst in row.bursts if burst.commits is not None]
    return (
        f"{row.name:36}{row.rate:7.0f} {f'({min(rates):.0f}–{max(rates):.0f})':>11}"
        f"{row.median(lambda b: b.p50):7.2f}{row.median(lambda b: b.p95):7.2f}"
        f"{row.median(lambda b: b.worker_cpu):8.1f}{row.median(lambda b: b.store_cpu):7.1f}"
        f"{f'{statistics.median(commits):.2f}' if commits else '–':>9}"
    )


def _lone_line(row: Row) -> str:
    assert row.lone is not None
    idle = row.lone.idle_commits
    commits = f"; idle {idle:.1f} commits/s" if idle is not None else ""
    return f"lone package, {row.name}: p50 {_ms(row.lone.p50)}, p95 {_ms(row.lone.p95)}{commits}"


def _against(one: Row, other: Row) -> str:
    return f"{one.rate:.0f}/s against {other.rate:.0f}/s"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _machine() -> str:
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
