"""Looking through the index from the newest on, until there is enough or time is up."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum

from guanjia.base.sql import prepared
from guanjia.search.eras import LEVELS, NARROW, STEP, stretches
from guanjia.search.scope import Scope

PATIENCE = 0.04
"""Seconds within which the next older stretch must look possible; otherwise the page says how far it has
looked, and offers to go on."""
_TOP = {
    "case": "SELECT max(case_id) FROM search_casewords WHERE case_id < %(high)s",
    "merchant": "SELECT max(merchant_id) FROM search_merchantwords WHERE merchant_id < %(high)s",
}
# All matches of a stretch are found first, without their texts; then they are taken from the newest on, and
# what is asked of each is asked until there are enough. `+ 0`: the ids alone must not tempt the planner.
_FIND = """
WITH hits AS MATERIALIZED (
  SELECT {key}_id AS id, merchant_id AS merchant FROM search_{key}words
  WHERE terms @@ %(query)s::tsquery AND {key}_id + 0 >= %(low)s AND {key}_id + 0 < %(high)s)
SELECT id FROM (SELECT id, merchant FROM hits ORDER BY id DESC OFFSET 0) h
WHERE {where} ORDER BY id DESC LIMIT %(most)s
"""
NEWEST = 2**62


class Of(StrEnum):
    """What is looked for: cases by their case_id, merchants by their merchant_id."""

    CASE = "case"
    MERCHANT = "merchant"


@dataclass(frozen=True, slots=True)
class Found:
    """Ids, the newest first. `before`: what is older has not been looked through; None: nothing is older."""

    keys: list[int]
    before: int | None


def walk(
    of: Of,
    query: str,
    scope: Scope,
    *,
    most: int,
    before: int = NEWEST,
    also: str = "true",
    patience: float = PATIENCE,
) -> Found:
    """The newest `most` matches below the id `before` that the scope allows; `also` is one more condition.

    Each stretch is one statement.
    """
    began, found = time.monotonic(), list[int]()
    begun = began
    asked = "&".join(f"({part})" for part in (query, scope.query) if part)
    statement = _FIND.format(key=of.value, where=f"{scope.where or 'true'} AND ({also})")
    high = 0 if scope.nothing else _top(of, before)
    while high > 0:
        for stretch in stretches(high, begin=NARROW if scope.few else LEVELS[0]):
            part = f"({asked})&({stretch.query})" if stretch.query else asked
            given = {"query": part, "low": stretch.low, "high": stretch.high, "most": most - len(found)}
            new = [key for (key,) in prepared(statement, {**given, **scope.values})]
            found += new
            if len(found) >= most:
                return Found(found, found[-1])
            last, begun = time.monotonic() - begun, time.monotonic()
            if stretch.low and begun - began + STEP * last > patience:
                return Found(found, stretch.low)
            high = stretch.low if new else _top(of, stretch.low)
            if high < stretch.low - (stretch.high - stretch.low):
                break  # a gap in the ids, as after a restore: begin small again behind it
        else:
            break
    return Found(found, None)


def _top(of: Of, high: int) -> int:
    """One above the newest id below `high`; 0 where there is none."""
    [(top,)] = prepared(_TOP[of.value], {"high": high})
    return 0 if top is None else int(top) + 1
