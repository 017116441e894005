"""What was read, as a table with its bars, or as JSON."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

from web.measure import Reading

GROWTH_MOST = 1.5
SEARCH = "search, "
SEARCH_P95, SEARCHED_MOST = 50.0, 1_000_000
"""Milliseconds at one user, over the largest size up to this."""
INTAKE_TIMES = 5.0
INTAKE_CPU_MOST = 6.0  # milliseconds a request, application and database
HOUSE, PEER = "Guanjia", "django-helpdesk"
FIELD_P50 = {"desk list": 84.0, "case page": 47.0, "merchant door": 84.0}
"""The best p50 in milliseconds that any desk reached at 100 thousand tickets and one user: a
list (FreeScout, 84), one ticket (Odoo, 47: its two answers, without a page). None has a door of a
merchant's own; it is held against a list."""
FIELD_INTAKE = 70.7  # requests per second: Odoo at 32 users


class Row(NamedTuple):
    site: str
    kind: str
    cases: int
    users: int


@dataclass(frozen=True, slots=True)
class Bar:
    """What was promised, and what came of it."""

    promise: str
    found: str
    met: bool


@dataclass
class Report:
    """`filled`: seconds to fill a size. Of several readings of one row the median counts."""

    load_before: float
    load_after: float = 0.0
    absent: str = ""
    filled: dict[int, float] = field(default_factory=dict)
    readings: dict[Row, list[Reading]] = field(default_factory=dict)

    def add(self, row: Row, found: Reading) -> None:
        self.readings.setdefault(row, []).append(found)

    def median(self, row: Row, reading: Callable[[Reading], float]) -> float:
        return statistics.median(map(reading, self.readings[row]))

    def bars(self) -> list[Bar]:
        return [*self._growth(), *self._search(), *self._intake(), *self._field()]

    def _search(self) -> list[Bar]:
        size, found = max(size for size in self.filled if size <= SEARCHED_MOST), []
        asked = [row for row in self.readings if row.kind.startswith(SEARCH) and row[2:] == (size, 1)]
        for row in asked:
            p95 = self.median(row, lambda reading: reading.p95)
            promise = f"{row.kind} over {_count(size)}: p95 at most {SEARCH_P95:.0f} ms"
            found.append(Bar(promise, f"{p95:.1f} ms", p95 <= SEARCH_P95))
        return found

    def _growth(self) -> list[Bar]:
        """The largest size against the smallest, for every page and number of users. What a search looks
        through grows with its words; it has a bar of its own."""
        sizes = sorted(self.filled)
        if len(sizes) < 2:
            return []
        found = []
        for row in [row for row in self.readings if row.site == HOUSE and row.cases == sizes[-1]]:
            if row.kind.startswith(SEARCH):
                continue
            small, large = self._times(row._replace(cases=sizes[0]), row)
            most = f"{_count(sizes[-1])} at most {GROWTH_MOST} × {_count(sizes[0])}"
            promise = f"{row.kind}, {row.users} users: {most}"
            text = f"p50 {small:.1f} → {large:.1f} ms ({large / small:.2f} ×)"
            found.append(Bar(promise, text, large <= GROWTH_MOST * small))
        return found

    def _times(self, *rows: Row) -> list[float]:
        return [self.median(row, lambda reading: reading.p50) for row in rows]

    def _intake(self) -> list[Bar]:
        ours = self._best(HOUSE)
        cpu = self.median(ours, lambda reading: reading.cpu)
        spent = Bar(f"intake at most {INTAKE_CPU_MOST:.0f} CPU ms", f"{cpu:.2f}", cpu <= INTAKE_CPU_MOST)
        if not any(row.site == PEER for row in self.readings):
            return [spent]
        rates = [self.median(row, lambda reading: reading.rate) for row in (ours, self._best(PEER))]
        promise = f"intake at least {INTAKE_TIMES:.0f} × {PEER}, best of each"
        text = f"{rates[0]:.0f}/s to {rates[1]:.0f}/s ({rates[0] / rates[1]:.1f} ×)"
        return [spent, Bar(promise, text, rates[0] >= INTAKE_TIMES * rates[1])]

    def _best(self, site: str) -> Row:
        rows = [row for row in self.readings if row.site == site and row.kind == "intake"]
        return max(rows, key=lambda row: self.median(row, lambda reading: reading.rate))

    def _field(self) -> list[Bar]:
        largest = max(self.filled)
        found = []
        for kind, best in FIELD_P50.items():
            [p50] = self._times(Row(HOUSE, kind, largest, 1))
            promise = f"{kind} over {_count(largest)}: faster than the best of other desks ({best:.0f} ms)"
            found.append(Bar(promise, f"p50 {p50:.1f} ms", p50 < best))
        return found

    def as_json(self) -> str:
        rows = [
            row._asdict() | {"readings": [asdict(r) for r in found]} for row, found in self.readings.items()
        ]
        about = {
            "load_before": self.load_before,
            "load_after": self.load_after,
            "filled_seconds": self.filled,
        }
        bars = [asdict(bar) for bar in self.bars()]
        content = about | {"machine": machine(), "absent": self.absent, "rows": rows, "bars": bars}
        return json.dumps(content, ensure_ascii=False, indent=2)

    def as_text(self) -> str:
        head = (
            f"{machine()}; load average {self.load_before:.2f} before, {self.load_after:.2f} after.\n\n"
            "| | cases | users | requests/s | p50 ms | p95 ms | app CPU ms | database CPU ms |\n"
            f"|{'---|' * 8}"
        )
        bars = [f"{'✓' if bar.met else '✗'} {bar.promise}: {bar.found}" for bar in self.bars()]
        return "\n".join([head, *map(self._line, sorted(self.readings)), "", self.absent, *bars])

    def _line(self, row: Row) -> str:
        cells = [
            f"{self.median(row, lambda r: r.rate):.0f}",
            f"{self.median(row, lambda r: r.p50):.1f}",
            f"{self.median(row, lambda r: r.p95):.1f}",
            f"{self.median(row, lambda r: r.app_cpu):.1f}",
            f"{self.median(row, lambda r: r.store_cpu):.1f}",
        ]
        return f"| {row.site}, {row.kind} | {_count(row.cases)} | {row.users} | {' | '.join(cells)} |"


def _count(number: int) -> str:
    return f"{number // 1_000_000} M" if number >= 1_000_000 else f"{number // 1000} k"


def machine() -> str:
    return (
        f"Python {platform.python_version()}, {os.cpu_count()} CPUs, {platform.system()} {platform.machine()}"
    )
