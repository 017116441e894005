"""Small rounds for the tests, and the choice rule once more, as one would explain it on a board.

`choose` looks at every set of applicants there is; nothing in it is shared with the engine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain, combinations
from random import Random

import numpy as np

from guanjia.core.allocation import Backend, Market, Rules, allocate, make_market, make_rules

BACKENDS: list[Backend] = ["python", "numba"]


@dataclass(frozen=True)
class Bounds:
    """The rules of one session."""

    seats: int
    leaf_floor: list[int]
    leaf_cap: list[int]
    category_floor: list[int]
    category_cap: list[int]


@dataclass(frozen=True)
class Round:
    """Lists of sessions, scores by session, and the rules, in Python's own types."""

    lists: list[list[int]]
    scores: list[list[int]]  # [merchant][session]
    lottery: list[int]
    leaf: list[int]
    category: list[int]
    sessions: list[Bounds]

    def market(self, *, backend="auto") -> Market:
        start = np.cumsum([0] + [len(wishes) for wishes in self.lists])
        rows = [(s, self.scores[m][s]) for m, wishes in enumerate(self.lists) for s in wishes]
        return make_market(
            start,
            [s for s, _score in rows],
            [score for _s, score in rows],
            self.lottery,
            self.leaf,
            self.rules(),
            backend=backend,
        )

    def rules(self) -> Rules:
        return make_rules(
            [s.seats for s in self.sessions],
            self.category,
            leaf_floor=[s.leaf_floor for s in self.sessions],
            leaf_cap=[s.leaf_cap for s in self.sessions],
            category_floor=[s.category_floor for s in self.sessions],
            category_cap=[s.category_cap for s in self.sessions],
        )

    def key(self, merchant: int, session: int) -> tuple[int, int]:
        return self.scores[merchant][session], self.lottery[merchant]

    def saying(self, merchant: int, wishes: list[int]) -> Round:
        """The same round, in which one merchant hands in another list."""
        return replace(self, lists=[wishes if m == merchant else own for m, own in enumerate(self.lists)])


def make_round(
    chance: Random, merchants: int, sessions: int, leaves: int = 4, *, bounds: bool = True
) -> Round:
    """A random round whose bounds bind often; with few score levels, so that the lottery matters."""
    category = [leaf % max(1, leaves // 2) for leaf in range(leaves)] if bounds else [0] * leaves
    return Round(
        lists=[chance.sample(range(sessions), chance.randint(0, sessions)) for _ in range(merchants)],
        scores=[[chance.randrange(4) for _ in range(sessions)] for _ in range(merchants)],
        lottery=chance.sample(range(1, merchants + 1), merchants),
        leaf=[chance.randrange(leaves) for _ in range(merchants)],
        category=category,
        sessions=[make_bounds(chance, merchants, category, bounds) for _ in range(sessions)],
    )


def make_bounds(chance: Random, merchants: int, category: list[int], bounds: bool = True) -> Bounds:
    """Lawful bounds of one session: drawn until they are."""
    leaves, groups = len(category), max(category) + 1
    seats = chance.randint(0, max(1, merchants * 2 // 3))
    if not bounds:
        return Bounds(seats, [0] * leaves, [seats] * leaves, [0] * groups, [seats] * groups)
    while True:
        floor = [chance.choice([0, 0, 1, 2]) for _ in range(leaves)]
        cap = [chance.choice([0, 1, 2, 3, seats]) for _ in range(leaves)]
        floors = [chance.choice([0, 0, 1, 2, 3]) for _ in range(groups)]
        caps = [chance.choice([1, 2, 3, 4, seats]) for _ in range(groups)]
        inside = [sum(f for f, its in zip(floor, category, strict=True) if its == g) for g in range(groups)]
        in_force = [max(pair) for pair in zip(floors, inside, strict=True)]
        lawful = all(f <= c for f, c in zip(floor, cap, strict=True))
        if lawful and sum(in_force) <= seats and all(f <= c for f, c in zip(in_force, caps, strict=True)):
            return Bounds(seats, floor, cap, floors, caps)


def choose(round_: Round, session: int, applicants) -> frozenset[int]:
    """The feasible set with most leaf floors met, then category floors, then seats, then the best keys."""
    bounds = round_.sessions[session]
    best = max(_subsets(applicants), key=lambda those: _worth(round_, bounds, session, those))
    return frozenset(best)


def _subsets(those):
    those = sorted(those)
    return chain.from_iterable(combinations(those, size) for size in range(len(those) + 1))


def _worth(round_: Round, bounds: Bounds, session: int, those):
    leaf = [sum(round_.leaf[m] == t for m in those) for t in range(len(round_.category))]
    group = [
        sum(n for n, its in zip(leaf, round_.category, strict=True) if its == g)
        for g in range(max(round_.category) + 1)
    ]
    over = (
        len(those) > bounds.seats
        or any(n > cap for n, cap in zip(leaf, bounds.leaf_cap, strict=True))
        or any(n > cap for n, cap in zip(group, bounds.category_cap, strict=True))
    )
    if over:
        return (-1,)
    inside = [
        sum(f for f, its in zip(bounds.leaf_floor, round_.category, strict=True) if its == g)
        for g in range(len(group))
    ]
    promised = [max(pair) for pair in zip(bounds.category_floor, inside, strict=True)]
    return (
        sum(min(n, floor) for n, floor in zip(leaf, bounds.leaf_floor, strict=True)),
        sum(min(n, floor) for n, floor in zip(group, promised, strict=True)),
        len(those),
        sorted((round_.key(m, session) for m in those), reverse=True),
    )


def places(round_: Round, won) -> list[int | None]:
    """The session of each merchant, from the rows that the engine returns."""
    market = round_.market()
    return [int(market.session[row]) if row >= 0 else None for row in won]


def solved(round_: Round, backend="python") -> list[int | None]:
    return places(round_, allocate(round_.market(), backend=backend))


def is_stable(round_: Round, placed: list[int | None]) -> bool:
    """By the definition: no session would send anyone away, and none would take in anyone who prefers it."""
    for session in range(len(round_.sessions)):
        inside = {m for m, at in enumerate(placed) if at == session}
        if choose(round_, session, inside) != inside:
            return False
        if any(m in choose(round_, session, inside | {m}) for m in _would_rather(round_, placed, session)):
            return False
    return True


def _would_rather(round_: Round, placed: list[int | None], session: int) -> list[int]:
    return [m for m, at in enumerate(placed) if prefers(round_, m, session, at)]


def prefers(round_: Round, merchant: int, session: int | None, to: int | None) -> bool:
    wishes = round_.lists[merchant]
    rank: dict[int | None, int] = {wish: place for place, wish in enumerate(wishes)}
    return session in rank and rank[session] < rank.get(to, len(wishes))


def random_market(
    seed: int,
    merchants: int,
    sessions: int,
    leaves: int = 1,
    groups: int = 1,
    wishes: int = 6,
    levels: int = 50,
) -> Market:
    """A larger round as arrays, with floors and caps that bind."""
    draw = np.random.default_rng(seed)
    lists = np.argsort(draw.random((merchants, sessions)), axis=1)[:, :wishes]
    lengths = draw.integers(0, wishes + 1, merchants)
    listed = np.arange(wishes) < lengths[:, None]
    seats = draw.integers(0, max(2, 2 * merchants // sessions), sessions)
    category = np.arange(leaves) * groups // leaves
    rules = make_rules(
        seats,
        category,
        leaf_floor=draw.integers(0, 2, (sessions, leaves)) * (seats[:, None] // (2 * leaves)),
        leaf_cap=seats[:, None] - draw.integers(0, 2, (sessions, leaves)) * (seats[:, None] // 2),
        category_floor=draw.integers(0, 2, (sessions, groups)) * (seats[:, None] // (2 * groups)),
        category_cap=seats[:, None] * np.ones((1, groups), int),
    )
    return make_market(
        np.concatenate(([0], np.cumsum(lengths))),
        lists[listed],
        draw.integers(0, levels, (merchants, wishes))[listed],
        draw.permutation(merchants) + 1,
        draw.integers(0, leaves, merchants),
        rules,
        backend="python",
    )
