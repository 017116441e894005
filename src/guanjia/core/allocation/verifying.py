"""Whether an outcome keeps the published rules, worked out without the solver, from cut-offs alone.

The **cut-off** of a cell (session, leaf) is the lowest key with which a merchant of that leaf would have
been seated there. It follows from who was seated, not from how. The promise of the house (Azevedo,
Leshno 2016, with one cut-off per session and leaf): an outcome within all caps is stable if and only if
every merchant has the first session on its own list whose cut-off its key reaches. So a merchant
checks itself with its own file and the public table, and one scan over all checks everybody.

Nothing here, and nothing it uses, is used by the solver; a test holds that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike

from guanjia.core.allocation.arrays import (
    CLOSED,
    I64,
    LOTTERY_BITS,
    LOTTERY_MASK,
    U8,
    U64,
    Flags,
    frozen,
    keys,
    whole,
)
from guanjia.core.allocation.backends import Backend, chosen
from guanjia.core.allocation.market import Market
from guanjia.core.allocation.rules import Rules

_CLOSED = np.uint64(CLOSED)
_CHUNK = 1 << 18  # merchants looked at in one piece where there is no kernel


class Why(IntEnum):
    """What makes a cut-off as high as it is."""

    FREE_SEATS = 0  # everybody is seated: there are seats left
    FLOOR = 1  # everybody of this leaf is seated: its floor, or its category's, is not used up
    LEAF_CAP = 2  # the leaf has as many seats as it may
    CATEGORY_CAP = 3  # the category has
    SEATS = 4  # the session is full
    NONE_ALLOWED = 5  # no seat for this leaf, whatever the key


@dataclass(frozen=True, eq=False)
class Cutoffs:
    """The public table. `key` is 0 where everybody is seated, `CLOSED` where nobody can be."""

    key: U64  # [S, T]
    why: U8  # [S, T], values of Why

    @property
    def score(self) -> I64:
        return (self.key >> np.uint64(LOTTERY_BITS)).astype(np.int64)

    @property
    def lottery(self) -> I64:
        return (self.key & np.uint64(LOTTERY_MASK)).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Seated:
    """Who sits where, counted: seats taken and the lowest key in each cell. [S, T]"""

    count: I64
    low: U64


@dataclass(frozen=True, slots=True)
class Overfull:
    """More seats given than a cap allows; leaf and category are None for the session's own seats."""

    session: int
    leaf: int | None
    category: int | None
    taken: int
    allowed: int


@dataclass(frozen=True, slots=True)
class Wrong:
    """A merchant that has another row than the cut-offs give it; -1 is none."""

    merchant: int
    has: int
    due: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification found. `wrong` counts merchants, `first` is the first of them."""

    overfull: tuple[Overfull, ...]
    wrong: int
    first: Wrong | None

    @property
    def stable(self) -> bool:
        return not self.overfull and self.wrong == 0


def cutoffs(market: Market, won: ArrayLike, *, backend: Backend = "auto") -> Cutoffs:
    """The table that belongs to an outcome. O(M + S · T). Raises ValueError, see `verify`."""
    rows = _outcome(market, won)
    return _table(market.rules, _seated(market, rows, backend))


def verify(market: Market, won: ArrayLike, *, backend: Backend = "auto") -> Verdict:
    """Whether this outcome (a row per merchant, -1 for none) is the lawful one to publish. O(E + S · T).

    1. Every merchant has one of its own rows, or none. Raises ValueError naming the first that has not.
    2. No cap is broken, and no session has more merchants than seats.
    3. Every merchant has the first row of its list that reaches the cut-off of its cell.
    """
    rows = _outcome(market, won)
    seated = _seated(market, rows, backend)
    wrong, first = _scan(market, _table(market.rules, seated), rows, backend)
    return Verdict(tuple(_overfull(market.rules, seated)), wrong, first)


def seated(market: Market, won: ArrayLike, *, backend: Backend = "auto") -> Seated:
    """Seats taken and the lowest key in each cell. O(M). Raises ValueError, see `verify`."""
    return _seated(market, _outcome(market, won), backend)


def applicants(market: Market) -> I64:
    """How many merchants of each leaf ask for each session. [S, T], O(E)."""
    leaf = np.repeat(market.leaf, np.diff(market.start)).astype(np.int64)
    cell = market.session.astype(np.int64) * market.rules.leaves + leaf
    size = market.rules.sessions * market.rules.leaves
    return np.bincount(cell, minlength=size).reshape(-1, market.rules.leaves).astype(np.int64)


def _outcome(market: Market, won: ArrayLike) -> I64:
    rows = frozen(whole("won", won, (market.merchants,)), np.int64)
    own = (rows == -1) | ((rows >= market.start[:-1]) & (rows < market.start[1:]))
    if not own.all():
        merchant = int(np.flatnonzero(~own)[0])
        raise ValueError(f"merchant {merchant} has row {rows[merchant]}, which is not on its list")
    return rows


def _seated(market: Market, rows: I64, backend: Backend) -> Seated:
    """One pass over those who have a seat."""
    shape = (market.rules.sessions, market.rules.leaves)
    if chosen(backend, market.rows) == "numba":
        from guanjia.core.allocation.verifying_kernels import tally

        count, low = tally(market.session, market.score, market.lottery, market.leaf, rows, *shape)
        return Seated(count.reshape(shape), low.reshape(shape))
    merchant = np.flatnonzero(rows >= 0)
    row = rows[merchant]
    cell = market.session[row].astype(np.int64) * shape[1] + market.leaf[merchant]
    low = np.full(shape[0] * shape[1], _CLOSED)
    np.minimum.at(low, cell, keys(market.score[row], market.lottery[merchant]))
    count = np.bincount(cell, minlength=low.size).astype(np.int64)
    return Seated(count.reshape(shape), low.reshape(shape))


def _table(rules: Rules, seated: Seated) -> Cutoffs:
    """The cut-offs, cell by cell: the first of these that holds for one more merchant of the leaf.

    1. The leaf is at its cap: the lowest key of the leaf.
    2. The category is at its cap: 0 below the leaf's floor, else the lowest key among the leaves of the
       category that are above their floor, and of the leaf itself.
    3. A seat is free: 0.
    4. The leaf or its category is below its floor: 0.
    5. The session is full: the lowest key among leaves above their floor, in the own category and in
       categories above theirs, and of the leaf itself.
    """
    count, low, category = seated.count, seated.low, rules.category
    of_category = _sums(count, rules)
    floor = np.maximum(rules.category_floor, _sums(rules.leaf_floor, rules))
    spare = np.where(count > rules.leaf_floor, low, _CLOSED)
    lowest = np.full(of_category.shape, _CLOSED)
    for leaf, group in enumerate(category):
        np.minimum(lowest[:, group], spare[:, leaf], out=lowest[:, group])
    anywhere = np.where(of_category > floor, lowest, _CLOSED).min(axis=1)
    own = np.minimum(lowest[:, category], low)
    unmet = count < rules.leaf_floor
    unmet_above = (of_category < floor)[:, category]
    at_cap = (of_category >= rules.category_cap)[:, category]
    free = (count.sum(axis=1) < rules.seats)[:, None]
    nothing = np.zeros_like(low)
    key, why = np.minimum(own, anywhere[:, None]), np.full(count.shape, Why.SEATS, np.uint8)
    cases: list[tuple[Flags, U64, U8]] = [
        (unmet | unmet_above, nothing, np.full_like(why, Why.FLOOR)),
        (np.broadcast_to(free, count.shape), nothing, np.full_like(why, Why.FREE_SEATS)),
        (at_cap, own, _narrowest(rules)),
        (at_cap & unmet, nothing, np.full_like(why, Why.FLOOR)),
        (count >= rules.leaf_cap, low, np.where(_leaf_is_narrowest(rules), Why.LEAF_CAP, _narrowest(rules))),
    ]
    for holds, bar, reason in cases:  # from the last to the first, which has the last word
        key[holds], why[holds] = bar[holds], reason[holds]
    why[key == _CLOSED] = Why.NONE_ALLOWED
    return Cutoffs(frozen(key, np.uint64), frozen(why, np.uint8))


def _narrowest(rules: Rules) -> U8:
    """The reason of a cell whose category is at its cap: a cap as wide as the session is none of its own."""
    narrow = (rules.category_cap < rules.seats[:, None])[:, rules.category]
    return np.where(narrow, Why.CATEGORY_CAP, Why.SEATS).astype(np.uint8)


def _leaf_is_narrowest(rules: Rules) -> Flags:
    above = np.minimum(rules.category_cap[:, rules.category], rules.seats[:, None])
    narrow: Flags = rules.leaf_cap < above
    return narrow


def _scan(market: Market, table: Cutoffs, rows: I64, backend: Backend) -> tuple[int, Wrong | None]:
    """How many merchants have another row than is due to them, and the first of them."""
    if chosen(backend, market.rows) == "numba":
        from guanjia.core.allocation.verifying_kernels import scan

        lists = (market.start, market.session, market.score, market.lottery, market.leaf)
        wrong, merchant, due = scan(*lists, table.key.ravel(), market.rules.leaves, rows)
        return int(wrong), Wrong(int(merchant), int(rows[merchant]), int(due)) if wrong else None
    found: list[Wrong] = []
    wrong = 0
    for begin in range(0, market.merchants, _CHUNK):
        dues = _due(market, table, begin, min(begin + _CHUNK, market.merchants))
        off = np.flatnonzero(dues != rows[begin : begin + _CHUNK])
        wrong += off.size
        found += [Wrong(begin + int(i), int(rows[begin + i]), int(dues[i])) for i in off[:1]]
    return wrong, found[0] if found else None


def _due(market: Market, table: Cutoffs, begin: int, end: int) -> I64:
    """The row due to each merchant from `begin` to `end`; -1 for none."""
    start = market.start[begin : end + 1]
    merchant = np.repeat(np.arange(begin, end), np.diff(start))
    mine = slice(int(start[0]), int(start[-1]))
    key = keys(market.score[mine], market.lottery[merchant])
    reaching = np.flatnonzero(key >= table.key[market.session[mine], market.leaf[merchant]]) + start[0]
    reaching = np.append(reaching, market.rows)  # behind all lists
    due = reaching[np.searchsorted(reaching, start[:-1])]
    return np.where(due < start[1:], due, -1)


def _overfull(rules: Rules, seated: Seated) -> list[Overfull]:
    of_category, taken = _sums(seated.count, rules), seated.count.sum(axis=1)
    return [
        *(
            Overfull(int(s), None, None, int(taken[s]), int(rules.seats[s]))
            for s in np.flatnonzero(taken > rules.seats)
        ),
        *(
            Overfull(int(s), None, int(g), int(of_category[s, g]), int(rules.category_cap[s, g]))
            for s, g in np.argwhere(of_category > rules.category_cap)
        ),
        *(
            Overfull(int(s), int(t), None, int(seated.count[s, t]), int(rules.leaf_cap[s, t]))
            for s, t in np.argwhere(seated.count > rules.leaf_cap)
        ),
    ]


def _sums(of_leaves: I64, rules: Rules) -> I64:
    """Sums over the leaves of each category. [S, T] to [S, G]"""
    belongs = rules.category[:, None] == np.arange(rules.categories)
    sums: I64 = of_leaves @ belongs.astype(np.int64)
    return sums
