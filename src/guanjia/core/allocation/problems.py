"""What is wrong with rules or rows, in words an operator understands, in Chinese and in English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

Texts = Mapping[str, str]
"""A text for people by language tag: `zh-Hans` and `en`."""


class Code(StrEnum):
    # rules
    CROSSING = "crossing"
    NOT_A_LEVEL = "not_a_level"
    OPEN_FIRST_WITH_CAPS = "open_first_with_caps"
    OPEN_FIRST = "open_first"
    NEGATIVE = "negative"
    FLOOR_ABOVE_CAP = "floor_above_cap"
    FLOORS_ABOVE_CATEGORY_CAP = "floors_above_category_cap"
    FLOORS_ABOVE_SEATS = "floors_above_seats"
    TOO_LARGE = "too_large"
    # rows
    LISTS_DO_NOT_FIT = "lists_do_not_fit"
    UNKNOWN_SESSION = "unknown_session"
    SESSION_TWICE = "session_twice"
    SCORE_OUT_OF_RANGE = "score_out_of_range"
    LOTTERY_OUT_OF_RANGE = "lottery_out_of_range"
    LOTTERY_TWICE = "lottery_twice"
    UNKNOWN_LEAF = "unknown_leaf"
    MERCHANT_TWICE = "merchant_twice"


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason to refuse. `nearest` says the nearest thing that would be lawful.

    All numbers count from 0, as in the arrays; the words count from 1. `row` is the position in the
    arrays with one entry per application row (`session`, `score`), `merchant` in those per merchant.
    """

    code: Code
    reason: Texts
    nearest: Texts
    session: int | None = None
    leaf: int | None = None
    category: int | None = None
    merchant: int | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Labels:
    """What people call sessions, leaves and categories; without a name it is a number from 1."""

    sessions: Sequence[str] = field(default=())
    leaves: Sequence[str] = field(default=())
    categories: Sequence[str] = field(default=())

    def session(self, number: int) -> str:
        return _called(self.sessions, number)

    def leaf(self, number: int) -> str:
        return _called(self.leaves, number)

    def category(self, number: int) -> str:
        return _called(self.categories, number)


def _called(names: Sequence[str], number: int) -> str:
    return names[number] if number < len(names) else f"#{number + 1}"


NO_LABELS = Labels()


def texts(zh: str, en: str) -> Texts:
    return {"zh-Hans": zh, "en": en}


class Unlawful(ValueError):  # noqa: N818 - named for what is the matter
    """Rules or rows that are refused before anything is allocated; `problems` says each reason."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problem.reason["en"] for problem in self.problems))
