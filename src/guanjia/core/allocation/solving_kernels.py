"""The solver as numba kernels. The steps are those of `solving`; results are the same bits as of `heaps`.

A *cell* is session * T + leaf. Each has a binary min-heap of keys in one shared array, `base[cell]` on,
as long as the cell can ever hold: the least of its caps, the seats, and the rows that ask for it.
`bar[cell]` is a key that it is no use to be below: whoever was turned down stays turned down, because
the choice rule has substitutes. A key leads to its merchant by its lottery bits: `place` has, by lottery
number, the row a merchant has come to and the end of its list, side by side, because what costs time
here is memory that is far away.
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
_FREE = np.uint64(0)  # below every key


# Columns: what is looked at together stands together, because what costs time is memory that is far away.
_SIZE, _FLOOR, _CAP, _BASE = 0, 1, 2, 3


class _Filling(NamedTuple):
    """Sessions while they fill. A *branch* is session * G + category.

    `spare` is the lowest key of a leaf that is above its floor, `inside` the lowest of those in a category,
    `open` the same if the category is above its floor too; `_NEVER` where there is none.
    """

    heap: U64
    first: I64  # where the leaves of each category begin, and the end; leaves are in order of category
    category: I64  # of each leaf
    cell: I64  # [S * T, 4]: seats taken, floor, cap, where the heap begins
    branch: I64  # [S * G, 3]: seats taken, floor, cap
    taken: I64  # [S, 2]: seats taken, and all there are
    bar: U64
    spare: U64
    inside: U64
    open: U64


def allocate(market: Market, turns: I64) -> I64:
    """As `solving.allocate`, with the order given."""
    rules = market.rules
    order = np.argsort(rules.category, kind="stable")
    leaf = np.argsort(order).astype(np.uint8)[market.leaf]
    room = np.minimum(rules.leaf_cap, np.minimum(rules.category_cap[:, rules.category], rules.seats[:, None]))
    asked = _asked(market.start, market.session, leaf, rules.sessions, rules.leaves)
    room = np.minimum(room[:, order].ravel(), asked)
    base = np.concatenate((np.zeros(1, np.int64), np.cumsum(room)))
    rows = (market.start, market.session, market.score, market.lottery)
    if rules.leaves == 1:
        return _plain(*rows, turns, base)
    return _laminar(*rows, leaf, turns, _empty(rules, order, base))


def _empty(rules: Rules, order: I64, base: I64) -> _Filling:
    category = rules.category[order].astype(np.int64)
    cells, branches = rules.sessions * rules.leaves, rules.sessions * rules.categories
    floor, cap = rules.leaf_floor[:, order].ravel(), rules.leaf_cap[:, order].ravel()
    floors, caps = rules.category_floor_in_force.ravel(), rules.category_cap.ravel()
    return _Filling(
        heap=np.empty(base[-1], np.uint64),
        first=np.searchsorted(category, np.arange(rules.categories + 1)).astype(np.int64),
        category=category,
        cell=np.column_stack((np.zeros(cells, np.int64), floor, cap, base[:-1])),
        branch=np.column_stack((np.zeros(branches, np.int64), floors, caps)),
        taken=np.column_stack((np.zeros(rules.sessions, np.int64), rules.seats)),
        bar=np.zeros(cells, np.uint64),
        spare=np.full(cells, _NEVER),
        inside=np.full(branches, _NEVER),
        open=np.full(branches, _NEVER),
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
    start: I64, session: I32, score: U32, lottery: U32, turns: I64, base: I64
) -> I64:  # pragma: no cover - machine code
    """One leaf: a session has nothing but seats. It becomes a heap when it is full, not before."""
    sessions = len(base) - 1
    heap = np.empty(base[sessions], np.uint64)
    taken = np.zeros(sessions, np.int64)
    bar = np.zeros(sessions, np.uint64)
    for closed in range(sessions):
        if base[closed] == base[closed + 1]:
            bar[closed] = _NEVER
    place = np.empty((len(lottery) + 1, 2), np.int64)
    for turn in range(len(turns)):
        merchant = turns[turn]
        number = np.uint64(lottery[merchant])
        row, end = start[merchant], start[merchant + 1]
        while True:
            key = number
            while row < end:
                key = (np.uint64(score[row]) << _SHIFT) | number
                if key > bar[session[row]]:
                    break
                row += 1
            place[number, 0], place[number, 1] = row, end
            if row == end:
                break
            at = session[row]
            begin, size = base[at], base[at + 1] - base[at]
            if taken[at] < size:
                heap[begin + taken[at]] = key
                taken[at] += 1
                if taken[at] == size:
                    for hole in range(size // 2 - 1, -1, -1):
                        _sink(heap, begin, size, hole, heap[begin + hole])
                    bar[at] = heap[begin]
                break
            number = heap[begin] & _MASK
            _sink(heap, begin, size, 0, key)
            bar[at] = heap[begin]
            row, end = place[number, 0] + 1, place[number, 1]
    return _won(place, lottery)


@compiled
def _won(place: I64, lottery: U32) -> I64:  # pragma: no cover - machine code
    """From row and end of list by lottery number to the row of each merchant, -1 behind the end."""
    won = np.empty(len(lottery), np.int64)
    for merchant in range(len(lottery)):
        number = lottery[merchant]
        won[merchant] = place[number, 0] if place[number, 0] < place[number, 1] else -1
    return won


@compiled
def _push(heap: U64, cell: I64, here: Index, key: np.uint64) -> None:  # pragma: no cover - machine code
    _rise(heap, cell[here, _BASE], cell[here, _SIZE], key)
    cell[here, _SIZE] += 1


@compiled
def _pop(heap: U64, cell: I64, here: Index) -> None:  # pragma: no cover - machine code
    """The lowest key of a cell goes."""
    cell[here, _SIZE] -= 1
    begin, size = cell[here, _BASE], cell[here, _SIZE]
    if size > 0:
        _sink(heap, begin, size, 0, heap[begin + size])


@compiled
def _least(values: U64, begin: Index, end: Index) -> np.uint64:  # pragma: no cover - machine code
    least = _NEVER
    for position in range(begin, end):
        least = min(least, values[position])
    return least


@compiled
def _whose(spare: U64, begin: Index, key: np.uint64) -> np.int64:  # pragma: no cover - machine code
    """The leaf that has this key to spare; there is one."""
    leaf = np.int64(0)
    while spare[begin + leaf] != key:
        leaf += 1
    return leaf


@compiled
def _laminar(
    start: I64,
    session: I32,
    score: U32,
    lottery: U32,
    leaf_of: U8,
    turns: I64,
    state: _Filling,
) -> I64:  # pragma: no cover - machine code
    """Leaves in categories: each merchant in turn, and then whoever has to go for it.

    1. Propose, down the list: `lowest` is the key that would go for the newcomer, 0 if a seat is free;
       `wanted` says that a floor has room for the newcomer, so that it is not the one to go.
    2. Seat the newcomer; the lowest of leaf `of` goes.
    3. Note anew what the leaves that changed, and their categories, have to spare.
    4. Go on with whoever went.

    In one piece, because handing ten arrays to another function costs more than what it would do.
    """
    heap, first, category, cell, branch, taken, bar, spare, inside, open_ = state
    width, groups = len(category), len(first) - 1
    place = np.empty((len(lottery) + 1, 2), np.int64)
    for turn in range(len(turns)):
        merchant = turns[turn]
        number = np.uint64(lottery[merchant])
        row, end = start[merchant], start[merchant + 1]
        leaf = np.int64(leaf_of[merchant])
        while True:
            while row < end:  # 1
                at = np.int64(session[row])
                here = at * width + leaf
                key = (np.uint64(score[row]) << _SHIFT) | number
                if key <= bar[here]:
                    row += 1
                    continue
                above = at * groups + category[leaf]
                size, held = cell[here, _SIZE], branch[above, _SIZE]
                own = heap[cell[here, _BASE]] if size > 0 else _NEVER
                wanted = size < cell[here, _FLOOR]
                lowest = inside[above] if wanted else min(own, inside[above])
                if size >= cell[here, _CAP]:
                    lowest, wanted = own, False
                elif held < branch[above, _CAP]:
                    if held < branch[above, _FLOOR]:
                        lowest, wanted = _NEVER, True
                    free = taken[at, 0] < taken[at, 1]
                    lowest = _FREE if free else min(lowest, _least(open_, at * groups, (at + 1) * groups))
                if wanted or key >= lowest:
                    break
                bar[here] = lowest
                row += 1
            place[number, 0], place[number, 1] = row, end
            if row == end:
                break
            of = leaf  # 2
            if lowest == own:
                _sink(heap, cell[here, _BASE], size, 0, key)
            else:
                if lowest == _FREE:
                    taken[at, 0] += 1
                else:
                    of = _whose(spare, at * width, lowest)
                    _pop(heap, cell, at * width + of)
                    branch[at * groups + category[of], _SIZE] -= 1
                _push(heap, cell, here, key)
                branch[above, _SIZE] += 1
            for changed in (leaf, of):  # 3
                its, group = at * width + changed, category[changed]
                spare[its] = heap[cell[its, _BASE]] if cell[its, _SIZE] > cell[its, _FLOOR] else _NEVER
                above = at * groups + group
                inside[above] = _least(spare, at * width + first[group], at * width + first[group + 1])
                open_[above] = inside[above] if branch[above, _SIZE] > branch[above, _FLOOR] else _NEVER
            if lowest == _FREE:
                break
            bar[at * width + of] = max(bar[at * width + of], lowest)  # 4
            number, leaf = lowest & _MASK, of
            row, end = place[number, 0] + 1, place[number, 1]
    return _won(place, lottery)
