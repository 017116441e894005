"""Who gets which seat: merchant-proposing deferred acceptance (Gale, Shapley 1962; Hatfield, Milgrom 2005).

1. Take the merchants in any order; each proposes to the first session on its list.
2. A session that is within its bounds with the newcomer keeps everybody. Otherwise exactly one goes, and
   which one is the choice rule, step by step:
   a. the newcomer's leaf is above its cap: the lowest key of that leaf;
   b. its category is above its cap: the lowest key among the leaves of it that are above their floor;
   c. the session has more than its seats: the lowest key among the leaves above their floor, in
      categories above theirs.
3. Whoever goes proposes to the next session on its own list, until it finds a seat or the list ends.

The choice rule picks the feasible set that meets, in this order: most floors of leaves, most floors of
categories, most seats, highest keys. It has substitutes and the law of aggregate demand, so the outcome is
stable, the best stable one for every merchant at once, the same for every order of step 1, and no
merchant gains by misstating its list (docs/allocation.md has the sources and what tests prove of it).

Cost: at most E proposals; one that is turned down by what the session already knows is O(1), another
O(T + log seats). Memory: one word per seat that can be taken, at most E, and three per (session, leaf).
"""

from __future__ import annotations

from math import gcd

import numpy as np
from numpy.typing import ArrayLike

from guanjia.core.allocation import heaps
from guanjia.core.allocation.arrays import I64, frozen, whole
from guanjia.core.allocation.backends import Backend, chosen
from guanjia.core.allocation.market import Market

_HANDFUL = 64
_GOLDEN = 0.6180339887498949


def allocate(market: Market, *, order: ArrayLike | None = None, backend: Backend = "auto") -> I64:
    """The row that each merchant wins, -1 for none. [M]

    `order` is a permutation of the merchants, for those who want to see that it makes no difference.
    Both backends return the same bits. Raises ValueError for an order that is not a permutation.
    """
    turns = _turns(market, order)
    if chosen(backend, market.rows) == "python":
        return heaps.allocate(market, turns)
    from guanjia.core.allocation import solving_kernels

    return solving_kernels.allocate(market, turns)


def _turns(market: Market, order: ArrayLike | None) -> I64:
    if order is None:
        return _spread(market.merchants)
    turns = frozen(whole("order", order, (market.merchants,)), np.int64)
    if not np.array_equal(np.sort(turns), np.arange(market.merchants)):
        raise ValueError("order must name each merchant once")
    return turns


def _spread(merchants: int) -> I64:
    """Neighbours together, because their rows are, but one handful here and the next far away: merchants
    sorted from worst to best would otherwise displace each other one by one."""
    handfuls = -(-merchants // _HANDFUL)
    stride = next((s for s in range(int(handfuls * _GOLDEN), handfuls) if gcd(s, handfuls) == 1), 1)
    first = np.arange(handfuls) * stride % max(1, handfuls) * _HANDFUL
    turns = (first[:, None] + np.arange(_HANDFUL)).ravel()
    return turns[turns < merchants]
