"""Plans: their order and their dates."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from guanjia.core.clock import Calendar, Hours, Schedule
from guanjia.core.plan import Circle, Step, begun, closes, dates, in_order, opens

ZONE = "Asia/Shanghai"
NINE_TO_SIX = (Hours(540, 720), Hours(780, 1080))


def schedule(days=None):
    week = (NINE_TO_SIX,) * 5 + ((), ())
    special = {date.fromisoformat(day): hours for day, hours in (days or {}).items()}
    return Schedule.of(Calendar(ZONE, week, special))


PLAIN = schedule()


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE))


def test_steps_come_behind_what_they_wait_for_and_else_by_their_keys():
    steps = [Step(1, after=(3,)), Step(2), Step(3, after=(2,)), Step(4)]
    assert [step.key for step in in_order(steps)] == [2, 3, 1, 4]


def test_a_circle_names_its_steps():
    with pytest.raises(Circle) as refused:
        in_order([Step(1), Step(2, after=(3,)), Step(3, after=(2, 1))])
    assert refused.value.keys == (2, 3)
    with pytest.raises(KeyError):
        in_order([Step(1, after=(9,))])


@pytest.mark.parametrize(
    ("begin", "days", "due"),
    [
        ("2026-11-09T10:00", 0, "2026-11-09T18:00"),  # a Monday: today
        ("2026-11-09T18:30", 0, "2026-11-10T18:00"),  # too late for today
        ("2026-11-09T10:00", 2, "2026-11-11T18:00"),
        ("2026-11-13T10:00", 1, "2026-11-16T18:00"),  # over the weekend
        ("2026-11-14T10:00", 1, "2026-11-16T18:00"),  # begun on a Saturday
        ("2026-11-09T12:30", 0, "2026-11-09T18:00"),  # over lunch
    ],
)
def test_a_day_ends_when_it_closes(begin, days, due):
    assert closes(PLAIN, at(begin), days) == at(due)


def test_holidays_are_skipped_and_make_up_workdays_count():
    odd = schedule({"2026-11-11": (), "2026-11-14": NINE_TO_SIX})
    assert closes(odd, at("2026-11-10T10:00"), 1) == at("2026-11-12T18:00")
    assert closes(odd, at("2026-11-13T10:00"), 1) == at("2026-11-14T18:00")


def test_a_lag_begins_when_its_last_day_opens():
    assert opens(PLAIN, at("2026-11-13T15:00"), 0) == at("2026-11-13T15:00")
    assert opens(PLAIN, at("2026-11-13T15:00"), 1) == at("2026-11-16T09:00")
    later = begun(at("2026-11-13T15:00"), PLAIN, lag=1, days=1)
    assert (later.starts_at, later.due_at) == (at("2026-11-16T09:00"), at("2026-11-17T18:00"))


def test_a_plan_waits_for_the_last_of_several():
    steps = [Step(1, days=1), Step(2, days=3), Step(3, after=(1, 2), lag=1, days=0)]
    found = dates(steps, at("2026-11-09T10:00"), PLAIN)
    assert found[1].due_at == at("2026-11-10T18:00")
    assert found[2].due_at == at("2026-11-12T18:00")
    assert (found[3].starts_at, found[3].due_at) == (at("2026-11-13T09:00"), at("2026-11-13T18:00"))


def test_a_calendar_without_working_days_says_so():
    never = Schedule.of(Calendar(ZONE, ((),) * 7))
    for count in (0, 1):
        with pytest.raises(OverflowError):
            closes(never, datetime(2026, 11, 9, tzinfo=UTC), count)
    with pytest.raises(OverflowError):
        opens(never, datetime(2026, 11, 9, tzinfo=UTC), 1)
