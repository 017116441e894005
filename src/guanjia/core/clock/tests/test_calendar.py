"""Calendars against an oracle that asks of every minute whether it is open."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guanjia.core.clock import Calendar, Hours, Schedule

MORNING, AFTERNOON = Hours(9 * 60, 12 * 60), Hours(13 * 60 + 30, 18 * 60)
OFFICE = (*[(MORNING, AFTERNOON)] * 5, (), ())
HOLIDAY, MADE_UP = date(2026, 10, 1), date(2026, 10, 10)
SHANGHAI = Calendar("Asia/Shanghai", OFFICE, {HOLIDAY: (), MADE_UP: (MORNING, AFTERNOON)})
"""1 October is a holiday; Saturday the 10th is worked for it."""
ALWAYS = tuple([(Hours(0, 1440),)] * 7)
HOUR = 3600


def at(text, zone="Asia/Shanghai"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def is_open(calendar, instant):
    """Slow and plain: the local reading of this one instant."""
    local = instant.astimezone(ZoneInfo(calendar.zone))
    minute = local.hour * 60 + local.minute
    return any(h.start <= minute < h.end for h in calendar.hours_on(local.date()))


def slow_elapsed(calendar, start, end):
    minutes, instant = 0, start
    while instant < end:
        minutes += is_open(calendar, instant)
        instant += timedelta(minutes=1)
    return minutes * 60


def slow_due(calendar, start, minutes):
    instant = start
    while minutes:
        minutes -= is_open(calendar, instant)
        instant += timedelta(minutes=1)
    return instant


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-11-10 09:00", 3, "2026-11-10 12:00"),
        ("2026-11-10 11:00", 2, "2026-11-10 14:30"),
        ("2026-11-10 16:00", 3, "2026-11-11 10:00"),
        ("2026-11-13 17:00", 2, "2026-11-16 10:00"),
        ("2026-09-30 17:00", 2, "2026-10-02 10:00"),
        ("2026-10-09 17:00", 2, "2026-10-10 10:00"),
        ("2026-11-14 12:00", 7.5, "2026-11-16 18:00"),
    ],
    ids=["a morning", "lunch", "overnight", "weekend", "holiday", "make-up workday", "until it closes"],
)
def test_a_deadline_counts_open_hours_only(start, hours, due):
    schedule = Schedule.of(SHANGHAI)
    assert schedule.due(at(start), int(hours * HOUR)) == at(due)
    assert schedule.elapsed(at(start), at(due)) == hours * HOUR


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("America/New_York", "2026-03-08", 23),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Africa/Cairo", "2026-04-24", 23),
        ("Asia/Shanghai", "2026-03-29", 24),
    ],
)
def test_a_day_is_as_long_as_it_is(zone, day, hours):
    schedule = Schedule.of(Calendar(zone, ALWAYS))
    midnight = at(f"{day} 00:00", zone)
    after = at((date.fromisoformat(day) + timedelta(days=1)).isoformat() + " 00:00", zone)
    assert schedule.elapsed(midnight.astimezone(UTC), after.astimezone(UTC)) == hours * HOUR


def test_opening_in_the_hour_that_is_skipped_means_where_the_clock_goes_on():
    week = tuple([(Hours(150, 240),)] * 7)  # 02:30 to 04:00
    schedule = Schedule.of(Calendar("Europe/Berlin", week))
    assert schedule.elapsed(at("2026-03-29 00:00", "UTC"), at("2026-03-29 12:00", "UTC")) == HOUR


def test_an_edit_changes_what_is_to_come_and_nothing_before():
    shorter = Calendar("Asia/Shanghai", (*[(MORNING,)] * 5, (), ()))
    edited = Schedule(((at("2026-01-01 00:00"), SHANGHAI), (at("2026-11-11 00:00"), shorter)))
    assert edited.elapsed(at("2026-06-09 00:00"), at("2026-06-10 00:00")) == 7.5 * HOUR
    assert edited.elapsed(at("2026-11-10 00:00"), at("2026-11-11 00:00")) == 7.5 * HOUR
    assert edited.elapsed(at("2026-11-11 00:00"), at("2026-11-12 00:00")) == 3 * HOUR
    assert edited.due(at("2026-11-10 17:00"), 5 * HOUR) == at("2026-11-12 10:00")


def test_nothing_passes_backwards_and_no_time_is_due_at_once():
    schedule, noon = Schedule.of(SHANGHAI), at("2026-11-10 12:30")
    assert schedule.elapsed(noon, noon - timedelta(days=3)) == 0
    assert schedule.due(noon, 0) == noon


def test_a_calendar_that_never_opens_has_no_deadline():
    with pytest.raises(OverflowError, match="too little open time"):
        Schedule.of(Calendar("UTC", ((),) * 7)).due(at("2026-11-10 12:00"), 1)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Hours(600, 600),
        lambda: Hours(0, 1441),
        lambda: Calendar("UTC", ((),) * 6),
        lambda: Calendar("UTC", ((AFTERNOON, MORNING), *((),) * 6)),
        lambda: Calendar("UTC", ((),) * 7, {HOLIDAY: (MORNING, Hours(600, 800))}),
        lambda: Calendar("Mars/Olympus", ((),) * 7),
        lambda: Schedule(()),
        lambda: Schedule(((at("2026-01-02 00:00"), SHANGHAI), (at("2026-01-01 00:00"), SHANGHAI))),
    ],
)
def test_what_cannot_be_a_calendar_is_refused(wrong):
    with pytest.raises(ValueError, match=r"expected|seven|overlap|zone|needs|order"):
        wrong()


hours = st.lists(st.integers(0, 1440), min_size=0, max_size=6, unique=True).map(
    lambda edges: tuple(Hours(a, b) for a, b in zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)
FROM = date(2026, 3, 1)
zones = st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
calendars = st.builds(
    Calendar,
    zone=zones,
    week=st.lists(hours, min_size=7, max_size=7).map(tuple),
    days=st.dictionaries(st.integers(0, 60).map(lambda n: FROM + timedelta(days=n)), hours, max_size=6),
)
# Around the days on which the clocks change in spring and in autumn, north and south.
instants = st.builds(
    lambda base, minutes: base + timedelta(minutes=minutes),
    st.sampled_from(
        [
            datetime(2026, 3, 7, tzinfo=UTC),
            datetime(2026, 3, 28, tzinfo=UTC),
            datetime(2026, 4, 4, tzinfo=UTC),
            datetime(2026, 10, 24, tzinfo=UTC),
        ]
    ),
    st.integers(0, 4 * 1440),
)


def skips_or_repeats(calendar, start, end):
    zone = ZoneInfo(calendar.zone)
    return start.astimezone(zone).utcoffset() != end.astimezone(zone).utcoffset()


@given(calendars, instants, st.integers(0, 2 * 1440))
def test_elapsed_agrees_with_asking_every_minute(calendar, start, minutes):
    end = start + timedelta(minutes=minutes)
    fast, slow = Schedule.of(calendar).elapsed(start, end), slow_elapsed(calendar, start, end)
    if skips_or_repeats(calendar, start, end):
        # An hour that comes twice is open twice to the oracle, which reads the wall; hours that begin or
        # end in it are open once to us. They differ by no more than that hour.
        assert abs(fast - slow) <= HOUR
    else:
        assert fast == slow


@given(calendars, instants, st.integers(0, 8 * 60))
def test_a_deadline_is_the_first_instant_by_which_enough_has_passed(calendar, start, minutes):
    schedule = Schedule.of(calendar)
    try:
        due = schedule.due(start, minutes * 60)
    except OverflowError:
        assert not any(calendar.week)
        return
    assert schedule.elapsed(start, due) == minutes * 60
    assert due == start or schedule.elapsed(start, due - timedelta(seconds=1)) == minutes * 60 - 1
    if due - start < timedelta(days=9) and not skips_or_repeats(calendar, start, due):
        assert due == slow_due(calendar, start, minutes)
