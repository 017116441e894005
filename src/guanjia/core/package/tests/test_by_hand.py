"""What a person does about an item that no call can mend."""

import pytest

from guanjia.core.package import (
    Accepted,
    Cancelled,
    Confirmed,
    HandSettled,
    Mode,
    Released,
    moves,
)
from guanjia.core.package.tests.scenes import (
    BANNER,
    FLASH,
    STORE,
    P,
    Play,
    S,
    at,
    held,
    kinds,
    make_item,
    make_package,
    optional,
    told,
    two,
)

# --- by hand --------------------------------------------------------------------------------------


def failed(code, state=P.CONFIRMING, *, mode=Mode.ALL_OR_NOTHING, other=None, **more):
    """A package with an item that needs a hand for this reason, and one that is as far as it gets."""
    others = {P.CONFIRMING: S.CONFIRMED, P.RELEASING: S.RELEASED}
    item = make_item(BANNER, S.FAILED_NEEDS_HAND, reason_code=code, stuck=True, **more)
    second = make_item(FLASH, other or others.get(state, S.HELD))
    return Play(make_package(state, item, second, mode=mode))


def test_a_hand_may_say_that_it_has_taken_effect():
    play = failed("sold_out", reason={"en": "sold out"})
    decision = play(HandSettled(BANNER, "confirmed"))
    assert (play.state, play.states) == (P.DONE, [S.CONFIRMED, S.CONFIRMED])
    assert (play.item().reason_code, play.item().reason, decision.wake_at) == ("", {}, None)


@pytest.mark.parametrize(
    ("accepted", "quote", "owed"), [(100, 130, 100), (None, 130, 0), (100, 90, 90), (None, None, None)]
)
def test_by_hand_or_not_the_merchant_owes_no_more_than_it_accepted(accepted, quote, owed):
    play = failed("confirmed_dearer", accepted_amount=accepted, quote_amount=quote)
    play(HandSettled(BANNER, "confirmed"))
    assert (play.item().state, play.item().quote_amount) == (S.CONFIRMED, owed)


def test_a_waived_item_gives_back_what_the_line_still_holds():
    play = failed("quote_rose", hold_expires_at=at(900))
    decision = play(HandSettled(BANNER, "waived"))
    assert (play.state, kinds(decision)) == (P.CONFIRMING, [("release", 1)])
    play(Released(BANNER))
    assert (play.state, play.states) == (P.DONE, [S.RELEASED, S.CONFIRMED])


@pytest.mark.parametrize("code", sorted(moves.TAKEN))
def test_what_the_line_has_confirmed_is_waived_without_a_call(code):
    play = failed(code)
    decision = play(HandSettled(BANNER, "waived"))
    assert (play.state, play.states, decision.calls) == (P.DONE, [S.RELEASED, S.CONFIRMED], ())


def test_where_everything_was_waived_nothing_was_done():
    play = failed("confirmed_dearer", other=S.REFUSED, mode=Mode.BEST_EFFORT)
    play(HandSettled(BANNER, "waived"))
    assert play.state is P.RELEASED


def test_a_retry_behind_the_point_of_no_return_asks_for_the_same_hold_and_confirms_it():
    play = failed("quote_rose", generation=1)
    decision = play(HandSettled(BANNER, "retry"))
    assert (play.item().state, play.item().reason_code, play.item().stuck) == (S.HOLDING, "", False)
    assert kinds(decision) == [("hold", 1)]
    assert play.item().generation == 1
    assert kinds(play(held(play.item()))) == [("confirm", 1)]


def test_a_higher_price_can_be_accepted_before_a_retry():
    play = failed("quote_rose", quote_amount=130)
    play(Accepted({BANNER: 130}), HandSettled(BANNER, "retry"))
    assert kinds(play(held(play.item(), quote=130))) == [("confirm", 1)]


def test_a_retry_while_releasing_tries_the_release_again():
    play = failed("confirmed_unasked", P.RELEASING)
    decision = play(HandSettled(BANNER, "retry"))
    assert (play.state, kinds(decision)) == (P.RELEASING, [("release", 1)])
    play(Released(BANNER))
    assert play.state is P.RELEASED


def test_a_retry_of_a_release_stays_a_release_while_the_others_are_confirmed():
    play = failed("hold_confirmed", P.CONFIRMING, mode=Mode.BEST_EFFORT)
    assert kinds(play(HandSettled(BANNER, "retry"))) == [("release", 1)]


@pytest.mark.parametrize("outcome", ["confirmed", "waived"])
def test_while_releasing_a_hand_ends_it_either_way(outcome):
    play = failed("hold_confirmed", P.RELEASING)
    decision = play(HandSettled(BANNER, outcome))
    assert (play.state, decision.wake_at) == (P.RELEASED, None)
    assert play.item().state is (S.CONFIRMED if outcome == "confirmed" else S.RELEASED)


def test_only_an_item_that_needs_a_hand_is_settled_by_one():
    play = two(P.CONFIRMING, S.CONFIRMING, S.CONFIRMING)
    before = play.package
    play(HandSettled(BANNER, "confirmed"), HandSettled(STORE, "confirmed"))
    assert play.package == before


# --- a line that confirms unasked, before the point of no return ----------------------------------


def test_all_or_nothing_waits_for_the_hand_before_it_confirms_anything():
    play = two(P.HOLDING, S.HELD, S.HELD)
    decision = play(Confirmed(BANNER))
    assert (play.state, play.states) == (P.DECIDING, [S.FAILED_NEEDS_HAND, S.HELD])
    assert (decision.calls, told(decision)) == ((), [("needs_hand", 1)])
    assert kinds(play(at=at(450))) == [("renew", 2)]


def test_then_a_yes_confirms_the_rest_and_a_no_releases_it():
    play = failed("confirmed_unasked", P.DECIDING)
    assert kinds(play(HandSettled(BANNER, "confirmed"))) == [("confirm", 2)]
    play = failed("confirmed_unasked", P.DECIDING)
    assert kinds(play(HandSettled(BANNER, "waived"))) == [("release", 2)]
    play = failed("confirmed_unasked", P.DECIDING)
    assert kinds(play(HandSettled(BANNER, "retry"))) == [("hold", 1)]


def test_an_optional_item_that_needs_a_hand_does_not_keep_the_core_waiting():
    items = make_item(BANNER, S.HELD), optional(S.HELD)
    play = Play(make_package(P.DECIDING, *items, mode=Mode.CORE_AND_OPTIONAL))
    decision = play(Confirmed(STORE))
    assert (play.state, kinds(decision)) == (P.CONFIRMING, [("confirm", 1)])
    play(Confirmed(BANNER))
    assert play.states == [S.CONFIRMED, S.FAILED_NEEDS_HAND]
    play(HandSettled(STORE, "confirmed"))
    assert play.state is P.DONE


def test_where_nothing_else_is_held_best_effort_waits_for_the_hand():
    play = two(P.HOLDING, S.HELD, S.REFUSED, mode=Mode.BEST_EFFORT)
    decision = play(Confirmed(BANNER))
    assert (play.state, decision.calls, decision.wake_at) == (P.DECIDING, (), None)
    play(HandSettled(BANNER, "waived"))
    assert (play.state, play.states) == (P.RELEASED, [S.RELEASED, S.REFUSED])


def test_a_package_that_waits_for_a_hand_can_be_cancelled():
    play = failed("confirmed_unasked", P.DECIDING)
    play(Cancelled())
    assert (play.state, play.states) == (P.RELEASING, [S.FAILED_NEEDS_HAND, S.RELEASING])
