"""Rows that are not lawful are refused, and the refusal names the row."""

import numpy as np
import pytest

from guanjia.core.allocation import MOST_SCORE, Code, Labels, Own, Unlawful, make_market, make_rules
from guanjia.core.allocation.tests.markets import BACKENDS, random_market

GOOD = {
    "start": [0, 2, 2, 5],
    "session": [0, 1, 2, 0, 1],
    "score": [5, 6, 7, 8, MOST_SCORE],
    "lottery": [3, 1, 2],
    "leaf": [0, 1, 1],
}
RULES = make_rules([1, 1, 1], [0, 1])


def market(rules=RULES, backend="auto", labels=None, **changed):
    more = {} if labels is None else {"labels": labels}
    return make_market(**GOOD | changed, rules=rules, backend=backend, **more)


def refused(**changed):
    with pytest.raises(Unlawful) as caught:
        market(**changed)
    return caught.value.problems


def test_a_lawful_round():
    good = market()
    assert (good.merchants, good.rows) == (3, 5)
    assert good.own(2) == Own(sessions=(2, 0, 1), scores=(7, 8, MOST_SCORE), lottery=2, leaf=1)
    assert good.own(1) == Own(sessions=(), scores=(), lottery=1, leaf=1)
    kinds = [array.dtype for array in (good.start, good.session, good.score, good.lottery, good.leaf)]
    assert kinds == [np.int64, np.int32, np.uint32, np.uint32, np.uint8]
    with pytest.raises(ValueError, match="read-only"):
        good.score[0] = 1


def test_arrays_of_the_right_kind_are_not_copied():
    score = np.array(GOOD["score"], np.uint32)
    assert np.shares_memory(market(score=score).score, score)


@pytest.mark.parametrize("session", [3, -1, 1 << 40])
def test_an_unknown_session_names_its_row(session):
    [problem] = refused(session=[0, 1, 2, session, 1])
    assert (problem.code, problem.row, problem.merchant) == (Code.UNKNOWN_SESSION, 3, 2)
    assert problem.reason == {
        "zh-Hans": f"第 4 行（第 3 位商家，第 2 志愿）：没有编号为 {session} 的场次。",
        "en": f"Row 4 (merchant 3, choice 2): there is no session with the index {session}.",
    }
    assert problem.nearest["en"] == "Sessions have the indices 0 to 2."


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_session_that_is_twice_in_one_list_names_its_row(backend):
    labels = Labels(sessions=["早场", "午场", "晚场"])
    [problem] = refused(session=[0, 1, 2, 1, 2], backend=backend, labels=labels)
    assert (problem.code, problem.row, problem.merchant, problem.session) == (Code.SESSION_TWICE, 4, 2, 2)
    assert (
        problem.reason["zh-Hans"] == "第 5 行（第 3 位商家，第 3 志愿）：场次 晚场 在同一志愿表中出现了两次。"
    )
    [problem] = refused(session=[1, 1, 2, 2, 2], backend=backend)
    assert problem.row == 1


@pytest.mark.parametrize("score", [-1, MOST_SCORE + 1])
def test_a_score_out_of_range_names_its_row(score):
    [problem] = refused(score=[5, score, 7, 8, 9])
    assert (problem.code, problem.row, problem.merchant) == (Code.SCORE_OUT_OF_RANGE, 1, 0)
    assert problem.nearest["en"] == "Scores are whole numbers from 0 to 4294967294."


def test_merchants_out_of_range_are_named():
    [problem] = refused(leaf=[0, 1, 2])
    assert (problem.code, problem.merchant, problem.row) == (Code.UNKNOWN_LEAF, 2, None)
    assert problem.reason["en"] == "Merchant 3: there is no leaf with the index 2."
    for number in (0, 4):
        [problem] = refused(lottery=[3, number, 2])
        assert (problem.code, problem.merchant) == (Code.LOTTERY_OUT_OF_RANGE, 1)
    [problem] = refused(lottery=[3, 2, 2])
    assert (problem.code, problem.merchant) == (Code.LOTTERY_TWICE, 2)
    assert problem.reason["zh-Hans"] == "（第 3 位商家）：抽签号 2 已属于另一商家。"


def test_every_kind_of_mistake_is_named_at_once():
    problems = refused(session=[0, 9, 9, 0, 1], score=[-1, 6, 7, 8, 9], leaf=[7, 0, 0], lottery=[9, 1, 2])
    assert [problem.code for problem in problems] == [
        Code.UNKNOWN_SESSION,
        Code.SCORE_OUT_OF_RANGE,
        Code.UNKNOWN_LEAF,
        Code.LOTTERY_OUT_OF_RANGE,
    ]


@pytest.mark.parametrize(
    ("start", "merchant"), [([0, 3, 2, 5], 1), ([1, 2, 2, 5], None), ([0, 2, 2, 4], None)]
)
def test_lists_that_do_not_cut_the_rows_are_refused(start, merchant):
    [problem] = refused(start=start)
    assert (problem.code, problem.merchant) == (Code.LISTS_DO_NOT_FIT, merchant)


def test_shapes_and_floating_point_are_refused():
    with pytest.raises(ValueError, match=r"score has shape \(4,\), expected \(5,\)"):
        market(score=[1, 2, 3, 4])
    with pytest.raises(TypeError, match="score must be whole numbers, not float64"):
        market(score=[1.0, 2.0, 3.0, 4.0, 5.0])


def test_unlawful_rules_are_refused_with_their_reasons():
    [problem] = refused(rules=make_rules([1, 1, 1], [0, 1], leaf_floor=[[0, 0], [0, 2], [0, 0]]))
    assert (problem.code, problem.session, problem.leaf) == (Code.FLOOR_ABOVE_CAP, 1, 1)


def test_both_backends_find_the_same_row_twice():
    good = random_market(3, 500, 30)
    row = int(good.start[np.flatnonzero(np.diff(good.start) > 1)[200]]) + 1
    session = good.session.copy()
    session[row] = session[row - 1]
    arrays = (good.start, session, good.score, good.lottery, good.leaf, good.rules)
    found = []
    for backend in BACKENDS:
        with pytest.raises(Unlawful) as caught:
            make_market(*arrays, backend=backend)
        found.append(caught.value.problems)
    assert found[0] == found[1]
    assert found[0][0].row == row
