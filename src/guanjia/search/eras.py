"""Eras: how the newest matches of a word that is everywhere are found without reading all of them.

An inverted index knows which cases have a word, in no order that helps: for a word in a million cases it
would hand out a million. So every entry also has the terms of its eras, which are blocks of ids of several
sizes, and a search asks for "this word, in the newest eras" first. Where that is not enough it goes on to
older and larger blocks: each is STEP times the size of the one before, so a frequent word ends in the first
block, and a rare one has been looked for everywhere after a dozen. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

LEVELS = range(10, 27, 2)
"""Blocks of 2**level ids."""
NARROW = LEVELS[3]
"""The level to begin with where there are few to find at all."""
STEP = 4
ERA = "e"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Ids from `low` up to, not including, `high`, and the tsquery that finds the eras they are in."""

    low: int
    high: int
    query: str


def eras_of(key: int) -> list[str]:
    """The terms that an entry carries: one a level."""
    return [_era(level, key >> level) for level in LEVELS]


def stretches(high: int, *, begin: int = LEVELS[0]) -> Iterator[Stretch]:
    """All ids below `high` in stretches, the newest first, each STEP times as long as the one before; the
    first has STEP blocks of the level `begin`."""
    for level in LEVELS[LEVELS.index(begin) :]:
        if high <= 0:
            return
        length = STEP << level
        low = max(0, ((high - length) >> level) << level)
        blocks = range(low >> level, ((high - 1) >> level) + 1)
        yield Stretch(low, high, "|".join(f"'{_era(level, block)}'" for block in blocks))
        high = low
    if high > 0:
        yield Stretch(0, high, "")


def _era(level: int, block: int) -> str:
    return f"{ERA}{level:x}.{block:x}"
