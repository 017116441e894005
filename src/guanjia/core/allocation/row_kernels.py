"""The numba kernel of `market`."""

from __future__ import annotations

import numpy as np

from guanjia.core.allocation.arrays import I32, I64
from guanjia.core.allocation.jit import compiled


@compiled
def first_twice(start: I64, session: I32, sessions: int) -> int:  # pragma: no cover - machine code
    """The first row whose session stands further up in its merchant's list, or -1. O(E)."""
    seen = np.full(sessions, -1, np.int64)
    for merchant in range(len(start) - 1):
        for row in range(start[merchant], start[merchant + 1]):
            if seen[session[row]] == merchant:
                return row
            seen[session[row]] = merchant
    return -1
