"""Fair slots: scarce seats go by published rules, and anybody can check the outcome. docs/allocation.md

No Django, no I/O, no clock, no randomness: arrays in, arrays and reasons out. A round is

    rules = make_rules(seats, category, leaf_floor=…, leaf_cap=…)    # or compile_rules(drafts)
    market = make_market(start, session, score, lottery(seed, ids), leaf, rules)
    won = allocate(market)
    table = cutoffs(market, won)
    assert verify(market, won).stable
    explain(market.own(merchant), table)
"""

from guanjia.core.allocation.arrays import CLOSED, MOST_SCORE
from guanjia.core.allocation.backends import Backend, has_numba
from guanjia.core.allocation.drafts import (
    Bound,
    Draft,
    Precedence,
    check_draft,
    compile_rules,
    nearest_draft,
)
from guanjia.core.allocation.explaining import Result, Wish, due, explain
from guanjia.core.allocation.lots import SEED_BYTES, commitment, lottery, reveals
from guanjia.core.allocation.market import Market, Own, make_market
from guanjia.core.allocation.problems import Code, Labels, Problem, Texts, Unlawful
from guanjia.core.allocation.rules import Rules, check_rules, make_rules
from guanjia.core.allocation.solving import allocate
from guanjia.core.allocation.verifying import (
    Cutoffs,
    Overfull,
    Seated,
    Verdict,
    Why,
    Wrong,
    applicants,
    cutoffs,
    seated,
    verify,
)

__all__ = [
    "CLOSED",
    "MOST_SCORE",
    "SEED_BYTES",
    "Backend",
    "Bound",
    "Code",
    "Cutoffs",
    "Draft",
    "Labels",
    "Market",
    "Overfull",
    "Own",
    "Precedence",
    "Problem",
    "Result",
    "Rules",
    "Seated",
    "Texts",
    "Unlawful",
    "Verdict",
    "Why",
    "Wish",
    "Wrong",
    "allocate",
    "applicants",
    "check_draft",
    "check_rules",
    "commitment",
    "compile_rules",
    "cutoffs",
    "due",
    "explain",
    "has_numba",
    "lottery",
    "make_market",
    "make_rules",
    "nearest_draft",
    "reveals",
    "seated",
    "verify",
]
