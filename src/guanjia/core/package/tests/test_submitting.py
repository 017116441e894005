"""How a package begins: submitted, accepted, and how it is cancelled at any time."""

import pytest

from guanjia.core.package import (
    Accepted,
    Cancelled,
    Submitted,
)
from guanjia.core.package.tests.scenes import (
    BANNER,
    DAY,
    FLASH,
    NOON,
    P,
    Play,
    S,
    at,
    held,
    kinds,
    make_item,
    make_package,
    told,
    two,
)

# --- submitted and accepted -----------------------------------------------------------------------


def test_a_draft_does_nothing_by_itself():
    play = two(P.DRAFTED, S.DRAFTED, S.DRAFTED)
    before = play.package
    decision = play()
    assert decision.package == before
    assert (decision.calls, decision.wake_at, decision.notices) == ((), None, ())


def test_an_accepted_package_is_held_on_all_lines_at_once():
    play = two(P.DRAFTED, S.DRAFTED, S.DRAFTED, accepted_amount=None)
    decision = play(Submitted({BANNER: 100, FLASH: 100}))
    assert (play.state, play.states) == (P.HOLDING, [S.HOLDING, S.HOLDING])
    assert kinds(decision) == [("hold", 1), ("hold", 2)]
    assert [item.give_up_at for item in play.package.items] == [at(900), at(900)]


def test_a_price_that_nobody_accepted_waits_for_the_merchant_for_a_day():
    play = two(P.DRAFTED, S.DRAFTED, S.DRAFTED, accepted_amount=None)
    decision = play(Submitted())
    assert (play.state, play.states) == (P.SUBMITTED, [S.DRAFTED, S.DRAFTED])
    assert (decision.calls, decision.wake_at) == ((), at(DAY))
    assert told(decision) == [("acceptance_needed", None)]


def test_what_is_free_or_not_priced_yet_needs_no_acceptance():
    for price in (None, 0):
        play = Play(make_package(P.DRAFTED, make_item(quote_amount=price, accepted_amount=None)))
        play(Submitted())
        assert play.state is P.HOLDING


def test_the_merchants_yes_begins_the_holding():
    play = two(P.DRAFTED, S.DRAFTED, S.DRAFTED, accepted_amount=None)
    play(Submitted())
    decision = play(Accepted({BANNER: 100, FLASH: 100}), at=at(60))
    assert (play.state, play.package.accept_due_at) == (P.HOLDING, None)
    assert kinds(decision) == [("hold", 1), ("hold", 2)]


def test_half_a_yes_does_not_begin_anything_nor_move_the_deadline():
    items = make_item(BANNER, accepted_amount=None), make_item(FLASH, accepted_amount=None)
    play = Play(make_package(P.DRAFTED, *items))
    play(Submitted())
    decision = play(Accepted({BANNER: 100, FLASH: 99}), at=at(60))
    assert (play.state, decision.wake_at, decision.notices) == (P.SUBMITTED, at(DAY), ())


def test_a_listed_price_that_is_not_accepted_in_time_ends_the_package():
    play = two(P.DRAFTED, S.DRAFTED, S.DRAFTED, accepted_amount=None)
    play(Submitted())
    decision = play(at=at(DAY))
    assert (play.state, play.states) == (P.RELEASED, [S.RELEASED, S.RELEASED])
    assert (decision.calls, decision.wake_at) == ((), None)
    assert play.item().reason_code == "not_accepted"


def test_a_package_is_submitted_once():
    play = two()
    before = play.package
    play(Submitted({BANNER: 1}))
    assert play.package == before


def test_accepting_a_draft_submits_nothing():
    play = two(P.DRAFTED, S.DRAFTED, S.DRAFTED, accepted_amount=None)
    play(Accepted({BANNER: 100}))
    assert (play.state, play.item().accepted_amount) == (P.DRAFTED, 100)


@pytest.mark.parametrize("state", [S.CONFIRMING, S.CONFIRMED])
def test_what_is_being_confirmed_does_not_become_cheaper(state):
    play = two(P.CONFIRMING, state, S.CONFIRMING)
    play(Accepted({BANNER: 1}))
    assert play.item().accepted_amount == 100


# --- cancelled ------------------------------------------------------------------------------------


def test_a_cancelled_draft_is_over_and_cannot_be_submitted_any_more():
    play = two(P.DRAFTED, S.DRAFTED, S.DRAFTED)
    decision = play(Cancelled())
    assert (play.state, play.states) == (P.RELEASED, [S.RELEASED, S.RELEASED])
    assert (decision.calls, decision.wake_at) == ((), None)
    play(Submitted({BANNER: 100, FLASH: 100}))
    assert play.state is P.RELEASED


def test_a_submitted_package_is_cancelled_without_a_call():
    play = two(P.DRAFTED, S.DRAFTED, S.DRAFTED, accepted_amount=None)
    play(Submitted())
    decision = play(Cancelled())
    assert (play.state, decision.calls, decision.wake_at) == (P.RELEASED, (), None)
    assert (play.package.accept_due_at, play.item().reason_code) == (None, "cancelled")


@pytest.mark.parametrize("state", [S.HOLDING, S.PENDING_DECISION, S.HELD])
def test_a_package_on_its_way_is_cancelled_by_releasing_what_may_be_held(state):
    play = two(P.HOLDING, state, S.HOLDING)
    decision = play(Cancelled())
    assert (play.state, kinds(decision)) == (P.RELEASING, [("release", 1), ("release", 2)])
    assert {item.reason_code for item in play.package.items} == {"cancelled"}


def test_a_hold_that_arrives_after_the_cancellation_is_released():
    play = two(P.HOLDING, S.HOLDING, S.HELD)
    play(Cancelled())
    decision = play(held(make_item()))
    assert play.states == [S.RELEASING, S.RELEASING]
    assert kinds(play(at=at(1))) == [("release", 1), ("release", 2)]
    assert decision.wake_at == NOON


def test_a_cancellation_in_the_same_turn_as_the_last_hold_wins():
    play = two(P.HOLDING, S.HOLDING, S.HELD)
    play(held(play.item()), Cancelled())
    assert play.state is P.RELEASING


@pytest.mark.parametrize("state", [P.CONFIRMING, P.DONE, P.RELEASED])
def test_a_cancellation_behind_the_point_of_no_return_is_nothing_for_good(state):
    item = S.CONFIRMING if state is P.CONFIRMING else S.CONFIRMED
    play = two(state, item, item)
    before = play.package
    play(Cancelled())
    assert play.package == before


def test_a_second_cancellation_changes_nothing():
    play = two(P.HOLDING)
    play(Cancelled())
    before = play.package
    play(Cancelled())
    assert play.package == before
