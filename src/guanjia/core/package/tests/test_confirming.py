"""Behind the point of no return, while releasing, and what is told when it does not go on."""

import pytest

from guanjia.core.package import (
    ENDED,
    Cancelled,
    Confirmed,
    HandSettled,
    Refused,
    Rejected,
    Released,
    Submitted,
    Unreachable,
    machine,
    moves,
)
from guanjia.core.package.tests.scenes import (
    BANNER,
    DAY,
    FLASH,
    P,
    S,
    at,
    held,
    kinds,
    pending,
    told,
    two,
)

# --- confirming: only forward ---------------------------------------------------------------------


def test_a_package_is_done_when_the_last_line_has_confirmed():
    play = two(P.CONFIRMING, S.CONFIRMING, S.CONFIRMING)
    play(Confirmed(BANNER, "TB-1"))
    assert play.state is P.CONFIRMING
    decision = play(Confirmed(FLASH, "TB-2"))
    assert (play.state, play.states) == (P.DONE, [S.CONFIRMED, S.CONFIRMED])
    assert (decision.calls, decision.wake_at, decision.notices) == ((), None, ())


def test_a_confirm_without_an_answer_is_repeated_until_there_is_one():
    play = two(P.CONFIRMING, S.CONFIRMING, S.CONFIRMED)
    for attempt in range(1, 20):
        decision = play(Unreachable(BANNER, "timeout"))
        assert told(decision) == ([("stuck", 1)] if attempt == machine.STUCK_AFTER else [])
        assert kinds(play(at=decision.wake_at)) == [("confirm", 1)]
    play(Confirmed(BANNER))
    assert play.state is P.DONE


@pytest.mark.parametrize("kind", ["renewal", "look"])
def test_an_answer_that_the_point_of_no_return_has_overtaken_changes_no_state(kind):
    play = two(P.CONFIRMING, S.CONFIRMING, S.CONFIRMING)
    say = held if kind == "renewal" else pending
    decision = play(say(play.item(), quote=130))
    assert play.states == [S.CONFIRMING, S.CONFIRMING]
    assert play.item().quote_amount == 100
    assert kinds(decision) == [("confirm", 2)]


def test_a_hold_lost_behind_the_point_of_no_return_is_taken_again_and_confirmed():
    play = two(P.CONFIRMING, S.CONFIRMING, S.CONFIRMED)
    decision = play(Rejected(BANNER, "hold_lapsed"))
    assert (play.state, kinds(decision)) == (P.CONFIRMING, [("hold", 1)])
    again = play.item().hold_id
    decision = play(held(play.item()))
    assert [(call.kind, call.item.hold_id) for call in decision.calls] == [("confirm", again)]
    play(Confirmed(again))
    assert play.state is P.DONE


def test_a_new_hold_that_costs_more_than_was_accepted_needs_a_hand_and_is_not_confirmed():
    play = two(P.CONFIRMING, S.HOLDING, S.CONFIRMED, generation=1)
    decision = play(held(play.item(), quote=101))
    assert (play.item().state, play.item().reason_code) == (S.FAILED_NEEDS_HAND, "quote_rose")
    assert (decision.calls, decision.wake_at, told(decision)) == ((), None, [("needs_hand", 1)])


def test_a_new_hold_without_a_price_keeps_the_price_that_was_accepted():
    play = two(P.CONFIRMING, S.HOLDING, S.CONFIRMED)
    decision = play(held(play.item(), quote=None))
    assert (kinds(decision), play.item().quote_amount) == ([("confirm", 1)], 100)


def test_a_new_hold_that_needs_a_decision_is_looked_at_not_confirmed():
    play = two(P.CONFIRMING, S.HOLDING, S.CONFIRMED, grace_seconds=600, give_up_at=at(900))
    decision = play(pending(play.item(), quote=100))
    assert (play.state, play.item().state) == (P.CONFIRMING, S.PENDING_DECISION)
    assert (decision.calls, told(decision)) == ((), [("decision_needed", 1)])
    assert play.item().give_up_at is None
    assert kinds(play(at=at(30))) == [("look", 1)]
    assert kinds(play(held(play.item()))) == [("confirm", 1)]


def test_silence_consents_behind_the_point_of_no_return_too():
    more = {"silence_consents": True, "hold_expires_at": at(5000), "next_at": at(4200)}
    play = two(P.CONFIRMING, S.PENDING_DECISION, S.CONFIRMED, **more)
    assert told(play(at=at(4200))) == [("decision_overdue", 1)]
    decision = play(pending(play.item(), until=5000))
    assert kinds(decision) == [("confirm", 1)]
    assert told(decision) == [("silence_consented", 1)]


def test_silence_that_refuses_behind_the_point_of_no_return_needs_a_hand():
    play = two(P.CONFIRMING, S.PENDING_DECISION, S.CONFIRMED, next_at=at(4200))
    play(at=at(4200))
    decision = play(pending(play.item(), until=5000))
    assert told(decision) == [("silence_refused", 1), ("needs_hand", 1)]
    assert (play.item().reason_code, play.item().generation) == ("line_silent", 0)


@pytest.mark.parametrize("state", [S.HOLDING, S.PENDING_DECISION, S.CONFIRMING])
def test_a_refusal_behind_the_point_of_no_return_needs_a_hand(state):
    play = two(P.CONFIRMING, state, S.CONFIRMED)
    decision = play(Refused(BANNER, "sold_out", {"en": "sold out"}))
    assert (play.state, play.item().state) == (P.CONFIRMING, S.FAILED_NEEDS_HAND)
    assert (play.item().reason_code, play.item().reason) == ("sold_out", {"en": "sold out"})
    assert (told(decision), decision.wake_at) == ([("needs_hand", 1)], None)


@pytest.mark.parametrize("state", [S.HOLDING, S.PENDING_DECISION, S.CONFIRMING])
def test_behind_the_point_of_no_return_no_line_is_given_up(state):
    more = {"attempts": 40, "stuck": True, "give_up_at": None, "decision_due_at": at(2 * DAY)}
    play = two(P.CONFIRMING, state, S.CONFIRMED, **more)
    decision = play(Unreachable(BANNER, "timeout"), at=at(DAY))
    assert (play.item().state, play.item().attempts) == (state, 41)
    assert (decision.notices, decision.wake_at) == ((), at(DAY + 60))


def test_a_line_that_loses_hold_after_hold_needs_a_hand():
    play = two(P.CONFIRMING, S.CONFIRMING, S.CONFIRMED, generation=moves.HOLDS_MOST - 1)
    decision = play(Rejected(play.item().hold_id, "hold_lapsed"))
    assert (play.item().reason_code, told(decision)) == ("hold_lost", [("needs_hand", 1)])
    assert play.item().generation == moves.HOLDS_MOST


# --- releasing ------------------------------------------------------------------------------------


def test_a_release_is_repeated_until_the_line_has_it():
    play = two(P.RELEASING, S.RELEASING, S.RELEASED, reason_code="cancelled")
    for attempt in range(1, 20):
        decision = play(Unreachable(BANNER, "timeout"))
        assert told(decision) == ([("stuck", 1)] if attempt == machine.STUCK_AFTER else [])
        assert kinds(play(at=decision.wake_at)) == [("release", 1)]
    decision = play(Released(BANNER))
    assert (play.state, decision.wake_at) == (P.RELEASED, None)


def test_what_a_line_confirmed_before_it_was_released_needs_a_hand_and_is_told():
    play = two(P.RELEASING, S.RELEASING, S.RELEASED, reason_code="cancelled")
    decision = play(Rejected(BANNER, "hold_confirmed"))
    assert (play.state, play.item().state) == (P.RELEASING, S.FAILED_NEEDS_HAND)
    assert (told(decision), decision.wake_at) == ([("needs_hand", 1)], None)


@pytest.mark.parametrize("state", sorted(ENDED))
def test_what_has_ended_stays_as_it_is(state):
    play = two(state, S.CONFIRMED, S.CONFIRMED)
    before = play.package
    signals = held(play.item()), Cancelled(), Submitted(), HandSettled(BANNER, "retry"), Released(BANNER)
    decision = play(*signals, at=at(DAY * 365))
    assert (play.package, decision.calls, decision.wake_at) == (before, (), None)


# --- trouble is told ------------------------------------------------------------------------------


def test_a_breach_of_contract_is_told_at_the_second_time():
    play = two()
    breach = Rejected(BANNER, "contract_breach", "no JSON")
    assert told(play(breach)) == []
    assert told(play(breach)) == [("stuck", 1)]
    assert told(play(breach)) == []


def test_a_line_out_of_reach_that_can_still_be_given_up_is_nobodys_task():
    play = two(P.HOLDING, S.HOLDING, S.HOLDING, attempts=20)
    assert told(play(Unreachable(BANNER, "timeout"))) == []
    assert not play.item().stuck


def test_an_item_that_got_unstuck_can_get_stuck_again():
    play = two(P.HOLDING, S.HOLDING, S.HOLDING, stuck=True, attempts=5)
    play(held(play.item()))
    assert not play.item().stuck
    play(held(play.item(FLASH)))
    for _ in range(machine.STUCK_AFTER - 1):
        assert told(play(Unreachable(BANNER, "timeout"))) == []
    assert told(play(Unreachable(BANNER, "timeout"))) == [("stuck", 1)]


def test_an_old_breach_does_not_make_a_later_silence_look_like_one():
    play = two()
    play(Rejected(BANNER, "contract_breach", "no JSON"))
    play(pending(play.item()))
    for _ in range(4):
        assert told(play(Unreachable(BANNER, "timeout"))) == []
