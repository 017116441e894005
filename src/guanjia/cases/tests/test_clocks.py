"""What people do, and what it does to the clocks: they stand still, go on, end, warn and break."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from guanjia.cases import actions
from guanjia.cases.actions.acting import act_on_clocks
from guanjia.cases.flows.clocks import ClocksFlow
from guanjia.cases.models import Case, Clock, ClockKind, ClockStatus, Priority, Task, TaskKind
from guanjia.cases.promises import EPOCH, HOUR, HOUSE_RULES, Book, Rule, begin_with, house_book
from guanjia.cases.timing import reading
from guanjia.ledger.models import Event
from guanjia.packages.tests import stories

MINUTES = timedelta(minutes=1)
SHANGHAI_NINE = datetime(2026, 11, 11, 1, tzinfo=UTC)
"""Wednesday, 09:00: the next morning after `noon`."""


@pytest.fixture
def case(cast, noon):
    return stories.a_case(cast, noon)


def by(user, case, now):
    return {"actor": user, "number": case.number, "now": now}


def clock_of(case, kind):
    return case.clocks.filter(kind=kind).order_by("-pk").first()


def due(case):
    case.refresh_from_db()
    return case.due_at


def tell(*kinds):
    found = Event.objects.filter(kind__in=kinds).order_by("pk")
    return [(event.kind, event.payload["clock_kind"]) for event in found]


# --- the promise ----------------------------------------------------------------------------------


def test_a_promise_is_business_time(cast):
    evening = datetime(2026, 11, 13, 9, tzinfo=UTC)  # Friday, 17:00
    case = stories.a_case(cast, evening)
    first = clock_of(case, ClockKind.FIRST_ANSWER)
    assert (first.promised, first.calendar) == (4 * HOUR, "cn")
    assert first.due_at == datetime(2026, 11, 16, 4, tzinfo=UTC)  # an hour on Friday, three on Monday
    assert first.acts_at == datetime(2026, 11, 16, 3, tzinfo=UTC)  # three quarters of it


def test_a_make_up_workday_counts_and_a_holiday_does_not(cast):
    case = stories.a_case(cast, datetime(2026, 9, 30, 9, tzinfo=UTC))  # the evening before seven days off
    assert due(case) == datetime(2026, 10, 8, 4, tzinfo=UTC)
    made_up = stories.a_case(cast, datetime(2026, 10, 10, 1, tzinfo=UTC))  # a Saturday at work
    assert due(made_up) == datetime(2026, 10, 10, 5, tzinfo=UTC)


# --- whose turn it is -----------------------------------------------------------------------------


def test_while_the_merchant_has_to_answer_our_clocks_stand_still(cast, noon, case):
    actions.say(body="请您确认", **by(cast.lin, case, noon))
    actions.wait_for_merchant(days=3, **by(cast.lin, case, noon + 30 * MINUTES))
    ours = clock_of(case, ClockKind.RESOLUTION)
    assert (ours.status, ours.due_at, ours.acts_at) == (ClockStatus.PAUSED, None, None)
    assert due(case) == noon + 30 * MINUTES + timedelta(days=3)
    actions.say(body="可以", **by(cast.mira, case, noon + 160 * MINUTES))
    ours.refresh_from_db()
    assert (ours.status, ours.due_at) == (ClockStatus.RUNNING, noon + timedelta(days=3) + 130 * MINUTES)
    counted = reading(ours, noon + 200 * MINUTES)
    assert (counted.paused, counted.passed, counted.due_at) == (130 * 60, 70 * 60, ours.due_at)
    assert clock_of(case, ClockKind.NEXT_ANSWER).due_at == SHANGHAI_NINE + 40 * MINUTES + timedelta(hours=0)


def test_a_price_that_waits_for_its_yes_is_the_merchants_turn(cast, noon):
    package = stories.dearer(cast, noon)
    ours = clock_of(package.case, ClockKind.RESOLUTION)
    assert ours.status == ClockStatus.PAUSED


def test_what_stood_still_for_another_reason_stays_so(cast, noon, case):
    actions.say(body="好", **by(cast.lin, case, noon))
    kinds = [ClockKind.RESOLUTION]
    assert actions.pause_clocks(case, kinds=kinds, reason="held", now=noon) == 1
    assert actions.pause_clocks(case, kinds=kinds, reason="held", now=noon) == 0
    actions.wait_for_merchant(days=3, **by(cast.lin, case, noon))
    actions.stop_waiting(**by(cast.lin, case, noon + MINUTES))
    assert clock_of(case, ClockKind.RESOLUTION).status == ClockStatus.PAUSED
    assert actions.resume_clocks(case, kinds=kinds, now=noon + 10 * MINUTES) == 1
    assert clock_of(case, ClockKind.RESOLUTION).due_at == noon + timedelta(days=3) + 10 * MINUTES


def test_no_word_moves_the_first_answer_and_the_next_one_has_its_own(cast, noon, case):
    actions.say(body="在吗？", **by(cast.mira, case, noon + 60 * MINUTES))
    assert clock_of(case, ClockKind.FIRST_ANSWER).due_at == noon + timedelta(hours=4)
    assert clock_of(case, ClockKind.NEXT_ANSWER) is None
    actions.say(body="在。", **by(cast.lin, case, noon + 61 * MINUTES))
    actions.say(body="多久？", **by(cast.mira, case, noon + 62 * MINUTES))
    actions.say(body="还在吗？", **by(cast.mira, case, noon + 90 * MINUTES))
    assert clock_of(case, ClockKind.NEXT_ANSWER).due_at == noon + 62 * MINUTES + timedelta(hours=4)
    actions.say(body="三天。", **by(cast.lin, case, noon + 95 * MINUTES))
    next_answer = clock_of(case, ClockKind.NEXT_ANSWER)
    assert (next_answer.status, next_answer.stopped_at) == (ClockStatus.STOPPED, noon + 95 * MINUTES)


# --- the end, and again ---------------------------------------------------------------------------


def test_what_ends_while_it_stands_still_keeps_the_deadline_it_would_have_got(cast, noon, case):
    actions.say(body="好", **by(cast.lin, case, noon))
    actions.wait_for_merchant(days=3, **by(cast.lin, case, noon))
    actions.solve_case(**by(cast.lin, case, noon + 60 * MINUTES))
    ours = clock_of(case, ClockKind.RESOLUTION)
    assert (ours.status, ours.due_at) == (ClockStatus.STOPPED, noon + timedelta(days=3, hours=1))
    assert reading(ours, noon + 90 * MINUTES).kept is True


def test_a_cancelled_clock_is_neither_kept_nor_broken(cast, noon, case):
    assert actions.cancel_clocks(case, now=noon + MINUTES) == 2
    assert {clock.status for clock in case.clocks.all()} == {ClockStatus.CANCELLED}
    assert reading(clock_of(case, ClockKind.RESOLUTION), noon + MINUTES).kept is None


def test_a_reset_gives_the_whole_promise_again(cast, noon, case):
    actions.reset_clocks(case, kinds=[ClockKind.FIRST_ANSWER], now=noon + 60 * MINUTES)
    assert clock_of(case, ClockKind.FIRST_ANSWER).due_at == noon + timedelta(hours=5)


def test_another_priority_is_another_promise_and_keeps_what_has_passed(cast, noon, case):
    urgent = Rule({ClockKind.FIRST_ANSWER: HOUR}, priority=Priority.URGENT)
    begin_with(Book(house_book().calendars, ((EPOCH, (urgent, *HOUSE_RULES)),)), seconds=60)
    Case.objects.filter(pk=case.pk).update(priority=Priority.URGENT)
    case.refresh_from_db()
    assert actions.retarget_clocks(case, noon + 90 * MINUTES) == 1
    first = clock_of(case, ClockKind.FIRST_ANSWER)
    assert (first.due_at, first.target, first.promised) == (noon + timedelta(hours=1), HOUR, 4 * HOUR)
    assert act_on_clocks(now=noon + 90 * MINUTES) >= noon
    first.refresh_from_db()
    assert first.breached_at == noon + 90 * MINUTES


def test_after_a_hand_over_the_new_owner_owes_it_and_a_line_its_own(cast, noon):
    package = stories.pending(cast, noon)
    assert actions.reown_clocks(package.case, cast.wei, noon) == 2
    owners = dict(package.case.clocks.values_list("kind", "owner"))
    assert owners == {"first_answer": cast.wei.pk, "resolution": cast.wei.pk, "line_decision": cast.otto.pk}


def test_one_case_keeps_several_words_given(cast, noon, case):
    for hours in (1, 2):
        item = actions.AboutItem(None, uuid4())
        due_at = noon + timedelta(hours=hours)
        about = {"kind": ClockKind.FOLLOW_UP, "owner": cast.lin, "about": item}
        actions.start_clock(case=case, now=noon, due_at=due_at, **about)
    assert (case.clocks.filter(kind=ClockKind.FOLLOW_UP).count(), due(case)) == (2, noon + timedelta(hours=1))


# --- clocks act -----------------------------------------------------------------------------------


def test_a_clock_warns_once_and_breaks_once(cast, noon, case):
    assert act_on_clocks(now=noon + 179 * MINUTES) > noon + 179 * MINUTES
    assert tell("cases.clock_warned") == []
    for _ in range(2):
        act_on_clocks(now=noon + 180 * MINUTES)
    assert tell("cases.clock_warned") == [("cases.clock_warned", "first_answer")]
    act_on_clocks(now=noon + 240 * MINUTES)  # to the second, it can still be kept
    assert tell("cases.clock_breached") == []
    for _ in range(2):
        act_on_clocks(now=noon + 240 * MINUTES + timedelta(seconds=1))
    assert tell("cases.clock_breached") == [("cases.clock_breached", "first_answer")]
    [task] = Task.objects.filter(case=case)
    assert (task.kind, task.assignee, task.detail) == (TaskKind.BROKEN_PROMISE, cast.wei, "first_answer")


def test_a_late_answer_ends_what_its_lateness_began(cast, noon, case):
    late = noon + timedelta(hours=5)
    act_on_clocks(now=late)
    actions.say(body="抱歉，来晚了。", **by(cast.lin, case, late + MINUTES))
    [task] = Task.objects.filter(case=case)
    assert task.done_at == late + MINUTES
    assert reading(clock_of(case, ClockKind.FIRST_ANSWER), late + 2 * MINUTES).kept is False


def test_the_silence_of_a_merchant_or_of_a_line_is_told_and_blames_nobody_here(cast, noon):
    package = stories.pending(cast, noon)
    Clock.objects.exclude(kind=ClockKind.LINE_DECISION).update(acts_at=None)
    act_on_clocks(now=noon + timedelta(days=1))
    assert tell("cases.clock_breached") == [("cases.clock_breached", "line_decision")]
    [event] = Event.objects.filter(kind="cases.clock_breached")
    assert (event.payload["line"], event.payload["owner"]) == ("display-slots", cast.otto.pk)
    assert not Task.objects.filter(case=package.case, kind=TaskKind.BROKEN_PROMISE).exists()


def test_a_paused_clock_does_not_act(cast, noon, case):
    actions.say(body="好", **by(cast.lin, case, noon))
    actions.pause_clocks(case, kinds=[ClockKind.RESOLUTION], reason="held", now=noon)
    act_on_clocks(now=noon + timedelta(days=30))
    assert tell("cases.clock_warned", "cases.clock_breached") == []


def test_many_due_at_once_are_told_in_turns_and_the_flow_knows_when_to_look(cast, noon):
    for _ in range(3):
        stories.a_case(cast, noon)
    late = noon + timedelta(hours=5)
    assert act_on_clocks(now=late, most=2) == late
    [turn] = ClocksFlow().settle([(1, ())], late)
    assert (turn.key, turn.calls, len(tell("cases.clock_breached"))) == (1, (), 3)
    assert turn.wake_at is not None
    assert late < turn.wake_at <= late + timedelta(seconds=10)
