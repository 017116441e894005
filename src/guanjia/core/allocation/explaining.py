"""One merchant's own result, from its own file and the public table: nothing of anybody else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from guanjia.core.allocation.arrays import LOTTERY_BITS
from guanjia.core.allocation.market import Own
from guanjia.core.allocation.verifying import Cutoffs, Why


class Result(StrEnum):
    WON = "won"
    BELOW = "below"  # the key does not reach the cut-off
    CLOSED = "closed"  # no seat for this leaf, whatever the key
    NOT_NEEDED = "not_needed"  # it has a session that it wants more


@dataclass(frozen=True, slots=True)
class Wish:
    """One session on the merchant's list. A cut-off of 0, 0 seats everybody; None seats nobody.

    `short` is by how many points the score is below the cut-off's; 0 with `below` means that the
    lottery decided between equal scores.
    """

    rank: int
    session: int
    score: int
    lottery: int
    cutoff: tuple[int, int] | None  # score, lottery number
    why: Why
    result: Result
    short: int


def explain(own: Own, table: Cutoffs) -> tuple[Wish, ...]:
    """What became of each wish and why, best wish first. O(list)."""
    found: list[Wish] = []
    won = False
    for rank, (session, score) in enumerate(zip(own.sessions, own.scores, strict=True), start=1):
        wish = _look(own, table, rank, session, score, won)
        won = won or wish.result is Result.WON
        found.append(wish)
    return tuple(found)


def due(own: Own, table: Cutoffs) -> int | None:
    """The session that is due to this merchant; None if there is none. O(list)."""
    won = [wish.session for wish in explain(own, table) if wish.result is Result.WON]
    return won[0] if won else None


def _look(own: Own, table: Cutoffs, rank: int, session: int, score: int, won: bool) -> Wish:
    why, bar = Why(int(table.why[session, own.leaf])), int(table.key[session, own.leaf])
    cutoff = None if why is Why.NONE_ALLOWED else (bar >> LOTTERY_BITS, bar & ((1 << LOTTERY_BITS) - 1))
    reaches = score << LOTTERY_BITS | own.lottery
    if won:
        result = Result.NOT_NEEDED
    elif cutoff is None:
        result = Result.CLOSED
    else:
        result = Result.WON if reaches >= bar else Result.BELOW
    short = max(0, cutoff[0] - score) if cutoff else 0
    return Wish(rank, session, score, own.lottery, cutoff, why, result, short)
