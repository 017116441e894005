"""The outcome is what the rules say it is: compared with looking at every possibility there is."""

from dataclasses import replace
from itertools import chain, combinations, permutations, product
from random import Random

import numpy as np
import pytest

from guanjia.core.allocation import allocate, make_market, make_rules, verify
from guanjia.core.allocation.tests.markets import (
    BACKENDS,
    Bounds,
    choose,
    is_stable,
    make_round,
    prefers,
    random_market,
    solved,
)


def everyone_asks(chance, merchants, leaves=4):
    """One session, for which all apply: what the engine then does is its choice rule."""
    return replace(make_round(chance, merchants, 1, leaves), lists=[[0]] * merchants)


def chosen_by_the_engine(round_, applicants, backend="python"):
    lists = [[0] if merchant in applicants else [] for merchant in range(len(round_.lists))]
    placed = solved(replace(round_, lists=lists), backend)
    return {merchant for merchant, at in enumerate(placed) if at == 0}


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_choice_rule_picks_the_best_lawful_set_of_all(backend):
    chance = Random(1)
    for _ in range(250):
        round_ = everyone_asks(chance, chance.randint(1, 7))
        everyone = range(len(round_.lists))
        assert chosen_by_the_engine(round_, everyone, backend) == choose(round_, 0, everyone)


def test_nobody_is_turned_down_because_another_stays_away_and_no_seat_is_lost():
    """Substitutes and the law of aggregate demand: what stability and safe truth-telling rest on."""
    chance, removals = Random(2), 0
    for _ in range(150):
        round_ = everyone_asks(chance, chance.randint(2, 8), chance.choice([2, 4, 6]))
        everyone = set(range(len(round_.lists)))
        whole = chosen_by_the_engine(round_, everyone)
        for away in everyone:
            rest = chosen_by_the_engine(round_, everyone - {away})
            assert whole - {away} <= rest
            assert len(rest) <= len(whole)
            removals += 1
    assert removals > 600


def test_of_all_stable_outcomes_it_is_the_best_for_every_merchant():
    """Sessions want those who want them least: then there is more than one stable outcome."""
    chance, stable = Random(3), 0
    for number in range(60):
        lists = [chance.sample(range(3), 3) for _ in range(4)]
        scores = [[40 * wishes.index(s) + chance.randrange(50) for s in range(3)] for wishes in lists]
        round_ = replace(make_round(chance, 4, 3), lists=lists, scores=scores)
        if number % 2:
            one_each = Bounds(1, [0] * 4, [1] * 4, [0] * 2, [1] * 2)
            round_ = replace(round_, lists=[*lists[:3], []], sessions=[one_each] * 3)
        ours = solved(round_)
        outcomes = list(product(*([*wishes, None] for wishes in round_.lists)))
        others = [other for other in outcomes if is_stable(round_, list(other))]
        assert tuple(ours) in others
        assert not any(prefers(round_, m, at, ours[m]) for other in others for m, at in enumerate(other))
        stable += len(others)
    assert stable > 75, stable


def test_no_merchant_gains_by_handing_in_another_list():
    chance, lies = Random(4), 0
    every_list = [list(p) for p in chain.from_iterable(permutations(range(3), n) for n in range(4))]
    for _ in range(60):
        round_ = make_round(chance, 5, 3)
        honest = solved(round_)
        for merchant, wishes in product(range(5), every_list):
            lied = solved(round_.saying(merchant, wishes))
            assert not prefers(round_, merchant, lied[merchant], honest[merchant])
            lies += 1
    assert lies == 60 * 5 * 16


@pytest.mark.parametrize(("leaves", "groups"), [(1, 1), (8, 4)])
def test_the_order_in_which_merchants_propose_makes_no_difference(leaves, groups):
    market = random_market(5, 3000, 40, leaves, groups)
    first = allocate(market, backend="python")
    draw = np.random.default_rng(6)
    for backend in BACKENDS * 3:
        assert np.array_equal(allocate(market, order=draw.permutation(3000), backend=backend), first)
    assert np.array_equal(allocate(market, order=np.arange(3000), backend="numba"), first)


@pytest.mark.parametrize("seed", range(12))
def test_both_backends_return_the_same_bits(seed):
    leaves = [1, 2, 5, 8, 16, 255][seed % 6]
    market = random_market(
        seed, 700, [3, 40][seed % 2], leaves, max(1, leaves // 2), wishes=3, levels=1 + 20 * seed
    )
    one, other = (allocate(market, backend=backend) for backend in BACKENDS)
    assert one.dtype == other.dtype == np.int64
    assert np.array_equal(one, other)
    assert verify(market, one).stable


def test_an_order_that_is_no_order_is_refused():
    market = random_market(1, 5, 3, wishes=2)
    with pytest.raises(ValueError, match="each merchant once"):
        allocate(market, order=[0, 1, 2, 3, 3])
    with pytest.raises(ValueError, match="shape"):
        allocate(market, order=[0, 1, 2, 3])


def test_why_a_floor_across_categories_is_refused():
    """The example of docs/allocation.md: A is out because B, with whom it does not compete, stays away."""
    category, small, key = {"A": "wear", "B": "beauty", "C": "wear"}, {"B", "C"}, {"A": 3, "B": 2, "C": 1}

    def chosen(applicants):
        sets = chain.from_iterable(combinations(applicants, size) for size in range(len(applicants) + 1))
        lawful = [those for those in sets if sum(category[m] == "wear" for m in those) <= 1]
        best = max(
            lawful, key=lambda t: (min(1, len(small & set(t))), len(t), sorted(key[m] for m in t)[::-1])
        )
        return set(best)

    assert chosen("ABC") == {"A", "B"}
    assert chosen("AC") == {"C"}


# --- degenerate and adversarial -----------------------------------------------------------------------


def plain(lists, scores, seats, lottery=None):
    start = np.cumsum([0] + [len(wishes) for wishes in lists])
    numbers = lottery or list(range(1, len(lists) + 1))
    rows = [s for wishes in lists for s in wishes]
    return make_market(start, rows, scores, numbers, [0] * len(lists), make_rules(seats))


@pytest.mark.parametrize("backend", BACKENDS)
def test_empty_rounds(backend):
    assert allocate(plain([], [], [3]), backend=backend).tolist() == []
    assert allocate(plain([[], []], [], [3]), backend=backend).tolist() == [-1, -1]
    assert allocate(plain([[], []], [], []), backend=backend).tolist() == [-1, -1]
    assert allocate(plain([[0], [0, 1]], [5, 9, 1], [0, 0]), backend=backend).tolist() == [-1, -1]


@pytest.mark.parametrize("backend", BACKENDS)
def test_everyone_wants_one_session(backend):
    scores = [7, 7, 9, 0, (1 << 32) - 2]
    market = plain([[0]] * 5, scores, [3], lottery=[2, 5, 1, 4, 3])
    assert allocate(market, backend=backend).tolist() == [-1, 1, 2, -1, 4]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_chain_of_rejections_runs_through_everybody(backend):
    """Merchant i has i, then i + 1; the one more for session 0 moves all of them by one."""
    size = 2000
    lists = [[i, i + 1] for i in range(size)] + [[0]]
    scores = [1, 2] * size + [9]
    market = plain(lists, scores, [1] * (size + 1), lottery=list(range(size + 1, 0, -1)))
    expected = [2 * i + 1 for i in range(size)] + [2 * size]
    for order in (None, np.arange(size + 1), np.arange(size, -1, -1)):
        assert allocate(market, order=order, backend=backend).tolist() == expected


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_newcomer_displaces_somebody(backend):
    size = 500
    market = plain([[0, 1]] * size, list(range(2 * size)), [10, 10])
    won = allocate(market, order=np.arange(size), backend=backend)
    assert won.tolist() == [-1] * 480 + [2 * m + 1 for m in range(480, 490)] + [
        2 * m for m in range(490, 500)
    ]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_floor_is_filled_first_and_what_nobody_claims_is_open(backend):
    """Four seats, two of them first for leaf 1, of which one merchant applies."""
    rules = make_rules([4], [0, 1], leaf_floor=[[0, 2]])
    market = make_market(range(7), [0] * 6, [9, 8, 7, 6, 5, 1], range(1, 7), [0, 0, 0, 0, 0, 1], rules)
    assert allocate(market, backend=backend).tolist() == [0, 1, 2, -1, -1, 5]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_cap_keeps_seats_free(backend):
    rules = make_rules([4], [0, 0, 1], category_cap=[[2, 4]], leaf_cap=[[1, 4, 0]])
    market = make_market(range(6), [0] * 5, [9, 8, 7, 6, 5], range(1, 6), [0, 0, 1, 1, 2], rules)
    assert allocate(market, backend=backend).tolist() == [0, -1, 2, -1, -1]
