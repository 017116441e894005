"""Rules that cannot be opened are refused with the reason, and with the nearest that can."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guanjia.core.allocation import (
    Bound,
    Code,
    Draft,
    Labels,
    Precedence,
    Unlawful,
    check_draft,
    check_rules,
    compile_rules,
    make_rules,
    nearest_draft,
)

NAMES = Labels(
    sessions=["双11会场"], leaves=["女装·小", "女装·大", "美妆·小", "美妆·大"], categories=["女装", "美妆"]
)
CATEGORY = (0, 0, 1, 1)
SMALL = frozenset({0, 2})


def only(problems):
    [problem] = problems
    return problem


def test_lawful_rules_have_no_problems():
    assert check_rules(make_rules([5, 0])) == []
    assert check_rules(make_rules([])) == []
    lawful = make_rules([5], [0, 0, 1], leaf_floor=[[1, 1, 1]], leaf_cap=[[1, 4, 9]], category_floor=[[2, 3]])
    assert check_rules(lawful) == []
    assert lawful.category_floor_in_force.tolist() == [[2, 3]]


def test_what_leaves_are_promised_their_category_is_promised():
    rules = make_rules([5], [0, 0, 1], leaf_floor=[[1, 2, 0]], category_floor=[[0, 1]])
    assert rules.category_floor_in_force.tolist() == [[3, 1]]


def test_a_floor_above_its_cap():
    rules = make_rules([9], CATEGORY, leaf_floor=[[3, 0, 0, 0]], leaf_cap=[[2, 9, 9, 9]])
    problem = only(check_rules(rules, NAMES))
    assert (problem.code, problem.session, problem.leaf) == (Code.FLOOR_ABOVE_CAP, 0, 0)
    assert problem.reason == {
        "zh-Hans": "场次 双11会场：“女装·小”至少 3 席，却最多只有 2 席。",
        "en": "Session 双11会场: “女装·小” is promised at least 3 seats, but may have at most 2.",
    }
    assert problem.nearest == {
        "zh-Hans": "把保底降为 2 席，或把上限提高到 3 席。",
        "en": "Lower the floor to 2, or raise the cap to 3.",
    }
    category = only(check_rules(make_rules([9], CATEGORY, category_floor=[[0, 5]], category_cap=[[9, 4]])))
    assert (category.code, category.category) == (Code.FLOOR_ABOVE_CAP, 1)
    assert "“#2”" in category.reason["en"]


def test_floors_that_do_not_fit_under_the_cap_of_their_category():
    rules = make_rules([9], CATEGORY, leaf_floor=[[3, 3, 0, 0]], category_cap=[[4, 9]])
    problem = only(check_rules(rules, NAMES))
    assert (problem.code, problem.category) == (Code.FLOORS_ABOVE_CATEGORY_CAP, 0)
    assert problem.reason["zh-Hans"] == "场次 双11会场：“女装”内各类的保底合计 6 席，超过该类目的上限 4 席。"
    assert problem.nearest["en"] == ("Lower these floors by 2 in all, or raise the cap of the category to 6.")


def test_floors_that_do_not_fit_into_the_session():
    rules = make_rules([9, 5], CATEGORY, leaf_floor=[[3, 0, 0, 0]] * 2, category_floor=[[0, 3]] * 2)
    problem = only(check_rules(rules))
    assert (problem.code, problem.session) == (Code.FLOORS_ABOVE_SEATS, 1)
    assert problem.reason["en"] == "Session #2: the floors add up to 6 seats, but the session has 5."
    assert problem.nearest["zh-Hans"] == "把保底合计减少 1 席，或把场次增加到 6 席。"


def test_numbers_below_zero_or_too_large_to_count_with():
    problem = only(check_rules(make_rules([3, 3], leaf_floor=[[0], [-1]])))
    assert (problem.code, problem.session) == (Code.NEGATIVE, 1)
    problem = only(check_rules(make_rules([1 << 31], leaf_cap=[[5]], category_cap=[[5]])))
    assert (problem.code, problem.session) == (Code.TOO_LARGE, 0)


def test_of_ten_thousand_sessions_with_one_mistake_a_hundred_are_named():
    assert (
        len(check_rules(make_rules([1] * 10_000, leaf_floor=[[2]] * 10_000, leaf_cap=[[1]] * 10_000))) == 100
    )


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="leaf_floor has shape"):
        make_rules([3], leaf_floor=[[0, 0]])
    for category in ([], [1], [-1, 0], [0] * 256):
        with pytest.raises(ValueError, match="category: 1 to 255 leaves"):
            make_rules([3], category)
    with pytest.raises(TypeError, match="seats must be whole numbers, not float64"):
        make_rules([2.5])
    rules = make_rules(np.array([3]))
    with pytest.raises(ValueError, match="read-only"):
        rules.seats[0] = 4


# --- drafts -----------------------------------------------------------------------------------------------


def test_a_lawful_draft_becomes_rules():
    bounds = (
        Bound("小店·女装", frozenset({0}), floor=2),
        Bound("女装", frozenset({0, 1}), floor=3, cap=6),
        Bound("女装", frozenset({0, 1}), cap=5),
        Bound("全部", frozenset(range(4)), floor=1, cap=8),
    )
    assert check_draft(Draft(9, CATEGORY, bounds), NAMES) == []
    rules = compile_rules([Draft(9, CATEGORY, bounds), Draft(4, CATEGORY)])
    assert rules.seats.tolist() == [8, 4]
    assert rules.leaf_floor.tolist() == [[2, 0, 0, 0], [0, 0, 0, 0]]
    assert rules.leaf_cap.tolist() == [[8] * 4, [4] * 4]
    assert rules.category_floor.tolist() == [[3, 0], [0, 0]]
    assert rules.category_cap.tolist() == [[5, 8], [4, 4]]


def test_a_floor_across_categories_is_refused_and_put_inside_them():
    """The natural way to write "at least 5 small, at most 6 of each category"."""
    small = Bound("小店", SMALL, floor=5)
    caps = (Bound("女装", frozenset({0, 1}), cap=6), Bound("美妆", frozenset({2, 3}), cap=6))
    draft = Draft(10, CATEGORY, (small, *caps))
    problem = only(check_draft(draft, NAMES))
    assert problem.code == Code.CROSSING
    assert problem.reason["en"] == (
        "“小店” takes only a part of several categories: it crosses them. With crossing floors and caps there"
        " may be no fair outcome: a merchant with a higher key stays outside, and misstating one's list"
        " can pay."
    )
    assert problem.nearest == {
        "zh-Hans": "改为分别设在每一类之内：“女装·小”至少 2 席，“美妆·小”至少 3 席。",
        "en": "Put it inside each part instead: at least 2 for “女装·小”, at least 3 for “美妆·小”.",
    }
    nearest = nearest_draft(draft)
    assert check_draft(nearest) == []
    assert {(min(bound.leaves), bound.floor) for bound in nearest.bounds if bound.floor} == {(0, 2), (2, 3)}
    with pytest.raises(Unlawful, match="crosses them") as refused:
        compile_rules([Draft(10, CATEGORY), draft])
    assert [problem.session for problem in refused.value.problems] == [1]


def test_a_level_the_engine_does_not_have_is_refused():
    in_one = Bound("两类", frozenset({0, 1}), floor=1, cap=3)
    of_two = Bound("两个类目", frozenset({0, 1, 2, 3}), cap=4)
    draft = Draft(9, (0, 0, 0, 1, 2), (in_one, of_two))
    assert [problem.code for problem in check_draft(draft)] == [Code.NOT_A_LEVEL] * 2
    assert check_draft(draft)[0].nearest["en"] == (
        "Put it inside each part instead: at most 1 for “#1”, at least 1 for “#2”, at most 2 for “#2”."
    )
    assert check_draft(draft)[1].nearest["en"] == (
        "Put it inside each part instead: at most 2 for “#1”, at most 2 for “#4”."
    )
    assert check_draft(nearest_draft(draft)) == []


def test_a_crossing_bound_that_says_nothing_can_be_left_out():
    problem = only(check_draft(Draft(9, CATEGORY, (Bound("小店", SMALL),))))
    assert problem.nearest == {"zh-Hans": "删去这一条。", "en": "Leave it out."}


def test_open_seats_first_is_refused_with_and_without_caps():
    bounds = (Bound("女装·小", frozenset({0}), floor=2),)
    draft = Draft(9, CATEGORY, bounds, Precedence.OPEN_FIRST)
    assert only(check_draft(draft)).code == Code.OPEN_FIRST
    capped = Draft(9, CATEGORY, (*bounds, Bound("女装", frozenset({0, 1}), cap=3)), Precedence.OPEN_FIRST)
    problem = only(check_draft(capped))
    assert problem.code == Code.OPEN_FIRST_WITH_CAPS
    assert problem.nearest["en"] == "Fill the floors first, then the open seats."
    assert check_draft(nearest_draft(capped)) == []


def test_numbers_of_a_draft_are_looked_at_like_those_of_rules():
    assert only(check_draft(Draft(2, CATEGORY, (Bound("", frozenset({0}), 3),)))).code == Code.FLOOR_ABOVE_CAP
    with pytest.raises(Unlawful, match="promised at least 3 seats"):
        compile_rules([Draft(2, CATEGORY, (Bound("", frozenset({0}), 3),))])
    for leaves in (frozenset(), frozenset({4})):
        with pytest.raises(ValueError, match="one or more of 4 leaves"):
            check_draft(Draft(2, CATEGORY, (Bound("x", leaves),)))


def bounds_over(leaves):
    return st.builds(
        Bound,
        name=st.just("x"),
        leaves=st.frozensets(st.integers(0, leaves - 1), min_size=1),
        floor=st.integers(-1, 9),
        cap=st.none() | st.integers(-1, 9),
    )


DRAFTS = st.integers(1, 5).flatmap(
    lambda leaves: st.builds(
        Draft,
        seats=st.integers(-1, 12),
        category=st.tuples(*[st.integers(0, leaves - 1)] * leaves),
        bounds=st.lists(bounds_over(leaves), max_size=5).map(tuple),
        precedence=st.sampled_from(Precedence),
    )
)


@settings(max_examples=60, deadline=None)
@given(DRAFTS)
def test_the_nearest_draft_is_lawful_and_a_lawful_one_is_its_own_nearest(draft):
    nearest = nearest_draft(draft)
    assert check_draft(nearest) == []
    assert nearest_draft(nearest) == nearest
    if not check_draft(draft):
        before, after = compile_rules([draft]), compile_rules([nearest])
        assert after.leaf_floor.tolist() == before.leaf_floor.tolist()
        assert after.category_cap.tolist() == before.category_cap.tolist()
        assert after.category_floor_in_force.tolist() == before.category_floor_in_force.tolist()
