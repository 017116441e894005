"""How calls to a line go, kept in memory by whoever makes them: cheap enough for every call."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from guanjia.lines.circuit import Circuit

_LATELY: Final = 256
_WHY_MOST: Final = 120


@dataclass(frozen=True, slots=True)
class Reading:
    """One line at one instant. Milliseconds are of the last `calls` attempts, None where there are none."""

    line: str
    circuit: str
    retry_at: datetime | None
    ok_at: datetime | None
    fault_at: datetime | None
    fault: str
    calls: int
    p50_ms: int | None
    p95_ms: int | None


class Vitals:
    """The last attempts at one line; `fresh` when there were any since the last `read`."""

    def __init__(self) -> None:
        self.fresh = False
        self._seconds: deque[float] = deque(maxlen=_LATELY)
        self._ok_at: datetime | None = None
        self._fault_at: datetime | None = None
        self._fault = ""

    def note(self, seconds: float, fault: str, at: datetime) -> None:
        """An attempt took so long; `fault` is empty where the line answered."""
        self.fresh = True
        self._seconds.append(seconds)
        if fault:
            self._fault, self._fault_at = fault[:_WHY_MOST], at
        else:
            self._ok_at = at

    def read(self, line: str, circuit: Circuit, monotonic: float, now: datetime) -> Reading:
        """`monotonic` is the circuit's clock at `now`."""
        self.fresh = False
        retry_at = circuit.retry_at()
        return Reading(
            line=line,
            circuit=circuit.position(monotonic).value,
            retry_at=None if retry_at is None else now + timedelta(seconds=retry_at - monotonic),
            ok_at=self._ok_at,
            fault_at=self._fault_at,
            fault=self._fault,
            calls=len(self._seconds),
            p50_ms=self._percentile(50),
            p95_ms=self._percentile(95),
        )

    def _percentile(self, percent: int) -> int | None:
        """The nearest rank: the smallest value that `percent` of the attempts did not exceed."""
        if not self._seconds:
            return None
        rank = max(math.ceil(len(self._seconds) * percent / 100), 1)
        return round(sorted(self._seconds)[rank - 1] * 1000)
