"""The numba kernels of `verifying`; they share nothing with those of the solver."""

from __future__ import annotations

import numpy as np

from guanjia.core.allocation.arrays import CLOSED, I32, I64, U8, U32, U64, Index
from guanjia.core.allocation.jit import compiled

_NOBODY = np.uint64(CLOSED)
_HIGH = np.uint64(32)


@compiled
def tally(
    session: I32, score: U32, lottery: U32, leaf: U8, rows: I64, sessions: int, leaves: int
) -> tuple[I64, U64]:  # pragma: no cover - machine code
    """Seats taken, and the lowest key seated, of each cell. O(M)."""
    count = np.zeros(sessions * leaves, np.int64)
    low = np.full(sessions * leaves, _NOBODY)
    for merchant in range(len(rows)):
        row = rows[merchant]
        if row >= 0:
            cell = np.int64(session[row]) * leaves + leaf[merchant]
            key = (np.uint64(score[row]) << _HIGH) + np.uint64(lottery[merchant])
            count[cell] += 1
            low[cell] = min(low[cell], key)
    return count, low


@compiled
def scan(
    start: I64, session: I32, score: U32, lottery: U32, leaf: U8, bar: U64, leaves: int, rows: I64
) -> tuple[Index, Index, Index]:  # pragma: no cover - machine code
    """How many merchants have another row than is due, the first of them, and what it is due. O(E)."""
    wrong, first, first_due = np.int64(0), np.int64(-1), np.int64(-1)
    for merchant in range(len(rows)):
        number = np.uint64(lottery[merchant])
        due = np.int64(-1)
        for row in range(start[merchant], start[merchant + 1]):
            key = (np.uint64(score[row]) << _HIGH) + number
            if key >= bar[np.int64(session[row]) * leaves + leaf[merchant]]:
                due = np.int64(row)
                break
        if due != rows[merchant]:
            if wrong == 0:
                first, first_due = np.int64(merchant), np.int64(due)
            wrong += 1
    return wrong, first, first_due
