"""A lead's calendars and promises: a second version never rewrites the past."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from guanjia.base.errors import BadInput, Forbidden
from guanjia.base.sql import run
from guanjia.cases.actions.calendars import publish_calendar, publish_promises
from guanjia.cases.actions.recounting import recount_clocks
from guanjia.cases.flows.clocks import RecountFlow
from guanjia.cases.models import CalendarVersion, Clock, ClockKind, PromiseVersion
from guanjia.cases.promises import HOUR, About, Rule, book
from guanjia.packages.tests import stories

NINE_TO_SIX = [[540, 1080]]
LONG_DAYS = [[480, 1200]]
WEEK = [NINE_TO_SIX] * 5 + [[], []]
HOURS = timedelta(hours=1)
WEDNESDAY = datetime(2026, 11, 10, 16, tzinfo=UTC)
"""Its midnight in Shanghai; `noon` is the Tuesday before."""


def edited(cast, now, **more):
    about = {"code": "cn", "name": "工作日", "zone": "Asia/Shanghai", "week": [LONG_DAYS] * 5 + [[], []]}
    return publish_calendar(
        **{"actor": cast.wei, **about, "days": {}, "since": WEDNESDAY, "now": now, **more}
    )


def dues(case):
    return dict(case.clocks.values_list("kind", "due_at"))


def test_an_edit_moves_what_is_still_to_come_and_nothing_else(cast, noon):
    case = stories.a_case(cast, noon)
    before = dues(case)
    assert edited(cast, noon).version == 1
    assert recount_clocks(now=noon).moved == 1
    after = dues(case)
    assert after["first_answer"] == before["first_answer"]
    # Six hours on Tuesday as before, then twelve on Wednesday from eight, and nine on Thursday.
    assert after["resolution"] == datetime(2026, 11, 12, 9, tzinfo=UTC)
    case.refresh_from_db()
    assert recount_clocks(now=noon).seen == 0


def test_a_recount_goes_on_where_it_stopped_and_the_flow_does_it_all(cast, noon):
    cases = [stories.a_case(cast, noon) for _ in range(3)]
    edited(cast, noon)
    first = recount_clocks(now=noon, most=2)
    assert (first.seen, first.done) == (2, False)
    [turn] = RecountFlow().settle([(1, ())], noon)
    assert turn.wake_at is None
    assert {dues(case)["resolution"] for case in cases} == {datetime(2026, 11, 12, 9, tzinfo=UTC)}


def test_everything_is_counted_from_history_if_asked(cast, noon):
    case = stories.a_case(cast, noon)
    before = dues(case)
    Clock.objects.filter(case=case).update(due_at=noon, remaining=1)  # something has gone wrong
    progress = recount_clocks(now=noon + HOURS, everything=True)
    assert (progress.moved, dues(case)) == (2, before)


def test_a_day_off_by_the_form_moves_a_paused_clock_when_it_goes_on(cast, noon):
    edited(cast, noon, week=WEEK, days={"2026-11-11": []})
    case = stories.a_case(cast, noon + 5 * HOURS)  # 17:00 on Tuesday; Wednesday is off
    assert dues(case)["first_answer"] == datetime(2026, 11, 12, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    "wrong",
    [
        {"zone": "Mars/Phobos"},
        {"week": [[[600, 500]]] * 7},
        {"week": [[]] * 7},
        {"week": [NINE_TO_SIX] * 6},
        {"days": {"2026-13-01": []}},
        {"since": datetime(2026, 11, 10, 4, 0, 30, tzinfo=UTC)},
        {"name": ""},
    ],
    ids=["no such zone", "backwards", "never open", "six days", "no such day", "too soon", "no name"],
)
def test_an_unsound_calendar_is_refused(cast, noon, unchanged, wrong):
    with unchanged(), pytest.raises(BadInput):
        edited(cast, noon, **wrong)


def test_only_a_lead_edits_and_no_version_is_changed_afterwards(cast, noon, unchanged):
    with unchanged(), pytest.raises(Forbidden):
        edited(cast, noon, actor=cast.lin)
    version = edited(cast, noon)
    with unchanged(), pytest.raises(BadInput):
        edited(cast, noon)  # not at the same instant
    for statement in ("UPDATE cases_calendarversion SET zone = 'UTC'", "DELETE FROM cases_calendarversion"):
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
            run(statement)
    assert CalendarVersion.objects.get().pk == version.pk


def test_new_promises_hold_for_what_begins_after_them(cast, noon):
    before = stories.a_case(cast, noon)
    wide, narrow = (
        Rule({ClockKind.FIRST_ANSWER: 2 * HOUR}),
        Rule({ClockKind.FIRST_ANSWER: HOUR}, tier="person"),
    )
    rules = [wide, narrow]  # whoever writes the exception last still means it
    publish_promises(actor=cast.wei, rules=rules, since=noon + HOURS, now=noon)
    still, after = stories.a_case(cast, noon + 59 * timedelta(minutes=1)), stories.a_case(cast, noon + HOURS)
    assert dues(before)["first_answer"] == noon + 4 * HOURS
    assert dues(still)["first_answer"] == noon + timedelta(minutes=59) + 4 * HOURS
    assert dues(after)["first_answer"] == noon + 2 * HOURS
    assert dues(after)["resolution"] == noon + HOURS + timedelta(hours=72)  # what no row says, the house does
    for_pools = book().promise(ClockKind.FIRST_ANSWER, About(tier="pool", pool=7), noon + HOURS)
    assert for_pools is not None
    assert for_pools.seconds == 2 * HOUR


@pytest.mark.parametrize(
    "rule",
    [
        Rule({}),
        Rule({ClockKind.FIRST_ANSWER: 5}),
        Rule({ClockKind.MERCHANT_ANSWER: HOUR}),
        Rule({ClockKind.FIRST_ANSWER: HOUR}, calendar="mars"),
        Rule({ClockKind.FIRST_ANSWER: HOUR}, warn_share=100),
    ],
)
def test_an_unsound_promise_is_refused(cast, noon, unchanged, rule):
    with unchanged(), pytest.raises(BadInput):
        publish_promises(actor=cast.wei, rules=[rule], since=noon + HOURS, now=noon)
    assert not PromiseVersion.objects.exists()
