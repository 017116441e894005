"""How one item answers one signal."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid5

import pytest

from guanjia.core.package import (
    Confirmed,
    ItemState,
    Refused,
    Rejected,
    Released,
    Unreachable,
    moves,
)
from guanjia.core.package.states import ACTIVE
from guanjia.core.package.tests.scenes import (
    BANNER,
    NOON,
    TEXTS,
    answers,
    at,
    held,
    make_item,
    pending,
    seconds,
)

S = ItemState


def test_the_table_covers_exactly_the_active_states():
    assert {state for state, _ in moves.TABLE} == ACTIVE


@pytest.mark.parametrize("state", sorted(set(S) - ACTIVE))
@pytest.mark.parametrize("name", answers(make_item()))
def test_an_item_that_waits_for_no_line_ignores_every_answer(state, name):
    item = make_item(state=state)
    assert moves.apply(item, answers(item)[name], NOON) is item


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("name", answers(make_item()))
def test_answers_about_an_earlier_hold_are_ignored(state, name):
    item = make_item(state=state, generation=1)
    assert moves.apply(item, answers(make_item())[name], NOON) is item


@pytest.mark.parametrize("state", sorted(ACTIVE))
@pytest.mark.parametrize("name", answers(make_item()))
@pytest.mark.parametrize("by_silence", [False, True])
def test_no_answer_makes_a_call_repeat_without_a_pause(state, name, by_silence):
    item = make_item(state=state, next_at=NOON, by_silence=by_silence, decision_due_at=NOON)
    after = moves.apply(item, answers(item)[name], NOON)
    paused = after.next_at is None or after.next_at >= NOON + moves.BACKOFF_FIRST
    assert paused or (after.state, after.generation) != (item.state, item.generation)


# --- names and pauses -----------------------------------------------------------------------------


def test_the_first_hold_is_named_by_the_item_and_later_ones_by_their_generation():
    assert make_item().hold_id == BANNER
    assert make_item(generation=2).hold_id == uuid5(BANNER, "2")


@pytest.mark.parametrize(
    ("attempts", "pause"),
    [(0, 0.5), (1, 0.5), (2, 1), (3, 2), (4, 4), (5, 8), (6, 16), (7, 32), (8, 60), (9, 60), (10**9, 60)],
)
def test_pauses_double_up_to_a_minute(attempts, pause):
    assert moves.backoff(attempts) == seconds(pause)


# --- granted ----------------------------------------------------------------------------------------


def test_a_hold_is_renewed_half_way_to_its_expiry():
    item = make_item(state=S.HOLDING, attempts=3, stuck=True, reason_code="malformed", reason={"detail": "x"})
    after = moves.apply(item, held(item, quote=90, reference="TB-1"), NOON)
    assert after == make_item(
        state=S.HELD,
        hold_expires_at=at(900),
        next_at=at(450),
        give_up_at=at(1800),
        quote_amount=90,
        reference="TB-1",
    )


def test_a_hold_of_a_second_is_renewed_after_half_of_it():
    item = make_item(state=S.HOLDING)
    assert moves.apply(item, held(item, until=1), NOON).next_at == at(0.5)


def test_a_very_short_hold_is_not_renewed_faster_than_lines_are_tried():
    item = make_item(state=S.HOLDING)
    assert moves.apply(item, held(item, until=0.4), NOON).next_at == at(0.5)


@pytest.mark.parametrize("until", [-3600, 0, 0.3])
@pytest.mark.parametrize("say", [held, pending])
def test_a_hold_that_ends_before_it_can_be_used_is_an_attempt_that_failed(until, say):
    item = make_item(state=S.HOLDING, attempts=2)
    after = moves.apply(item, say(item, until=until), NOON)
    assert after.hold_expires_at == at(until)
    assert (after.attempts, after.next_at) == (3, at(2))
    assert after.reason_code == "hold_lost"
    assert after.give_up_at == item.give_up_at


def test_useless_holds_are_given_up_in_the_end_and_given_back():
    item = make_item(state=S.HELD, attempts=5, give_up_at=NOON)
    after = moves.apply(item, held(item, until=0.1), NOON)
    assert (after.state, after.reason_code, after.next_at) == (S.RELEASING, "hold_lost", NOON)


def test_times_beyond_what_the_protocol_knows_are_not_believed():
    item = make_item(state=S.HOLDING)
    last = datetime.max.replace(tzinfo=NOON.tzinfo)
    signal = replace(pending(item), expires_at=last, decision_due_at=last)
    after = moves.apply(item, signal, NOON)
    assert after.hold_expires_at == NOON + timedelta(days=30)
    assert after.decision_due_at == NOON + timedelta(days=366)


def test_a_line_that_names_no_price_leaves_the_one_that_was_known():
    item = make_item(state=S.HOLDING, reference="TB-1")
    after = moves.apply(item, held(item, quote=None), NOON)
    assert (after.quote_amount, after.reference) == (100, "TB-1")


def test_a_renewal_may_raise_the_price():
    item = make_item(state=S.HELD)
    assert moves.apply(item, held(item, quote=130), NOON).awaits_acceptance


# --- decisions --------------------------------------------------------------------------------------


def test_a_pending_hold_is_looked_at_every_half_minute():
    item = make_item(state=S.HOLDING)
    after = moves.apply(item, pending(item), NOON)
    assert (after.state, after.next_at, after.decision_due_at) == (S.PENDING_DECISION, at(30), at(3600))
    assert (after.hold_expires_at, after.give_up_at) == (at(900), at(1800))


def test_a_short_pending_hold_is_looked_at_half_way():
    item = make_item(state=S.HOLDING)
    assert moves.apply(item, pending(item, until=10), NOON).next_at == at(5)


def test_a_line_cannot_move_its_deadline_while_it_is_waited_for():
    item = make_item(state=S.PENDING_DECISION)
    assert moves.apply(item, pending(item, due=9999), NOON).decision_due_at == at(3600)


def test_a_look_that_a_decision_has_overtaken_does_not_undo_it():
    item = make_item(state=S.HELD, decision_due_at=at(3600))
    after = moves.apply(item, pending(item, quote=70), NOON)
    assert after == replace(item, attempts=1, next_at=at(0.5))


def test_a_renewal_after_silence_brings_a_later_expiry_and_the_price_as_it_is_now():
    item = make_item(state=S.HELD, by_silence=True)
    after = moves.apply(item, pending(item, until=1800, quote=130), NOON)
    assert (after.state, after.by_silence) == (S.HELD, True)
    assert (after.hold_expires_at, after.next_at, after.quote_amount) == (at(1800), at(900), 130)


def test_a_yes_after_silence_is_a_yes():
    item = make_item(state=S.HELD, by_silence=True)
    assert not moves.apply(item, held(item), NOON).by_silence


# --- refused and rejected -----------------------------------------------------------------------------


@pytest.mark.parametrize("state", [S.HOLDING, S.PENDING_DECISION, S.HELD, S.CONFIRMING])
def test_a_refusal_is_kept_with_its_reason(state):
    item = make_item(state=state)
    after = moves.apply(item, Refused(item.hold_id, "sold_out", TEXTS), NOON)
    assert (after.state, after.next_at) == (S.REFUSED, None)
    assert (after.reason_code, after.reason) == ("sold_out", TEXTS)


@pytest.mark.parametrize("state", [S.PENDING_DECISION, S.HELD, S.CONFIRMING])
def test_an_error_that_says_refused_is_a_refusal(state):
    item = make_item(state=state)
    after = moves.apply(item, Rejected(item.hold_id, "hold_refused", "no"), NOON)
    assert (after.state, after.next_at, after.reason_code) == (S.REFUSED, None, "refused_by_line")


@pytest.mark.parametrize("code", sorted(moves.REFUSALS))
def test_what_the_line_cannot_hold_is_refused_with_its_words(code):
    item = make_item(state=S.HOLDING)
    after = moves.apply(item, Rejected(item.hold_id, code, "/day: no date"), NOON)
    assert (after.state, after.next_at) == (S.REFUSED, None)
    assert (after.reason_code, after.reason) == (code, {"detail": "/day: no date"})


@pytest.mark.parametrize("code", sorted(moves.LOST))
@pytest.mark.parametrize("state", [S.HOLDING, S.PENDING_DECISION, S.HELD, S.CONFIRMING])
def test_a_lost_hold_is_taken_again_at_once_under_a_new_name(code, state):
    item = make_item(state=state, by_silence=True, escalated=True, attempts=4, stuck=True)
    after = moves.apply(item, Rejected(item.hold_id, code), NOON)
    assert after.hold_id == uuid5(BANNER, "1")
    assert after == make_item(
        state=S.HOLDING,
        generation=1,
        next_at=NOON,
        give_up_at=NOON + moves.HOLD_WINDOW,
        grace_seconds=item.grace_seconds,
    )


def test_holds_that_are_lost_again_and_again_are_taken_ever_more_slowly():
    item = make_item(state=S.HELD)
    pauses = []
    while item.state is not S.RELEASING:
        item = moves.apply(replace(item, state=S.HELD), Rejected(item.hold_id, "hold_lapsed"), NOON)
        assert item.next_at is not None
        pauses.append((item.next_at - NOON).total_seconds())
    assert pauses == [0, 0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60, 0]
    assert item.generation == moves.HOLDS_MOST
    assert item.reason_code == "hold_lost"


@pytest.mark.parametrize("state", [S.HOLDING, S.PENDING_DECISION, S.HELD, S.CONFIRMING])
def test_a_breach_of_contract_is_tried_again_and_remembered(state):
    item = make_item(state=state)
    after = moves.apply(item, Rejected(item.hold_id, "signature_invalid", "no key"), NOON)
    assert after == replace(
        item,
        attempts=1,
        next_at=at(0.5),
        reason_code="signature_invalid",
        reason={"code": "signature_invalid", "detail": "no key"},
    )


def test_a_decision_still_pending_by_the_lines_clock_is_simply_asked_again():
    item = make_item(state=S.CONFIRMING, by_silence=True)
    after = moves.apply(item, Rejected(item.hold_id, "decision_pending", "wait"), NOON)
    assert after == replace(item, attempts=1, next_at=at(0.5))


# --- out of reach -------------------------------------------------------------------------------------


def test_a_line_out_of_reach_is_tried_again_when_it_says():
    item = make_item(state=S.CONFIRMING, attempts=1)
    assert moves.apply(item, Unreachable(item.hold_id, "timeout"), NOON).next_at == at(1)
    assert moves.apply(item, Unreachable(item.hold_id, "busy", at(0.2)), NOON).next_at == at(1)
    assert moves.apply(item, Unreachable(item.hold_id, "status_429", at(99)), NOON).next_at == at(99)


def test_a_line_that_asks_for_an_hour_is_tried_a_last_time_before_it_is_given_up():
    item = make_item(state=S.HOLDING, give_up_at=at(900))
    assert moves.apply(item, Unreachable(item.hold_id, "status_429", at(3600)), NOON).next_at == at(900)
    late = moves.apply(item, Unreachable(item.hold_id, "status_429", at(4500)), at(900))
    assert late.next_at == at(900.5)


@pytest.mark.parametrize("state", [S.HOLDING, S.PENDING_DECISION, S.HELD])
def test_a_line_out_of_reach_for_too_long_is_given_up(state):
    item = make_item(state=state, give_up_at=NOON, attempts=5)
    after = moves.apply(item, Unreachable(item.hold_id, "timeout"), NOON)
    assert (after.state, after.reason_code) == (S.RELEASING, "line_unreachable")
    assert (after.attempts, after.next_at, after.give_up_at) == (0, NOON, None)


@pytest.mark.parametrize(("attempts", "now"), [(4, NOON), (5, at(-0.001))])
def test_no_line_is_given_up_early_or_after_a_few_attempts_only(attempts, now):
    item = make_item(state=S.HOLDING, give_up_at=NOON, attempts=attempts)
    after = moves.apply(item, Unreachable(item.hold_id, "timeout"), now)
    assert (after.state, after.attempts) == (S.HOLDING, attempts + 1)


# --- giving up and giving back --------------------------------------------------------------------------


def test_an_untouched_item_is_released_without_a_call():
    after = moves.release(make_item(), NOON, "cancelled")
    assert (after.state, after.next_at, after.reason_code) == (S.RELEASED, None, "cancelled")


@pytest.mark.parametrize("state", [S.HOLDING, S.PENDING_DECISION, S.HELD])
def test_what_a_line_may_hold_is_given_back(state):
    item = make_item(state=state, attempts=7, stuck=True, reason={"detail": "x"})
    after = moves.release(item, NOON, "cancelled")
    assert (after.state, after.next_at, after.attempts) == (S.RELEASING, NOON, 0)
    assert (after.reason_code, after.reason, after.stuck) == ("cancelled", {}, False)


def test_the_first_reason_to_give_up_is_the_one_that_is_kept():
    item = make_item(state=S.HOLDING, reason_code="signature_invalid")
    assert moves.release(item, NOON, "cancelled").reason_code == "signature_invalid"


@pytest.mark.parametrize("state", sorted(set(S) - {S.DRAFTED, S.HOLDING, S.PENDING_DECISION, S.HELD}))
def test_what_is_final_or_on_its_way_out_cannot_be_released(state):
    item = make_item(state=state)
    assert moves.release(item, NOON, "cancelled") is item


@pytest.mark.parametrize("answer", ["released", "`hold_released`"])
def test_given_back_is_given_back_whichever_call_says_so(answer):
    item = make_item(state=S.RELEASING, reason_code="cancelled", reason={"detail": "x"})
    after = moves.apply(item, answers(item)[answer], NOON)
    assert after == make_item(state=S.RELEASED, reason_code="cancelled")


@pytest.mark.parametrize("code", sorted(moves.EXPIRIES))
def test_what_a_clock_gave_up_has_expired(code):
    item = make_item(state=S.RELEASING, reason_code=code)
    assert moves.apply(item, Released(item.hold_id), NOON).state is S.EXPIRED


def test_a_lapsed_hold_is_still_released_so_that_a_late_call_finds_the_tombstone():
    item = make_item(state=S.RELEASING, reason_code="cancelled")
    after = moves.apply(item, Rejected(item.hold_id, "hold_lapsed"), NOON)
    assert after == replace(item, attempts=1, next_at=at(0.5))


def test_a_faulty_release_keeps_the_reason_why_the_item_was_given_up():
    item = make_item(state=S.RELEASING, reason_code="line_silent")
    after = moves.apply(item, Rejected(item.hold_id, "malformed", "what"), NOON)
    assert (after.reason_code, after.reason["code"]) == ("line_silent", "malformed")


# --- confirmed ------------------------------------------------------------------------------------------


def test_a_confirmed_item_keeps_the_lines_number_and_no_old_trouble():
    item = make_item(state=S.CONFIRMING, reason_code="malformed", reason={"detail": "x"})
    after = moves.apply(item, Confirmed(item.hold_id, "TB-1", 90), NOON)
    assert after == make_item(state=S.CONFIRMED, hold_expires_at=at(900), reference="TB-1", quote_amount=90)


def test_what_was_confirmed_for_more_than_was_accepted_is_not_taken_as_done():
    item = make_item(state=S.CONFIRMING)
    after = moves.apply(item, Confirmed(item.hold_id, "TB-1", 101), NOON)
    assert (after.state, after.next_at) == (S.FAILED_NEEDS_HAND, None)
    assert (after.reason_code, after.quote_amount, after.generation) == ("confirmed_dearer", 101, 0)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (S.HOLDING, "confirmed_unasked"),
        (S.PENDING_DECISION, "confirmed_unasked"),
        (S.HELD, "confirmed_unasked"),
        (S.RELEASING, "hold_confirmed"),
    ],
)
def test_what_the_line_confirmed_by_itself_needs_a_hand(state, code):
    item = make_item(state=state)
    after = moves.apply(item, Confirmed(item.hold_id, "TB-1", 130), NOON)
    assert (after.state, after.next_at, after.reason_code) == (S.FAILED_NEEDS_HAND, None, code)
    assert (after.reference, after.quote_amount) == ("TB-1", 130)


def test_a_release_that_comes_too_late_needs_a_hand():
    item = make_item(state=S.RELEASING, reason_code="cancelled")
    after = moves.apply(item, Rejected(item.hold_id, "hold_confirmed"), NOON)
    assert (after.state, after.next_at, after.reason_code) == (S.FAILED_NEEDS_HAND, None, "hold_confirmed")


def test_after_a_refusal_a_hand_asks_for_a_new_hold_otherwise_for_the_same():
    assert moves.needs_hand(make_item(state=S.REFUSED), "sold_out").generation == 1
    assert moves.needs_hand(make_item(state=S.CONFIRMING), "quote_rose").generation == 0
