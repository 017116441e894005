"""The solver as numba kernels. The steps are those of `solving`; results are the same bits as of `heaps`.

A *cell* is session * T + leaf. Each has a binary min-heap of keys in one shared array, `base[cell]` on,
as long as the cell can ever hold: the least of its caps, the seats, and the rows that ask for it. A key
leads to its merchant by its lottery bits. `bar[cell]` is a key that it is no use to be below: whoever was
turned down stays turned down, because the choice rule has substitutes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from guanjia.core.allocation.arrays import CLOSED, I32, I64, LOTTERY_BITS, LOTTERY_MASK, U8, U32, U64, Index
from guanjia.core.allocation.jit import compiled
from guanjia.core.allocation.market import Market
from guanjia.core.allocation.rules import Rules

_SHIFT = np.uint64(LOTTERY_BITS)
_MASK = np.uint64(LOTTERY_MASK)
_NEVER = np.uint64(CLOSED)


class _Bounds(NamedTuple):
    """The rules, flat: per session, per cell, or per (session, category)."""

    seats: I64
    category: U8  # of each leaf
    leaves: I64  # in order of their category
    first: I64  # where in `leaves` each category begins, and the end
    leaf_floor: I64
    leaf_cap: I64
    category_floor: I64
    category_cap: I64


class _Filling(NamedTuple):
    """Sessions while they fill: keys and their number per cell, seats taken per category and session."""

    heap: U64
    base: I64
    size: I64
    of_category: I64
    taken: I64
    bar: U64


def allocate(market: Market, turns: I64) -> I64:
    """As `solving.allocate`, with the order given."""
    rules = market.rules
    merchant_of = np.empty(market.merchants + 1, np.int64)
    merchant_of[market.lottery] = np.arange(market.merchants)
    room = np.minimum(rules.leaf_cap, np.minimum(rules.category_cap[:, rules.category], rules.seats[:, None]))
    asked = _asked(market.start, market.session, market.leaf, rules.sessions, rules.leaves)
    room = np.minimum(room.ravel(), asked)
    base = np.concatenate((np.zeros(1, np.int64), np.cumsum(room)))
    rows = (market.start, market.session, market.score, market.lottery)
    if rules.leaves == 1:
        return _plain(*rows, merchant_of, turns, base)
    state = _Filling(
        heap=np.empty(base[-1], np.uint64),
        base=base,
        size=np.zeros(len(room), np.int64),
        of_category=np.zeros(rules.sessions * rules.categories, np.int64),
        taken=np.zeros(rules.sessions, np.int64),
        bar=np.zeros(len(room), np.uint64),
    )
    return _laminar(*rows, market.leaf, merchant_of, turns, _bounds(rules), state)


def _bounds(rules: Rules) -> _Bounds:
    leaves = np.argsort(rules.category, kind="stable").astype(np.int64)
    first = np.searchsorted(rules.category[leaves], np.arange(rules.categories + 1)).astype(np.int64)
    return _Bounds(
        rules.seats,
        rules.category,
        leaves,
        first,
        rules.leaf_floor.ravel(),
        rules.leaf_cap.ravel(),
        rules.category_floor_in_force.ravel(),
        rules.category_cap.ravel(),
    )


@compiled
def _asked(
    start: I64, session: I32, leaf: U8, sessions: int, leaves: int
) -> I64:  # pragma: no cover - machine code
    """The rows that ask for each cell. O(E)."""
    asked = np.zeros(sessions * leaves, np.int64)
    for merchant in range(len(leaf)):
        for row in range(start[merchant], start[merchant + 1]):
            asked[np.int64(session[row]) * leaves + leaf[merchant]] += 1
    return asked


@compiled
def _sink(
    heap: U64, base: int, size: int, hole: int, key: np.uint64
) -> None:  # pragma: no cover - machine code
    """Put the key where the hole is, or deeper, until nothing below is lower."""
    child = 2 * hole + 1
    while child < size:
        if child + 1 < size and heap[base + child + 1] < heap[base + child]:
            child += 1
        if key <= heap[base + child]:
            break
        heap[base + hole] = heap[base + child]
        hole = child
        child = 2 * hole + 1
    heap[base + hole] = key


@compiled
def _rise(heap: U64, base: int, hole: int, key: np.uint64) -> None:  # pragma: no cover - machine code
    """Put the key where the hole is, or higher, until nothing above is higher."""
    while hole > 0:
        parent = (hole - 1) >> 1
        if heap[base + parent] <= key:
            break
        heap[base + hole] = heap[base + parent]
        hole = parent
    heap[base + hole] = key


@compiled
def _plain(
    start: I64, session: I32, score: U32, lottery: U32, merchant_of: I64, turns: I64, base: I64
) -> I64:  # pragma: no cover - machine code
    """One leaf: a session has nothing but seats. It becomes a heap when it is full, not before."""
    sessions = len(base) - 1
    heap = np.empty(base[sessions], np.uint64)
    taken = np.zeros(sessions, np.int64)
    bar = np.zeros(sessions, np.uint64)
    for closed in range(sessions):
        if base[closed] == base[closed + 1]:
            bar[closed] = _NEVER
    won = np.full(len(lottery), -1, np.int64)
    for turn in range(len(turns)):
        merchant = turns[turn]
        row = start[merchant]
        while True:
            number = np.uint64(lottery[merchant])
            end = start[merchant + 1]
            key = number
            while row < end:
                key = (np.uint64(score[row]) << _SHIFT) | number
                if key > bar[session[row]]:
                    break
                row += 1
            if row == end:
                won[merchant] = -1
                break
            won[merchant] = row
            at = session[row]
            begin = base[at]
            size = base[at + 1] - begin
            if taken[at] < size:
                heap[begin + taken[at]] = key
                taken[at] += 1
                if taken[at] == size:
                    for hole in range(size // 2 - 1, -1, -1):
                        _sink(heap, begin, size, hole, heap[begin + hole])
                    bar[at] = heap[begin]
                break
            gone = heap[begin]
            _sink(heap, begin, size, 0, key)
            bar[at] = heap[begin]
            merchant = merchant_of[gone & _MASK]
            row = won[merchant] + 1
    return won


@compiled
def _lowest(
    bounds: _Bounds, state: _Filling, at: Index, group: Index, newcomer: Index
) -> tuple[np.uint64, np.int64]:  # pragma: no cover - machine code
    """The lowest key in a category, and its leaf, among leaves above their floor with the newcomer in."""
    lowest, of = _NEVER, np.int64(-1)
    cells = at * len(bounds.category)
    for position in range(bounds.first[group], bounds.first[group + 1]):
        leaf = bounds.leaves[position]
        held = state.size[cells + leaf]
        if held > 0 and held + (leaf == newcomer) > bounds.leaf_floor[cells + leaf]:
            low = state.heap[state.base[cells + leaf]]
            if low < lowest:
                lowest, of = low, leaf
    return lowest, of


@compiled
def _lowest_of_all(
    bounds: _Bounds, state: _Filling, at: Index, newcomer: Index
) -> tuple[np.uint64, np.int64]:  # pragma: no cover - machine code
    """The same over all categories that are above their floor with the newcomer in."""
    lowest, of = _NEVER, np.int64(-1)
    groups = len(bounds.first) - 1
    for group in range(groups):
        held = state.of_category[at * groups + group] + (group == bounds.category[newcomer])
        if held > bounds.category_floor[at * groups + group]:
            low, leaf = _lowest(bounds, state, at, group, newcomer)
            if low < lowest:
                lowest, of = low, leaf
    return lowest, of


@compiled
def _add(
    state: _Filling, cell: Index, branch: Index, key: np.uint64
) -> None:  # pragma: no cover - machine code
    _rise(state.heap, state.base[cell], state.size[cell], key)
    state.size[cell] += 1
    state.of_category[branch] += 1


@compiled
def _take(state: _Filling, cell: Index, branch: Index) -> None:  # pragma: no cover - machine code
    """The lowest key of a cell goes."""
    state.size[cell] -= 1
    state.of_category[branch] -= 1
    if state.size[cell] > 0:
        begin = state.base[cell]
        _sink(state.heap, begin, state.size[cell], 0, state.heap[begin + state.size[cell]])


@compiled
def _propose(
    bounds: _Bounds, state: _Filling, at: Index, leaf: Index, key: np.uint64
) -> np.uint64:  # pragma: no cover - machine code
    """Seat the newcomer. Returns the key that goes for it, which may be its own; `_NEVER` if nobody does."""
    width, groups = len(bounds.category), len(bounds.first) - 1
    group = np.int64(bounds.category[leaf])
    cell, branch = at * width + leaf, at * groups + group
    may_go = state.size[cell] >= bounds.leaf_floor[cell]
    lowest, of = _NEVER, np.int64(-1)
    if state.size[cell] >= bounds.leaf_cap[cell]:
        may_go = True
        if state.size[cell] > 0:
            lowest, of = state.heap[state.base[cell]], np.int64(leaf)
    elif state.of_category[branch] >= bounds.category_cap[branch]:
        lowest, of = _lowest(bounds, state, at, group, leaf)
    elif state.taken[at] >= bounds.seats[at]:
        may_go = may_go and state.of_category[branch] >= bounds.category_floor[branch]
        lowest, of = _lowest_of_all(bounds, state, at, leaf)
    else:
        _add(state, cell, branch, key)
        state.taken[at] += 1
        return _NEVER
    if may_go and key < lowest:
        state.bar[cell] = lowest
        return key
    if of == leaf:
        _sink(state.heap, state.base[cell], state.size[cell], 0, key)
    else:
        _take(state, at * width + of, at * groups + bounds.category[of])
        _add(state, cell, branch, key)
    state.bar[at * width + of] = max(state.bar[at * width + of], lowest)
    return lowest


@compiled
def _laminar(
    start: I64,
    session: I32,
    score: U32,
    lottery: U32,
    leaf_of: U8,
    merchant_of: I64,
    turns: I64,
    bounds: _Bounds,
    state: _Filling,
) -> I64:  # pragma: no cover - machine code
    """Leaves in categories: each merchant in turn, and then whoever has to go for it."""
    width = len(bounds.category)
    won = np.full(len(lottery), -1, np.int64)
    for turn in range(len(turns)):
        merchant = turns[turn]
        row = start[merchant]
        while merchant >= 0:
            number = np.uint64(lottery[merchant])
            end = start[merchant + 1]
            leaf = np.int64(leaf_of[merchant])
            gone = _NEVER
            while row < end:
                at = np.int64(session[row])
                key = (np.uint64(score[row]) << _SHIFT) | number
                if key > state.bar[at * width + leaf]:
                    gone = _propose(bounds, state, at, leaf, key)
                    if gone != key:
                        break
                row += 1
            won[merchant] = row if row < end else -1
            if row == end or gone == _NEVER:
                break
            merchant = merchant_of[gone & _MASK]
            row = won[merchant] + 1
    return won
