"""A round at its closing, as arrays: lists, scores, lottery numbers, leaves, rules. Checked once, then fixed.

M merchants apply with E rows in all. A row is one wish; the rows of a merchant stand together, the
best wish first: those of merchant m are `start[m]` to `start[m + 1]` - 1.

The **key** of a row is `score << 32 | lottery` of its merchant. The bigger key wins. Lottery numbers are a
permutation of 1 to M, so no two keys in a session are equal and no tie is broken out of sight.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from guanjia.core.allocation.arrays import I32, I64, MOST_SCORE, U8, U32, frozen, whole
from guanjia.core.allocation.backends import Backend, chosen
from guanjia.core.allocation.problems import NO_LABELS, Code, Labels, Problem, Unlawful, texts
from guanjia.core.allocation.rules import Rules, check_rules


@dataclass(frozen=True, eq=False)
class Market:
    """One round. Build with `make_market`, which refuses what is not lawful; the arrays are read-only."""

    start: I64  # [M + 1]
    session: I32  # [E]
    score: U32  # [E], published and whole before the lists are seen
    lottery: U32  # [M], a permutation of 1 to M
    leaf: U8  # [M]
    rules: Rules

    @property
    def merchants(self) -> int:
        return len(self.lottery)

    @property
    def rows(self) -> int:
        return len(self.session)

    def own(self, merchant: int) -> Own:
        """What one merchant knows of the round from its own file."""
        mine = slice(int(self.start[merchant]), int(self.start[merchant + 1]))
        return Own(
            sessions=tuple(self.session[mine].tolist()),
            scores=tuple(self.score[mine].tolist()),
            lottery=int(self.lottery[merchant]),
            leaf=int(self.leaf[merchant]),
        )


@dataclass(frozen=True, slots=True)
class Own:
    """One merchant's own list, best wish first, with its score in each session, its number and its leaf."""

    sessions: tuple[int, ...]
    scores: tuple[int, ...]
    lottery: int
    leaf: int


def make_market(
    start: ArrayLike,
    session: ArrayLike,
    score: ArrayLike,
    lottery: ArrayLike,
    leaf: ArrayLike,
    rules: Rules,
    *,
    labels: Labels = NO_LABELS,
    backend: Backend = "auto",
) -> Market:
    """The market, if rules and rows are lawful. Raises Unlawful with the first row of each kind that is not.

    1. The rules, by `check_rules`.
    2. Shapes and whole numbers: TypeError, ValueError.
    3. Lists: `start` rises from 0 to E.
    4. Rows: sessions that exist, none twice in one list; scores from 0 to 2**32 - 2.
    5. Merchants: leaves that exist; lottery numbers that are a permutation of 1 to M.

    Cost: O(E + M + S · T), without numba O(E log E) for what stands twice.
    """
    if problems := check_rules(rules, labels):
        raise Unlawful(problems)
    wishes = whole("session", session, (-1,))
    scores = whole("score", score, wishes.shape)
    numbers = whole("lottery", lottery, (-1,))
    leaves = whole("leaf", leaf, numbers.shape)
    begins = whole("start", start, (numbers.size + 1,))
    _lists(begins, wishes.size)
    checked = _Rows(frozen(begins, np.int64), labels)
    checked.within(wishes, 0, rules.sessions - 1, _unknown_session)
    checked.within(scores, 0, MOST_SCORE, _score_range)
    checked.each(leaves, 0, rules.leaves - 1, _unknown_leaf)
    checked.each(numbers, 1, numbers.size, _lottery_range)
    if not checked.problems:
        checked.twice(frozen(wishes, np.int32), rules.sessions, backend)
        checked.numbers_twice(numbers)
    if checked.problems:
        raise Unlawful(checked.problems)
    return Market(
        start=checked.start,
        session=frozen(wishes, np.int32),
        score=frozen(scores, np.uint32),
        lottery=frozen(numbers, np.uint32),
        leaf=frozen(leaves, np.uint8),
        rules=rules,
    )


def _lists(start: NDArray[Any], rows: int) -> None:
    """Raises Unlawful unless the lists cut the rows without gap or overlap."""
    falls = np.flatnonzero(start[1:] < start[:-1])
    if falls.size == 0 and start[0] == 0 and start[-1] == rows:
        return
    merchant = int(falls[0]) if falls.size else None
    raise Unlawful(
        [
            Problem(
                Code.LISTS_DO_NOT_FIT,
                texts(
                    f"志愿表的起点必须从 0 升到 {rows}（报名行数）。",
                    f"The beginnings of the lists must rise from 0 to {rows}, the number of rows.",
                ),
                texts(
                    "按商家、志愿次序排列各行，再数一遍。",
                    "Sort the rows by merchant and rank, and count again.",
                ),
                merchant=merchant,
            )
        ]
    )


_Maker = Callable[["_Place", int], Problem]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the arrays something is wrong, and how people would find it."""

    merchant: int
    row: int | None
    rank: int
    most: int
    labels: Labels

    def zh(self) -> str:
        at = f"第 {self.row + 1} 行（" if self.row is not None else "（"
        return f"{at}第 {self.merchant + 1} 位商家" + (
            f"，第 {self.rank} 志愿）" if self.row is not None else "）"
        )

    def en(self) -> str:
        if self.row is None:
            return f"Merchant {self.merchant + 1}"
        return f"Row {self.row + 1} (merchant {self.merchant + 1}, choice {self.rank})"


class _Rows:
    """Looks at rows and merchants, and collects the first of each kind that is wrong."""

    def __init__(self, start: I64, labels: Labels) -> None:
        self.start = start
        self.labels = labels
        self.problems: list[Problem] = []

    def within(self, values: NDArray[Any], low: int, high: int, problem: _Maker) -> None:
        row = _first_outside(values, low, high)
        if row is not None:
            self.problems.append(problem(self._of_row(row, high), int(values[row])))

    def each(self, values: NDArray[Any], low: int, high: int, problem: _Maker) -> None:
        merchant = _first_outside(values, low, high)
        if merchant is not None:
            place = _Place(merchant, None, 0, high, self.labels)
            self.problems.append(problem(place, int(values[merchant])))

    def twice(self, session: I32, sessions: int, backend: Backend) -> None:
        row = _first_twice(self.start, session, sessions, backend)
        if row is not None:
            self.problems.append(_session_twice(self._of_row(row, sessions - 1), int(session[row])))

    def numbers_twice(self, lottery: NDArray[Any]) -> None:
        _numbers, first = np.unique(lottery, return_index=True)
        if first.size < lottery.size:
            merchant = int(np.setdiff1d(np.arange(lottery.size), first)[0])
            place = _Place(merchant, None, 0, lottery.size, self.labels)
            self.problems.append(_lottery_twice(place, int(lottery[merchant])))

    def _of_row(self, row: int, most: int) -> _Place:
        merchant = int(np.searchsorted(self.start, row, "right")) - 1
        return _Place(merchant, row, row - int(self.start[merchant]) + 1, most, self.labels)


def _first_outside(values: NDArray[Any], low: int, high: int) -> int | None:
    if values.size == 0 or (int(values.min()) >= low and int(values.max()) <= high):
        return None
    return int(np.flatnonzero((values < low) | (values > high))[0])


def _first_twice(start: I64, session: I32, sessions: int, backend: Backend) -> int | None:
    """The first row whose session stands further up in the same list."""
    if chosen(backend, len(session)) == "numba":
        from guanjia.core.allocation.row_kernels import first_twice

        row = int(first_twice(start, session, sessions))
        return None if row < 0 else row
    merchant = np.repeat(np.arange(len(start) - 1), np.diff(start))
    order = np.lexsort((session, merchant))
    same = (merchant[order][1:] == merchant[order][:-1]) & (session[order][1:] == session[order][:-1])
    again = order[1:][same]
    return int(again.min()) if again.size else None


def _unknown_session(at: _Place, value: int) -> Problem:
    return Problem(
        Code.UNKNOWN_SESSION,
        texts(
            f"{at.zh()}：没有编号为 {value} 的场次。",
            f"{at.en()}: there is no session with the index {value}.",
        ),
        texts(f"场次编号从 0 到 {at.most}。", f"Sessions have the indices 0 to {at.most}."),
        merchant=at.merchant,
        row=at.row,
    )


def _session_twice(at: _Place, value: int) -> Problem:
    name = at.labels.session(value)
    return Problem(
        Code.SESSION_TWICE,
        texts(
            f"{at.zh()}：场次 {name} 在同一志愿表中出现了两次。",
            f"{at.en()}: session {name} is in this list twice.",
        ),
        texts("只保留较靠前的一次。", "Keep the earlier one only."),
        session=value,
        merchant=at.merchant,
        row=at.row,
    )


def _score_range(at: _Place, value: int) -> Problem:
    return Problem(
        Code.SCORE_OUT_OF_RANGE,
        texts(f"{at.zh()}：得分 {value} 超出范围。", f"{at.en()}: the score {value} is out of range."),
        texts(f"得分是 0 到 {at.most} 的整数。", f"Scores are whole numbers from 0 to {at.most}."),
        merchant=at.merchant,
        row=at.row,
    )


def _unknown_leaf(at: _Place, value: int) -> Problem:
    return Problem(
        Code.UNKNOWN_LEAF,
        texts(
            f"{at.zh()}：没有编号为 {value} 的分类。", f"{at.en()}: there is no leaf with the index {value}."
        ),
        texts(f"分类编号从 0 到 {at.most}。", f"Leaves have the indices 0 to {at.most}."),
        merchant=at.merchant,
    )


def _lottery_range(at: _Place, value: int) -> Problem:
    return Problem(
        Code.LOTTERY_OUT_OF_RANGE,
        texts(
            f"{at.zh()}：抽签号 {value} 超出范围。", f"{at.en()}: the lottery number {value} is out of range."
        ),
        texts(f"抽签号恰好是 1 到 {at.most}，各一次。", f"Lottery numbers are 1 to {at.most}, each once."),
        merchant=at.merchant,
    )


def _lottery_twice(at: _Place, value: int) -> Problem:
    return Problem(
        Code.LOTTERY_TWICE,
        texts(
            f"{at.zh()}：抽签号 {value} 已属于另一商家。",
            f"{at.en()}: the lottery number {value} is another's already.",
        ),
        texts(f"抽签号恰好是 1 到 {at.most}，各一次。", f"Lottery numbers are 1 to {at.most}, each once."),
        merchant=at.merchant,
    )
