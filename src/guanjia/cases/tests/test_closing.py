"""The end of a case and its return; what words do to waits; what is kept of what was not sent."""

import pytest
from django.utils import timezone

from guanjia.base.errors import BadInput, Forbidden, Missing
from guanjia.base.idempotency import KeyReused
from guanjia.cases import actions
from guanjia.cases.models import CaseState, ClockKind, Draft, Message
from guanjia.cases.rules import (
    AlreadySolved,
    AnsweredMeanwhile,
    NotSolved,
    NotWaiting,
    StillRunning,
    WaitsAlready,
)
from guanjia.packages.tests import stories


@pytest.fixture
def case(cast, noon):
    return stories.a_case(cast, noon)


def by(user, case, now):
    return {"actor": user, "number": case.number, "now": now}


def running(case):
    found = case.clocks.filter(stopped_at=None).order_by("due_at")
    return [clock.kind for clock in found]


def test_solving_stops_every_clock_and_reopening_starts_them_anew(cast, noon, case):
    actions.solve_case(**by(cast.lin, case, noon))
    case.refresh_from_db()
    assert (case.state, case.solved_at, case.due_at, running(case)) == (CaseState.SOLVED, noon, None, [])
    with pytest.raises(AlreadySolved):
        actions.solve_case(**by(cast.lin, case, noon))
    actions.reopen_case(**by(cast.lin, case, noon))
    case.refresh_from_db()
    assert (case.state, case.solved_at) == (CaseState.OPEN, None)
    assert running(case) == [ClockKind.RESOLUTION]
    with pytest.raises(NotSolved):
        actions.reopen_case(**by(cast.lin, case, noon))
    told = list(Message.objects.filter(case=case).order_by("pk").values_list("notice__kind", flat=True))
    assert told == ["case_solved", "case_reopened"]


def test_a_case_with_a_running_package_is_not_solved(cast, noon, unchanged):
    package = stories.pending(cast, noon)
    with unchanged(), pytest.raises(StillRunning, match=package.number):
        actions.solve_case(**by(cast.lin, package.case, noon))


def test_the_merchants_word_brings_a_solved_case_back(cast, noon, case):
    actions.solve_case(**by(cast.lin, case, noon))
    actions.say(body="还有一件", **by(cast.mira, case, noon))
    case.refresh_from_db()
    assert case.state == CaseState.OPEN
    assert running(case) == [ClockKind.NEXT_ANSWER, ClockKind.RESOLUTION]


def test_a_note_or_a_reply_leaves_a_solved_case_solved(cast, noon, case):
    actions.solve_case(**by(cast.lin, case, noon))
    actions.say(body="不客气", **by(cast.lin, case, noon))
    actions.say(body="好评", internal=True, **by(cast.lin, case, noon))
    case.refresh_from_db()
    assert case.state == CaseState.SOLVED


def test_a_wait_for_the_merchant_ends_with_its_word_or_by_hand(cast, noon, case):
    for end in (
        lambda: actions.say(body="可以", **by(cast.mira, case, noon)),
        lambda: actions.stop_waiting(**by(cast.lin, case, noon)),
    ):
        actions.wait_for_merchant(days=3, **by(cast.lin, case, noon))
        case.refresh_from_db()
        assert case.state == CaseState.WAITING_MERCHANT
        with pytest.raises(WaitsAlready):
            actions.wait_for_merchant(days=3, **by(cast.lin, case, noon))
        end()
        case.refresh_from_db()
        assert case.state == CaseState.OPEN
    with pytest.raises(NotWaiting):
        actions.stop_waiting(**by(cast.lin, case, noon))


def test_words_are_no_yes_to_a_price(cast, noon, unchanged):
    case = stories.dearer(cast, noon).case
    actions.say(body="有点贵", **by(cast.mira, case, noon))
    assert ClockKind.MERCHANT_ANSWER in running(case)
    with unchanged(), pytest.raises(NotWaiting):
        actions.stop_waiting(**by(cast.lin, case, noon))


@pytest.mark.parametrize("days", [0, -1, 31])
def test_a_wait_has_bounds(cast, noon, case, unchanged, days):
    with unchanged(), pytest.raises(BadInput):
        actions.wait_for_merchant(days=days, **by(cast.lin, case, noon))


def test_strangers_close_nothing_and_merchants_do_not_make_us_wait(cast, noon, case, unchanged):
    with unchanged():
        for act in (actions.solve_case, actions.reopen_case, actions.stop_waiting):
            with pytest.raises(Missing):
                act(**by(cast.mo, case, noon))
        with pytest.raises(Missing):
            actions.be_present(writing=False, **by(cast.mo, case, noon))
        with pytest.raises(Forbidden):
            actions.wait_for_merchant(days=3, **by(cast.mira, case, noon))


# --- words ----------------------------------------------------------------------------------------


def test_one_key_says_one_thing_once(cast, noon, case):
    first, again = (actions.say(body="好", idempotency_key="k", **by(cast.lin, case, noon)) for _ in range(2))
    assert first.pk == again.pk
    with pytest.raises(KeyReused):
        actions.say(body="不好", idempotency_key="k", **by(cast.lin, case, noon))


def test_who_has_not_read_the_newest_word_is_told(cast, noon, case, unchanged):
    seen = actions.say(body="一", **by(cast.mira, case, noon)).pk
    newer = actions.say(body="二", **by(cast.mira, case, noon)).pk
    with unchanged(), pytest.raises(AnsweredMeanwhile):
        actions.say(body="答一", seen=seen, **by(cast.lin, case, noon))
    actions.say(body="答二", seen=newer, **by(cast.lin, case, noon))
    actions.say(body="再答", seen=newer, **by(cast.lin, case, noon))  # one's own word is no news


def test_a_draft_is_gone_when_it_is_sent_and_only_that_one(cast, noon, case):
    for internal in (False, True):
        actions.save_draft(internal=internal, body="半句", **by(cast.lin, case, noon))
    actions.say(body="一句", idempotency_key="k", **by(cast.lin, case, noon))
    assert [draft.internal for draft in Draft.objects.all()] == [True]
    late = actions.save_draft(internal=False, body="半", idempotency_key="k", **by(cast.lin, case, noon))
    assert late is None
    assert actions.save_draft(internal=True, body="", **by(cast.lin, case, noon)) is None
    assert not Draft.objects.exists()


def test_a_merchant_drafts_no_notes(cast, noon, case, unchanged):
    with unchanged(), pytest.raises(Forbidden):
        actions.save_draft(internal=True, body="半句", **by(cast.mira, case, timezone.now()))


# --- views ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"name": "x" * 41}, {"base": "all"}, {"line": "nowhere"}, {"words": "x" * 61}]
)
def test_a_bad_view_is_not_saved(cast, noon, unchanged, wrong):
    about = {"actor": cast.lin, "name": "双11", "base": "mine", "now": noon}
    with unchanged(), pytest.raises(BadInput):
        actions.save_view(**{**about, **wrong})


def test_a_view_has_a_name_of_its_own_and_a_team_one_works_in(cast, noon, unchanged):
    about = {"actor": cast.lin, "base": "mine", "now": noon}
    actions.save_view(name="双11", **about)
    with unchanged():
        with pytest.raises(BadInput):
            actions.save_view(name="双11", **about)
        with pytest.raises(Missing):
            actions.save_view(name="双12", team=99, **about)
