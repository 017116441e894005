"""Before the point of no return: holds, decisions, silence, lapses, lines out of reach."""

from dataclasses import replace

import pytest

from guanjia.core.package import (
    Accepted,
    Confirmed,
    Mode,
    Pending,
    Refused,
    Rejected,
    Released,
    Unreachable,
    moves,
)
from guanjia.core.package.tests.scenes import (
    BANNER,
    DAY,
    FLASH,
    NOON,
    STORE,
    P,
    Play,
    S,
    at,
    calls_for,
    held,
    kinds,
    make_item,
    make_package,
    optional,
    pending,
    told,
    two,
)

# --- holding and deciding -------------------------------------------------------------------------


def test_all_held_and_accepted_is_confirmed_in_the_same_turn():
    play = two()
    first, second = play.package.items
    decision = play(held(first), held(second))
    assert (play.state, play.states) == (P.CONFIRMING, [S.CONFIRMING, S.CONFIRMING])
    assert kinds(decision) == [("confirm", 1), ("confirm", 2)]


def test_what_is_held_waits_for_what_is_not():
    play = two()
    decision = play(held(play.item(BANNER)), Unreachable(FLASH, "timeout"))
    assert (play.state, play.states) == (P.HOLDING, [S.HELD, S.HOLDING])
    assert (decision.calls, decision.wake_at) == ((), at(0.5))


def test_a_pending_decision_is_told_and_looked_at():
    play = two()
    decision = play(pending(play.item(BANNER)), held(play.item(FLASH)))
    assert (play.state, play.states) == (P.DECIDING, [S.PENDING_DECISION, S.HELD])
    assert told(decision) == [("decision_needed", 1)]
    assert decision.wake_at == at(30)
    assert kinds(play(at=at(30))) == [("look", 1)]


def test_a_pending_hold_is_renewed_rather_than_looked_at_when_a_third_of_it_is_gone():
    play = two(P.DECIDING, S.PENDING_DECISION, S.HELD)
    assert kinds(play(at=at(299))) == [("look", 1)]
    assert kinds(play(at=at(300))) == [("renew", 1)]


def test_a_held_item_is_renewed_half_way_while_the_others_are_waited_for():
    play = two(P.DECIDING, S.PENDING_DECISION, S.HELD, next_at=at(500))
    assert kinds(play(at=at(450))) == [("renew", 2)]


def test_a_decision_by_webhook_completes_the_package():
    play = two(P.DECIDING, S.PENDING_DECISION, S.HELD)
    decision = play(held(play.item()))
    assert kinds(decision) == [("confirm", 1), ("confirm", 2)]


def test_a_late_look_does_not_ask_for_the_decision_again():
    play = two(P.HOLDING, S.PENDING_DECISION, S.HOLDING)
    look = pending(play.item())
    play(held(play.item()))
    decision = play(look)
    assert (play.item().state, told(decision)) == (S.HELD, [])


@pytest.mark.parametrize("source", ["decision", "renewal", "hold", "hold again"])
def test_a_quote_above_what_was_accepted_waits_for_the_merchant(source):
    state = {"decision": S.PENDING_DECISION, "renewal": S.HELD}.get(source, S.HOLDING)
    play = two(P.DECIDING, state, S.HELD, generation=int(source == "hold again"))
    decision = play(held(play.item(), quote=101))
    assert (play.state, play.states) == (P.DECIDING, [S.HELD, S.HELD])
    assert (decision.calls, told(decision)) == ((), [("acceptance_needed", None)])
    assert play.package.accept_due_at == at(DAY)
    assert kinds(play(Accepted({BANNER: 101, FLASH: 100}))) == [("confirm", 1), ("confirm", 2)]
    assert play.package.accept_due_at is None


def test_accepting_less_than_the_quote_is_not_enough():
    play = two(P.DECIDING, S.HELD, S.HELD, quote_amount=130)
    assert play(Accepted({BANNER: 129})).calls == ()
    assert play.state is P.DECIDING


def test_the_merchant_is_asked_once_however_the_quote_moves():
    play = two(P.DECIDING, S.HELD, S.HELD, quote_amount=130)
    assert told(play()) == [("acceptance_needed", None)]
    assert told(play(held(play.item(), quote=140), at=at(60))) == []
    assert play.package.accept_due_at == at(DAY)


def test_an_acceptance_at_the_last_moment_counts():
    play = two(P.DECIDING, S.HELD, S.HELD, quote_amount=130)
    play()
    items = [replace(item, hold_expires_at=at(DAY + 900), next_at=at(DAY + 1)) for item in play.package.items]
    play.package = replace(play.package, items=tuple(items))
    play(Accepted({BANNER: 130}), at=at(DAY))
    assert play.state is P.CONFIRMING


def test_a_quote_that_is_not_accepted_in_time_releases_all():
    play = two(P.DECIDING, S.HELD, S.HELD, quote_amount=130)
    play()
    decision = play(at=at(DAY))
    assert play.state is P.RELEASING
    assert kinds(decision) == [("release", 1), ("release", 2)]
    assert [item.reason_code for item in play.package.items] == ["not_accepted", "other_item_failed"]


def test_a_dear_optional_item_that_nobody_accepts_does_not_cost_the_core():
    items = make_item(BANNER, S.HELD), optional(S.HELD, quote_amount=130)
    play = Play(make_package(P.DECIDING, *items, mode=Mode.CORE_AND_OPTIONAL, accept_due_at=NOON))
    decision = play()
    assert (play.state, play.states) == (P.CONFIRMING, [S.CONFIRMING, S.RELEASING])
    assert kinds(decision) == [("confirm", 1), ("release", 3)]


def test_an_acceptance_that_arrives_while_a_hold_lapses_waits_for_the_new_price():
    play = two(P.DECIDING, S.HELD, S.HELD, quote_amount=130)
    decision = play(Rejected(BANNER, "hold_lapsed"), Accepted({BANNER: 130}))
    assert (play.state, play.states) == (P.HOLDING, [S.HOLDING, S.HELD])
    assert [call.item.hold_id for call in decision.calls] == [play.item().hold_id] != [BANNER]
    dearer = play(held(play.item(), quote=150))
    assert (play.state, dearer.calls) == (P.DECIDING, ())


# --- silence --------------------------------------------------------------------------------------


def test_an_overdue_decision_is_told_once():
    play = two(P.DECIDING, S.PENDING_DECISION, S.HELD)
    assert told(play(at=at(3600))) == [("decision_overdue", 1)]
    assert told(play(at=at(3601))) == []


def still_pending(play: Play, *, until: float) -> Pending:
    """What a look hears from a line where nobody has decided."""
    item = play.item()
    assert item.decision_due_at is not None
    return Pending(item.hold_id, at(until), item.decision_due_at, item.quote_amount)


def test_the_package_wakes_for_the_decisions_clock_and_looks_when_its_grace_is_over():
    play = two(P.DECIDING, S.PENDING_DECISION, S.HELD, decision_due_at=at(5), grace_seconds=7)
    assert play().wake_at == at(5)
    decision = play(still_pending(play, until=900), at=at(6))
    assert (decision.calls, told(decision), decision.wake_at) == ((), [("decision_overdue", 1)], at(12))
    assert kinds(play(at=at(12))) == [("look", 1)]


def test_a_look_that_was_under_way_when_the_grace_ended_is_not_yet_silence():
    play = two(P.DECIDING, S.PENDING_DECISION, S.HELD, decision_due_at=at(5), grace_seconds=7, next_at=at(9))
    decision = play(still_pending(play, until=900), at=at(13))
    assert (play.item().state, decision.calls) == (S.PENDING_DECISION, ())
    assert decision.wake_at == at(13) + moves.BACKOFF_FIRST


def test_silence_refuses_when_a_look_after_the_grace_sees_it_and_the_whole_is_released():
    play = two(P.DECIDING, S.PENDING_DECISION, S.HELD, next_at=at(4200))
    decision = play(at=at(4200))
    assert (kinds(decision)[0], told(decision)) == (("renew", 1), [("decision_overdue", 1)])
    decision = play(still_pending(play, until=5000))
    assert told(decision) == [("silence_refused", 1)]
    assert (play.state, kinds(decision)) == (P.RELEASING, [("release", 1), ("release", 2)])
    play(Released(BANNER), Released(FLASH))
    assert (play.state, play.states) == (P.RELEASED, [S.EXPIRED, S.RELEASED])


def test_a_yes_whose_webhook_was_lost_counts_although_its_time_is_over():
    play = two(P.DECIDING, S.PENDING_DECISION, S.HELD, next_at=at(4200))
    play(at=at(4200))
    play(held(play.item(), until=5000), held(play.item(FLASH), until=5000))
    assert (play.state, play.states) == (P.CONFIRMING, [S.CONFIRMING, S.CONFIRMING])


def test_a_no_whose_webhook_was_lost_is_not_taken_for_consent():
    more = {"silence_consents": True, "hold_expires_at": at(5000), "next_at": at(4200)}
    play = two(P.DECIDING, S.PENDING_DECISION, S.HELD, **more)
    assert calls_for(play(at=at(4200)), BANNER) != []
    decision = play(Refused(BANNER, "not_this_week"))
    assert (play.state, play.states) == (P.RELEASING, [S.REFUSED, S.RELEASING])
    assert kinds(decision) == [("release", 2)]


def test_a_line_out_of_reach_after_the_grace_has_refused_once_it_had_its_chances():
    more = {"next_at": at(4200), "hold_expires_at": at(5000), "give_up_at": at(5900)}
    play = two(P.DECIDING, S.PENDING_DECISION, S.HELD, **more)
    for _ in range(moves.TRIES_LEAST - 1):
        play(Unreachable(BANNER, "timeout"), at=at(4200))
        assert play.item().state is S.PENDING_DECISION
    assert told(play(Unreachable(BANNER, "timeout"))) == [("silence_refused", 1)]
    assert (play.state, play.item().reason_code) == (P.RELEASING, "line_silent")


def test_silence_consents_where_the_mandate_says_so():
    more = {"silence_consents": True, "hold_expires_at": at(5000), "next_at": at(4200)}
    play = two(P.DECIDING, S.PENDING_DECISION, S.HOLDING, **more)
    decision = play(Unreachable(FLASH, "timeout"), at=at(4200))
    assert (calls_for(decision, BANNER)[0].kind.value, play.item().state) == ("look", S.PENDING_DECISION)
    decision = play(still_pending(play, until=5000), at=at(4200.1))
    assert told(decision) == [("silence_consented", 1)]
    assert (play.item().state, play.item().by_silence) == (S.HELD, True)
    assert calls_for(decision, BANNER) == []
    decision = play(replace(held(play.item(FLASH)), expires_at=at(5100)), at=at(4201))
    assert [call.item.by_silence for call in decision.calls] == [True, False]
    assert kinds(decision) == [("confirm", 1), ("confirm", 2)]


def test_silence_is_confirmed_again_until_the_lines_clock_agrees():
    play = two(P.CONFIRMING, S.CONFIRMING, S.CONFIRMED, by_silence=True)
    for number in range(5):
        decision = play(Rejected(BANNER, "decision_pending", "not yet"))
        assert (decision.calls, told(decision), play.item().state) == ((), [], S.CONFIRMING)
        decision = play(at=decision.wake_at)
        assert kinds(decision) == [("confirm", 1)], number
        assert decision.calls[0].item.by_silence
    play(Confirmed(BANNER))
    assert play.state is P.DONE


def test_a_no_after_silence_counts_before_the_point_of_no_return():
    play = two(P.HOLDING, S.HELD, S.HOLDING, by_silence=True)
    play(Refused(BANNER, "not_this_week"))
    assert (play.state, play.states) == (P.RELEASING, [S.REFUSED, S.RELEASING])


# --- holds that lapse -----------------------------------------------------------------------------


def test_a_hold_about_to_lapse_is_renewed_before_the_point_of_no_return():
    play = two(P.HOLDING, S.HELD, S.HOLDING, hold_expires_at=at(29), next_at=NOON)
    decision = play(held(play.item(FLASH)))
    assert (play.state, play.states) == (P.DECIDING, [S.HELD, S.HELD])
    assert kinds(decision) == [("renew", 1)]
    assert kinds(play(held(play.item()))) == [("confirm", 1), ("confirm", 2)]


def test_half_a_minute_is_enough_to_confirm():
    play = two(P.HOLDING, S.HELD, S.HOLDING, hold_expires_at=at(30), next_at=NOON)
    play(held(play.item(FLASH)))
    assert play.state is P.CONFIRMING


def test_a_third_of_a_short_hold_is_enough_to_confirm():
    for left, state in ((1, P.CONFIRMING), (0.9, P.DECIDING)):
        play = two(P.HOLDING, S.HELD, S.HOLDING, hold_expires_at=at(left), next_at=NOON, ttl_seconds=3)
        play(held(play.item(FLASH)))
        assert play.state is state


def test_a_line_that_grants_less_than_it_was_asked_is_confirmed_all_the_same():
    play = two(P.HOLDING, S.HOLDING, S.HELD)
    play(held(play.item(), until=2))
    assert play.state is P.CONFIRMING


def test_the_last_third_of_a_second_is_too_short_to_confirm_in():
    play = two(P.HOLDING, S.HOLDING, S.HOLDING)
    play(held(play.item(), until=0.4))
    play(held(play.item(FLASH)), at=at(0.1))
    assert (play.state, play.states) == (P.DECIDING, [S.HELD, S.HELD])


def test_a_useless_grant_is_neither_confirmed_nor_renewed_without_a_pause():
    other = make_item(FLASH, S.HELD, hold_expires_at=at(DAY), next_at=at(DAY / 2))
    play = Play(make_package(P.HOLDING, make_item(BANNER, S.HOLDING), other))
    pauses = []
    for _ in range(4):
        decision = play(replace(held(play.item()), expires_at=play.now))
        assert (play.state, decision.calls) == (P.DECIDING, ())
        assert decision.wake_at is not None
        pauses.append((decision.wake_at - play.now).total_seconds())
        assert kinds(play(at=decision.wake_at)) == [("renew", 1)]
    assert pauses == [0.5, 1, 2, 4]


def test_a_hold_whose_renewal_gets_no_answer_is_not_confirmed_near_its_end():
    play = two(P.HOLDING, S.HELD, S.HOLDING, hold_expires_at=at(20), attempts=1, next_at=at(1))
    decision = play(held(play.item(FLASH)))
    assert (play.state, decision.calls, decision.wake_at) == (P.DECIDING, (), at(1))


def test_a_hold_that_lapsed_while_all_workers_were_down_is_taken_again():
    play = two(P.HOLDING, S.HELD, S.HELD)
    decision = play(at=at(DAY))
    assert (play.state, kinds(decision)) == (P.DECIDING, [("renew", 1), ("renew", 2)])
    decision = play(Rejected(BANNER, "hold_lapsed"), Rejected(FLASH, "unknown_hold"))
    assert (play.state, kinds(decision)) == (P.HOLDING, [("hold", 1), ("hold", 2)])
    assert [call.item.generation for call in decision.calls] == [1, 1]


def test_answers_about_the_lapsed_hold_do_not_touch_the_new_one():
    play = two(P.HOLDING, S.HOLDING, S.HELD, generation=1)
    before = play.package
    for signal in (held(make_item()), Refused(BANNER, "sold_out"), Confirmed(BANNER), Released(BANNER)):
        play(signal)
        assert play.package == before


# --- lines out of reach ---------------------------------------------------------------------------


def test_a_line_out_of_reach_for_a_quarter_of_an_hour_releases_all():
    play = two(P.HOLDING, S.HOLDING, S.HELD, attempts=9)
    play(Unreachable(BANNER, "timeout"), at=at(900))
    assert (play.state, play.states) == (P.RELEASING, [S.RELEASING, S.RELEASING])
    assert [item.reason_code for item in play.package.items] == ["line_unreachable", "other_item_failed"]


def test_a_line_not_reached_while_our_own_workers_were_down_gets_its_chance():
    play = two(P.HOLDING, S.HOLDING, S.HELD)
    decision = play(at=at(DAY))
    assert calls_for(decision, BANNER)[0].kind == "hold"
    play(Unreachable(BANNER, "busy"))
    assert (play.state, play.item().state) == (P.HOLDING, S.HOLDING)


def test_an_optional_line_out_of_reach_does_not_cost_the_core():
    items = make_item(BANNER, S.HELD), optional(S.HOLDING, attempts=9, give_up_at=NOON)
    play = Play(make_package(P.HOLDING, *items, mode=Mode.CORE_AND_OPTIONAL))
    decision = play(Unreachable(STORE, "timeout"))
    assert (play.state, play.states) == (P.CONFIRMING, [S.CONFIRMING, S.RELEASING])
    assert kinds(decision) == [("confirm", 1), ("release", 3)]
    play(Confirmed(BANNER), Unreachable(STORE, "timeout"))
    assert play.state is P.CONFIRMING
    play(Released(STORE))
    assert (play.state, play.states) == (P.DONE, [S.CONFIRMED, S.EXPIRED])


# --- modes ----------------------------------------------------------------------------------------


def test_one_refusal_releases_all_or_nothing():
    play = two(P.HOLDING, S.HOLDING, S.HELD)
    decision = play(Refused(BANNER, "sold_out"))
    assert (play.state, play.states) == (P.RELEASING, [S.REFUSED, S.RELEASING])
    assert (kinds(decision), play.item(FLASH).reason_code) == ([("release", 2)], "other_item_failed")


def test_an_optional_refusal_does_not_stop_the_core():
    items = make_item(BANNER, S.HELD), optional(S.HOLDING)
    play = Play(make_package(P.HOLDING, *items, mode=Mode.CORE_AND_OPTIONAL))
    assert kinds(play(Refused(STORE, "sold_out"))) == [("confirm", 1)]


def test_a_core_refusal_releases_the_optional_items():
    items = make_item(BANNER, S.HOLDING), optional(S.HELD)
    play = Play(make_package(P.HOLDING, *items, mode=Mode.CORE_AND_OPTIONAL))
    assert kinds(play(Refused(BANNER, "sold_out"))) == [("release", 3)]


def test_best_effort_takes_what_it_gets():
    play = two(P.HOLDING, S.HOLDING, S.HELD, mode=Mode.BEST_EFFORT)
    assert kinds(play(Refused(BANNER, "sold_out"))) == [("confirm", 2)]


def test_best_effort_with_everything_refused_is_released():
    play = two(P.HOLDING, mode=Mode.BEST_EFFORT)
    decision = play(Refused(BANNER, "sold_out"), Refused(FLASH, "sold_out"))
    assert (play.state, play.states) == (P.RELEASED, [S.REFUSED, S.REFUSED])
    assert (decision.calls, decision.wake_at) == ((), None)


def test_best_effort_waits_for_the_last_answer():
    play = two(P.HOLDING, mode=Mode.BEST_EFFORT)
    play(held(play.item()))
    assert play.state is P.HOLDING
