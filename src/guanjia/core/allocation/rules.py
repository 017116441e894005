"""The rules of a round as arrays, and what makes them lawful.

A round has S sessions. Every merchant belongs to one of T leaf types (for example category × size), every
leaf to one of G categories. Leaves lie inside categories and categories inside the session, so the
bounds form a tree (they are *laminar*): this is what makes the allocation stable and truth-telling safe
(Kojima, Tamura, Yokoo 2018; Hatfield, Milgrom 2005).

* A **floor** is soft: so many seats go first to those it is for; seats nobody claims are open to all.
* A **cap** is hard. The seats of a session are its cap.
* Floors are filled first, then the open seats (*reserve-first*). That order is part of the rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from guanjia.core.allocation.arrays import I64, U8, Flags, frozen, whole
from guanjia.core.allocation.problems import NO_LABELS, Code, Labels, Problem, texts

MOST_SEATS = (1 << 31) - 1
MOST_LEAVES = 255
MOST_TOLD = 100
"""As many problems of one kind are named; the rest are like them."""


@dataclass(frozen=True, eq=False)
class Rules:
    """Seats, floors and caps. Units: seats. Build with `make_rules`, judge with `check_rules`."""

    seats: I64  # [S]
    category: U8  # [T], the category of each leaf
    leaf_floor: I64  # [S, T]
    leaf_cap: I64  # [S, T]
    category_floor: I64  # [S, G]
    category_cap: I64  # [S, G]

    @property
    def sessions(self) -> int:
        return len(self.seats)

    @property
    def leaves(self) -> int:
        return len(self.category)

    @property
    def categories(self) -> int:
        return int(self.category_floor.shape[1])

    @cached_property
    def category_floor_in_force(self) -> I64:
        """A category's floor is at least what its leaves are promised. [S, G]"""
        return np.maximum(self.category_floor, by_category(self.leaf_floor, self.category, self.categories))


def make_rules(
    seats: ArrayLike,
    category: ArrayLike = (0,),
    *,
    leaf_floor: ArrayLike | None = None,
    leaf_cap: ArrayLike | None = None,
    category_floor: ArrayLike | None = None,
    category_cap: ArrayLike | None = None,
) -> Rules:
    """Rules from whatever holds whole numbers; a floor left out is 0, a cap left out is the session's seats.

    Raises TypeError or ValueError where the shapes do not fit; whether the rules are lawful is for
    `check_rules`.
    """
    room = frozen(whole("seats", seats, (-1,)), np.int64)
    leaf = whole("category", category, (-1,))
    if not 1 <= leaf.size <= MOST_LEAVES or leaf.min() < 0 or leaf.max() >= leaf.size:
        raise ValueError(
            f"category: 1 to {MOST_LEAVES} leaves, each with a category from 0 to their number - 1"
        )
    wide, groups = (len(room), leaf.size), (len(room), int(leaf.max()) + 1)

    def bound(name: str, given: ArrayLike | None, shape: tuple[int, int], *, cap: bool) -> I64:
        if given is None:
            return frozen(np.broadcast_to(room[:, None] if cap else np.int64(0), shape), np.int64)
        return frozen(whole(name, given, shape), np.int64)

    return Rules(
        seats=room,
        category=frozen(leaf, np.uint8),
        leaf_floor=bound("leaf_floor", leaf_floor, wide, cap=False),
        leaf_cap=bound("leaf_cap", leaf_cap, wide, cap=True),
        category_floor=bound("category_floor", category_floor, groups, cap=False),
        category_cap=bound("category_cap", category_cap, groups, cap=True),
    )


def by_category(of_leaves: I64, category: U8, categories: int) -> I64:
    """Sums over the leaves of each category. [S, T] to [S, G]"""
    sums = np.zeros((len(of_leaves), categories), np.int64)
    for leaf, group in enumerate(category):
        sums[:, group] += of_leaves[:, leaf]
    return sums


def check_rules(rules: Rules, labels: Labels = NO_LABELS) -> list[Problem]:
    """Why these rules cannot be opened, in order of the steps; empty if they are lawful. O(S · T).

    1. Every number is 0 or more, and small enough to count with.
    2. No floor is above its own cap: leaf by leaf, category by category.
    3. What the leaves of a category are promised fits under the category's cap.
    4. What all categories are promised fits into the session's seats.

    A later step is looked at only where the earlier ones found nothing: its sums would mean nothing.
    """
    for step in (_numbers, _own_caps, _category_caps, _seats):
        found = list(step(rules, labels))
        if found:
            return found
    return []


def _numbers(rules: Rules, labels: Labels) -> Iterator[Problem]:
    tables = (
        rules.seats[:, None],
        rules.leaf_floor,
        rules.leaf_cap,
        rules.category_floor,
        rules.category_cap,
    )
    low = np.minimum.reduce([table.min(axis=1) for table in tables])
    high = np.maximum.reduce([table.max(axis=1) for table in tables])
    for session in _first(low < 0):
        yield Problem(
            Code.NEGATIVE,
            texts(
                f"场次 {labels.session(session)} 有小于 0 的席位数。",
                f"Session {labels.session(session)} has a number of seats below 0.",
            ),
            texts("改为 0 或更大的整数。", "Make it 0 or more."),
            session=session,
        )
    for session in _first(high > MOST_SEATS):
        yield Problem(
            Code.TOO_LARGE,
            texts(
                f"场次 {labels.session(session)} 有超过 {MOST_SEATS} 的席位数，无法计数。",
                f"Session {labels.session(session)} has a number above {MOST_SEATS}: too large.",
            ),
            texts(f"最多 {MOST_SEATS}。", f"At most {MOST_SEATS}."),
            session=session,
        )


def _own_caps(rules: Rules, labels: Labels) -> Iterator[Problem]:
    for session, leaf in _cells(rules.leaf_floor > rules.leaf_cap):
        floor, cap = rules.leaf_floor[session, leaf], rules.leaf_cap[session, leaf]
        name = labels.leaf(leaf)
        yield _floor_above_cap(
            labels.session(session), name, int(floor), int(cap), session=session, leaf=leaf
        )
    for session, group in _cells(rules.category_floor > rules.category_cap):
        floor, cap = rules.category_floor[session, group], rules.category_cap[session, group]
        name = labels.category(group)
        yield _floor_above_cap(
            labels.session(session), name, int(floor), int(cap), session=session, category=group
        )


def _floor_above_cap(at: str, name: str, floor: int, cap: int, **where: int) -> Problem:
    return Problem(
        Code.FLOOR_ABOVE_CAP,
        texts(
            f"场次 {at}：“{name}”至少 {floor} 席，却最多只有 {cap} 席。",
            f"Session {at}: “{name}” is promised at least {floor} seats, but may have at most {cap}.",
        ),
        texts(
            f"把保底降为 {cap} 席，或把上限提高到 {floor} 席。",
            f"Lower the floor to {cap}, or raise the cap to {floor}.",
        ),
        **where,
    )


def _category_caps(rules: Rules, labels: Labels) -> Iterator[Problem]:
    promised = by_category(rules.leaf_floor, rules.category, rules.categories)
    for session, group in _cells(promised > rules.category_cap):
        sum_of, cap = int(promised[session, group]), int(rules.category_cap[session, group])
        at, name = labels.session(session), labels.category(group)
        yield Problem(
            Code.FLOORS_ABOVE_CATEGORY_CAP,
            texts(
                f"场次 {at}：“{name}”内各类的保底合计 {sum_of} 席，超过该类目的上限 {cap} 席。",
                f"Session {at}: the floors inside “{name}” add up to {sum_of} seats, above its cap of {cap}.",
            ),
            texts(
                f"把这些保底合计减少 {sum_of - cap} 席，或把该类目的上限提高到 {sum_of} 席。",
                f"Lower these floors by {sum_of - cap} in all, or raise the cap of the category to {sum_of}.",
            ),
            session=session,
            category=group,
        )


def _seats(rules: Rules, labels: Labels) -> Iterator[Problem]:
    promised = rules.category_floor_in_force.sum(axis=1)
    for session in _first(promised > rules.seats):
        sum_of, seats = int(promised[session]), int(rules.seats[session])
        at = labels.session(session)
        yield Problem(
            Code.FLOORS_ABOVE_SEATS,
            texts(
                f"场次 {at}：保底合计 {sum_of} 席，而该场次只有 {seats} 席。",
                f"Session {at}: the floors add up to {sum_of} seats, but the session has {seats}.",
            ),
            texts(
                f"把保底合计减少 {sum_of - seats} 席，或把场次增加到 {sum_of} 席。",
                f"Lower the floors by {sum_of - seats} in all, or give the session {sum_of} seats.",
            ),
            session=session,
        )


def _first(bad: Flags) -> list[int]:
    return [int(session) for session in np.flatnonzero(bad)[:MOST_TOLD]]


def _cells(bad: Flags) -> list[tuple[int, int]]:
    return [(int(session), int(column)) for session, column in np.argwhere(bad)[:MOST_TOLD]]
