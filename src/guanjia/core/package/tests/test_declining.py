"""The merchant takes single items out of a package; the rest goes on by its mode."""

import pytest

from guanjia.core.package import Accepted, Declined, HandSettled, Mode, Refused, Rejected, Released, Submitted
from guanjia.core.package.tests.scenes import (
    BANNER,
    FLASH,
    STORE,
    P,
    Play,
    S,
    held,
    kinds,
    make_item,
    make_package,
    optional,
    told,
    two,
)

NO = "declined_by_merchant"


def proposal(mode=Mode.ALL_OR_NOTHING):
    """Two items at a listed price, and one that costs nothing and is optional."""
    priced = make_item(BANNER, accepted_amount=None), make_item(FLASH, accepted_amount=None)
    free = optional(S.DRAFTED, quote_amount=None, accepted_amount=None)
    play = Play(make_package(P.DRAFTED, *priced, free, mode=mode))
    play(Submitted())
    assert play.state is P.SUBMITTED
    return play


@pytest.mark.parametrize("mode", Mode)
def test_what_is_declined_is_out_and_the_rest_is_held_once_it_is_accepted(mode):
    play = proposal(mode)
    decision = play(Declined([BANNER]), Accepted({FLASH: 100}))
    assert (play.state, play.states) == (P.HOLDING, [S.RELEASED, S.HOLDING, S.HOLDING])
    assert (play.item().reason_code, play.item().declined) == (NO, True)
    assert kinds(decision) == [("hold", 2), ("hold", 3)]


def test_a_declined_item_asks_for_no_price_any_more():
    play = proposal()
    play(Declined([BANNER, FLASH]), Accepted({}))
    assert (play.state, play.states) == (P.HOLDING, [S.RELEASED, S.RELEASED, S.HOLDING])


def test_declining_alone_starts_nothing():
    play = proposal()
    decision = play(Declined([BANNER]))
    assert (play.state, play.states) == (P.SUBMITTED, [S.RELEASED, S.DRAFTED, S.DRAFTED])
    assert (decision.calls, decision.wake_at) == ((), play.package.accept_due_at)


def test_a_draft_is_submitted_without_what_was_declined():
    play = two(P.DRAFTED, S.DRAFTED, S.DRAFTED, accepted_amount=None)
    play(Declined([BANNER]))
    play(Submitted())
    assert (play.state, play.states) == (P.HOLDING, [S.RELEASED, S.HOLDING])


@pytest.mark.parametrize("state", [P.DRAFTED, P.SUBMITTED, P.HOLDING, P.DECIDING])
def test_declining_every_item_gives_the_package_up(state):
    asked = S.DRAFTED if state in (P.DRAFTED, P.SUBMITTED) else S.HELD
    play = two(state, asked, asked)
    play(Declined([BANNER, FLASH]))
    play(Released(BANNER), Released(FLASH))
    assert (play.state, play.states) == (P.RELEASED, [S.RELEASED, S.RELEASED])
    assert {item.reason_code for item in play.package.items} == {NO}


def test_of_a_quote_that_rose_the_rest_is_confirmed_without_it():
    play = two(P.DECIDING, S.HELD, S.HELD, quote_amount=150, reason_code="hold_lost")
    decision = play(Declined([BANNER]), Accepted({FLASH: 100}))
    assert (play.state, play.states) == (P.CONFIRMING, [S.RELEASING, S.CONFIRMING])
    assert play.item().reason_code == NO
    assert kinds(decision) == [("release", 1), ("confirm", 2)]
    play(Released(BANNER))
    assert play.item().state is S.RELEASED


def test_a_declined_core_item_does_not_bring_the_others_down():
    play = Play(
        make_package(P.DECIDING, make_item(state=S.HELD), optional(S.HELD), mode=Mode.CORE_AND_OPTIONAL)
    )
    play(Declined([BANNER]))
    assert (play.state, play.states) == (P.CONFIRMING, [S.RELEASING, S.CONFIRMING])


def test_the_rest_is_still_all_or_nothing():
    items = make_item(state=S.HELD), make_item(FLASH, S.HOLDING), make_item(STORE, S.HOLDING)
    play = Play(make_package(P.HOLDING, *items))
    play(Declined([BANNER]))
    assert (play.state, play.states) == (P.HOLDING, [S.RELEASING, S.HOLDING, S.HOLDING])
    play(held(play.item(FLASH)), Refused(STORE, "sold_out"))
    assert (play.state, play.states) == (P.RELEASING, [S.RELEASING, S.RELEASING, S.REFUSED])
    assert (play.item().reason_code, play.item(FLASH).reason_code) == (NO, "other_item_failed")


def test_when_all_that_was_wanted_is_lost_the_package_is_released():
    play = two(P.HOLDING, S.HOLDING, S.HOLDING, mode=Mode.BEST_EFFORT)
    play(Declined([BANNER]), Refused(FLASH, "sold_out"))
    assert (play.state, play.states) == (P.RELEASING, [S.RELEASING, S.REFUSED])


@pytest.mark.parametrize("state", [P.CONFIRMING, P.DONE, P.RELEASING, P.RELEASED])
def test_behind_the_point_of_no_return_nothing_can_be_declined(state):
    going = S.CONFIRMING if state is P.CONFIRMING else S.CONFIRMED if state is P.DONE else S.RELEASING
    play = two(state, going, going)
    before = play.states
    play(Declined([BANNER]))
    assert play.states == before
    assert not any(item.declined for item in play.package.items)


@pytest.mark.parametrize("state", [S.REFUSED, S.RELEASING, S.EXPIRED, S.FAILED_NEEDS_HAND])
def test_what_is_out_already_or_needs_a_hand_cannot_be_declined(state):
    play = two(P.DECIDING, state, S.PENDING_DECISION, mode=Mode.BEST_EFFORT, reason_code="hold_confirmed")
    play(Declined([BANNER]))
    assert (play.item().state, play.item().declined) == (state, False)
    assert play.item().reason_code == "hold_confirmed"


def test_a_declined_item_that_its_line_has_confirmed_needs_a_hand_and_holds_nobody_up():
    play = two(P.DECIDING, S.HELD, S.PENDING_DECISION)
    play(Declined([BANNER]))
    decision = play(Rejected(BANNER, "hold_confirmed"))
    assert told(decision) == [("needs_hand", 1)]
    play(held(play.item(FLASH)))
    assert (play.state, play.states) == (P.CONFIRMING, [S.FAILED_NEEDS_HAND, S.CONFIRMING])
    play(HandSettled(BANNER, "waived"))
    assert (play.state, play.states) == (P.CONFIRMING, [S.RELEASED, S.CONFIRMING])
