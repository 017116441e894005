"""When a schedule is due: whole intervals, business days, and days on which the clocks change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from guanjia.core.clock import Calendar, Hours, Schedule
from guanjia.routines.rhythm import Days, Rhythm

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
WORK = (Hours(540, 1080),)
HOLIDAY, MAKE_UP = date(2026, 10, 1), date(2026, 10, 10)  # a Thursday, a Saturday
OFFICE = Schedule.of(Calendar("Asia/Shanghai", (WORK,) * 5 + ((),) * 2, {HOLIDAY: (), MAKE_UP: WORK}))


def at(text, zone=SHANGHAI):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("minutes", "after", "due"),
    [
        (15, "2026-11-10 12:00", "2026-11-10 12:15"),
        (15, "2026-11-10 12:14", "2026-11-10 12:15"),
        (60, "2026-11-10 23:59", "2026-11-11 00:00"),
    ],
)
def test_an_interval_keeps_to_the_clock(minutes, after, due):
    assert Rhythm(minutes=minutes).next(at(after), SHANGHAI, OFFICE) == at(due)


@pytest.mark.parametrize(
    ("rhythm", "after", "due"),
    [
        (Rhythm(0, 9, 30), "2026-11-10 09:29", "2026-11-10 09:30"),
        (Rhythm(0, 9, 30), "2026-11-10 09:30", "2026-11-11 09:30"),
        (Rhythm(0, 9, 30, Days.BUSINESS), "2026-11-13 09:30", "2026-11-16 09:30"),  # over the weekend
        (Rhythm(0, 9, 30, Days.BUSINESS), "2026-09-30 10:00", "2026-10-02 09:30"),  # over the holiday
        (Rhythm(0, 9, 30, Days.BUSINESS), "2026-10-09 10:00", "2026-10-10 09:30"),  # a make-up Saturday
        (Rhythm(0, 9, 0, Days.SOME, (0, 3)), "2026-11-10 12:00", "2026-11-12 09:00"),
        (Rhythm(0, 9, 0, Days.SOME, (0, 3)), "2026-11-12 12:00", "2026-11-16 09:00"),
    ],
)
def test_a_day_fits_or_the_next_one_is_taken(rhythm, after, due):
    assert rhythm.next(at(after), SHANGHAI, OFFICE) == at(due)


def test_a_time_that_the_clocks_skip_comes_right_after():
    """In Berlin 2026-03-29 goes from 02:00 to 03:00."""
    rhythm = Rhythm(0, 2, 30)
    assert rhythm.next(at("2026-03-28 12:00", BERLIN), BERLIN, OFFICE) == datetime(
        2026, 3, 29, 1, 30, tzinfo=UTC
    )
    assert rhythm.next(datetime(2026, 3, 29, 1, 30, tzinfo=UTC), BERLIN, OFFICE) == at(
        "2026-03-30 02:30", BERLIN
    )


def test_a_time_that_comes_twice_counts_once():
    """In Berlin 2026-10-25 goes from 03:00 back to 02:00."""
    rhythm, first = Rhythm(0, 2, 30), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert rhythm.next(at("2026-10-24 12:00", BERLIN), BERLIN, OFFICE) == first
    assert rhythm.next(first, BERLIN, OFFICE) == at("2026-10-26 02:30", BERLIN)
    assert rhythm.next(first + timedelta(minutes=20), BERLIN, OFFICE) == at("2026-10-26 02:30", BERLIN)


def test_a_year_of_days_has_each_day_once():
    rhythm, now, seen = Rhythm(0, 2, 30), at("2026-01-01 00:00", BERLIN), []
    while now < at("2027-01-01 00:00", BERLIN):
        now = rhythm.next(now, BERLIN, OFFICE)
        seen.append(now.astimezone(BERLIN).date())
    assert seen == [date(2026, 1, 1) + timedelta(days=n) for n in range(366)]


def test_a_rhythm_without_a_day_says_so():
    never = Schedule.of(Calendar("Asia/Shanghai", ((),) * 7))
    with pytest.raises(OverflowError):
        Rhythm(0, 9, 0, Days.BUSINESS).next(at("2026-11-10 12:00"), SHANGHAI, never)
