"""Rows that cannot be imported: counted all, shown to a bound."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field

SHOWN = 50


@dataclass(frozen=True, slots=True, order=True)
class BadRow:
    """`line` is the line of the file on which the row begins; the header is on line 1."""

    line: int
    reason: str


@dataclass(slots=True)
class BadRows:
    """`first` holds those of the lowest lines, at most SHOWN, in order; `total` counts all."""

    total: int = 0
    first: list[BadRow] = field(default_factory=list)

    def add(self, rows: Iterable[BadRow], total: int | None = None) -> None:
        """Take more in; `total` where `rows` are only the first of many."""
        more = list(rows)
        self.total += len(more) if total is None else total
        self.first = heapq.nsmallest(SHOWN, [*self.first, *more])
