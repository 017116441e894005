"""What a merchant is told of each of its wishes."""

from guanjia.core.allocation import (
    Own,
    Result,
    Why,
    Wish,
    allocate,
    cutoffs,
    due,
    explain,
    make_market,
    make_rules,
)


def table():
    """Four sessions of one seat; three are taken at score 66; leaf 1 may not enter the second."""
    rules = make_rules([1, 1, 1, 1], [0, 1], leaf_cap=[[1, 1], [1, 0], [1, 1], [1, 1]])
    market = make_market(range(4), [0, 1, 2], [66] * 3, [2, 1, 3], [0] * 3, rules)
    return cutoffs(market, allocate(market))


def test_each_wish_has_its_own_key_the_cutoff_and_the_reason():
    own = Own(sessions=(0, 1, 2, 3), scores=(61, 99, 66, 7), lottery=4, leaf=1)
    assert explain(own, table()) == (
        Wish(1, 0, 61, 4, (66, 2), Why.SEATS, Result.BELOW, short=5),
        Wish(2, 1, 99, 4, None, Why.NONE_ALLOWED, Result.CLOSED, short=0),
        Wish(3, 2, 66, 4, (66, 3), Why.SEATS, Result.WON, short=0),
        Wish(4, 3, 7, 4, (0, 0), Why.FREE_SEATS, Result.NOT_NEEDED, short=0),
    )
    assert due(own, table()) == 2


def test_between_equal_scores_the_lottery_decides():
    own = Own(sessions=(2,), scores=(66,), lottery=2, leaf=0)
    [wish] = explain(own, table())
    assert (wish.result, wish.short, wish.cutoff) == (Result.BELOW, 0, (66, 3))
    assert due(own, table()) is None


def test_who_wished_for_nothing_is_told_nothing():
    assert explain(Own((), (), 1, 0), table()) == ()
