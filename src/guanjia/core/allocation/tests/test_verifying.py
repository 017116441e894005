"""Verification says "stable" exactly when the definition does, and finds every single change."""

import ast
from itertools import product
from pathlib import Path
from random import Random

import numpy as np
import pytest

from guanjia.core.allocation import (
    CLOSED,
    Overfull,
    Why,
    Wrong,
    allocate,
    applicants,
    cutoffs,
    due,
    make_market,
    make_rules,
    seated,
    verify,
    verifying,
)
from guanjia.core.allocation.tests.markets import BACKENDS, is_stable, make_round, random_market

FOLDER = Path(verifying.__file__).parent


def row_of(market, merchant, session):
    if session is None:
        return -1
    return int(market.start[merchant]) + market.own(merchant).sessions.index(session)


def test_stable_is_what_the_definition_says_of_every_outcome_there_is():
    chance, stable, unstable = Random(7), 0, 0
    for _ in range(30):
        round_ = make_round(chance, 4, 3)
        market = round_.market()
        for placed in product(*([*wishes, None] for wishes in round_.lists)):
            won = [row_of(market, merchant, at) for merchant, at in enumerate(placed)]
            verdict = verify(market, won)
            assert verdict.stable == is_stable(round_, list(placed))
            stable, unstable = stable + verdict.stable, unstable + (not verdict.stable)
    assert stable >= 30
    assert unstable > 500


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("leaves", "groups"), [(1, 1), (6, 3)])
def test_every_single_change_is_found(backend, leaves, groups):
    market = random_market(8, 250, 12, leaves, groups, wishes=4)
    won = allocate(market)
    assert verify(market, won, backend=backend).stable
    for merchant in range(market.merchants):
        for other in (-1, *range(market.start[merchant], market.start[merchant + 1])):
            if other != won[merchant]:
                changed = won.copy()
                changed[merchant] = other
                assert not verify(market, changed, backend=backend).stable


@pytest.mark.parametrize("seed", range(8))
def test_both_backends_find_the_same(seed, monkeypatch):
    monkeypatch.setattr(verifying, "_CHUNK", 100)
    market = random_market(seed, 600, 20, 1 + 3 * (seed % 3), 1 + seed % 3)
    won = allocate(market)
    draw = np.random.default_rng(seed)
    some = draw.random(600) < 0.05 * (seed % 2)
    won[some] = np.where(np.diff(market.start) > 0, market.start[:-1], -1)[some]
    one, other = (cutoffs(market, won, backend=backend) for backend in BACKENDS)
    assert np.array_equal(one.key, other.key)
    assert np.array_equal(one.why, other.why)
    assert verify(market, won, backend="python") == verify(market, won, backend="numba")
    assert np.array_equal(seated(market, won, backend="python").low, seated(market, won, backend="numba").low)


def test_a_merchant_checks_itself_with_its_own_file_and_the_public_table():
    market = random_market(9, 800, 25, 6, 3)
    won = allocate(market)
    table = cutoffs(market, won)
    for merchant in range(market.merchants):
        session = int(market.session[won[merchant]]) if won[merchant] >= 0 else None
        assert due(market.own(merchant), table) == session


def test_the_first_who_has_something_else_than_is_due_is_named():
    market = make_market([0, 1, 2, 3], [0, 0, 0], [5, 6, 7], [1, 2, 3], [0, 0, 0], make_rules([2]))
    verdict = verify(market, [0, -1, 2])
    assert verdict.wrong == 1
    assert verdict.first == Wrong(merchant=1, has=-1, due=1)
    assert not verdict.overfull


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_broken_cap_is_named(backend):
    rules = make_rules([2, 9], [0, 0, 1], leaf_cap=[[2, 2, 2], [1, 9, 9]], category_cap=[[2, 2], [9, 0]])
    market = make_market(
        range(7), [0, 0, 0, 1, 1, 1], [1] * 6, range(1, 7), [0, 0, 2, 0, 0, 2], rules, backend=backend
    )
    verdict = verify(market, range(6), backend=backend)
    assert verdict.overfull == (
        Overfull(session=0, leaf=None, category=None, taken=3, allowed=2),
        Overfull(session=1, leaf=None, category=1, taken=1, allowed=0),
        Overfull(session=1, leaf=0, category=None, taken=2, allowed=1),
    )
    assert not verdict.stable


def test_a_row_of_another_list_is_refused():
    market = make_market([0, 1, 2], [0, 0], [5, 6], [1, 2], [0, 0], make_rules([2]))
    for won in ([0, 0], [0, 2], [-2, 1]):
        with pytest.raises(ValueError, match="which is not on its list"):
            verify(market, won)
    with pytest.raises(TypeError, match="whole numbers"):
        verify(market, [0.0, 1.0])


def test_each_reason_of_a_cutoff():
    """One session for each kind, three leaves in two categories; all who apply are of the first leaf."""
    rules = make_rules(
        [9, 4, 1, 9, 2, 2, 0],
        [0, 0, 1],
        leaf_floor=[[0, 0, 0], [0, 1, 2], [0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 1, 0], [0, 0, 0]],
        leaf_cap=[[9, 9, 9], [4, 4, 4], [1, 1, 1], [1, 9, 0], [2, 2, 2], [2, 2, 2], [0, 0, 0]],
        category_cap=[[9, 9], [4, 4], [1, 1], [9, 9], [1, 2], [1, 2], [0, 0]],
    )
    market = make_market(range(9), [0, 1, 1, 2, 3, 4, 5, 6], [5] * 8, range(1, 9), [0] * 8, rules)
    won = allocate(market)
    table = cutoffs(market, won)
    assert won.tolist() == [0, 1, 2, 3, 4, 5, 6, -1]
    high = 5 << 32
    assert table.key.tolist() == [
        [0, 0, 0],
        [0, 0, 0],
        [high | 4, high | 4, high | 4],
        [high | 5, 0, CLOSED],
        [high | 6, high | 6, 0],
        [high | 7, 0, 0],
        [CLOSED, CLOSED, CLOSED],
    ]
    free, floor, leaf, category, full, none = Why
    assert table.why.tolist() == [
        [free, free, free],
        [free, free, free],
        [full, full, full],
        [leaf, free, none],
        [category, category, free],
        [category, floor, free],
        [none, none, none],
    ]
    assert (table.score[2, 0], table.lottery[2, 0]) == (5, 4)


def test_the_cutoff_of_a_full_session_looks_across_categories():
    """Three seats: two open ones at 9 and 8, and the floor of leaf 1 at 1, which protects only leaf 1."""
    rules = make_rules([3], [0, 1, 2], leaf_floor=[[0, 1, 0]])
    market = make_market(range(5), [0] * 4, [9, 8, 1, 7], range(1, 5), [0, 0, 1, 2], rules)
    won = allocate(market)
    table = cutoffs(market, won)
    assert won.tolist() == [0, 1, 2, -1]
    assert table.score.tolist() == [[8, 1, 8]]
    assert set(table.why.ravel().tolist()) == {Why.SEATS}


def test_a_floor_that_is_not_used_up_seats_everybody_of_its_leaf():
    rules = make_rules([2], [0, 1], category_floor=[[0, 2]])
    market = make_market(range(4), [0] * 3, [9, 8, 7], range(1, 4), [0, 0, 0], rules)
    table = cutoffs(market, allocate(market))
    assert table.why.tolist() == [[Why.SEATS, Why.FLOOR]]
    assert table.key.tolist() == [[8 << 32 | 2, 0]]


def test_applicants_and_seats_are_counted_by_leaf():
    rules = make_rules([1, 2], [0, 1])
    market = make_market([0, 2, 3, 4], [0, 1, 1, 1], [5, 5, 6, 7], [1, 2, 3], [0, 1, 1], rules)
    assert applicants(market).tolist() == [[1, 0], [1, 2]]
    assert seated(market, allocate(market)).count.tolist() == [[1, 0], [0, 2]]


# --- nothing shared with the solver ----------------------------------------------------------------------


def imports_of(module):
    """What a module takes from this package, by module, and by name in them."""
    tree = ast.parse((FOLDER / f"{module}.py").read_text("utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {
        (str(node.module).removeprefix("guanjia.core.allocation").lstrip("."), alias.name)
        for node in found
        if str(node.module).startswith("guanjia.core.allocation")
        for alias in node.names
    }


def test_the_verifier_and_the_solver_share_data_and_no_code():
    solver = {pair for module in ("solving", "heaps", "solving_kernels") for pair in imports_of(module)}
    verifier = {pair for module in ("verifying", "verifying_kernels") for pair in imports_of(module)}
    types_and_constants = {
        "CLOSED",
        "LOTTERY_BITS",
        "LOTTERY_MASK",
        "I32",
        "I64",
        "U8",
        "U32",
        "U64",
        "Index",
    }
    shared = {name for _module, name in solver & verifier} - types_and_constants
    assert shared == {"Market", "Rules", "Backend", "chosen", "compiled", "frozen", "whole"}
    assert "category_floor_in_force" not in (FOLDER / "verifying.py").read_text("utf-8")
