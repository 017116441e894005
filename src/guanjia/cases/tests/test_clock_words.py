"""The clocks of cases against an oracle that lives through their minutes one by one: deadlines, what has
passed, and the numbers in the words, over random lives with calendar edits, priorities and merges.

The oracle shares no code with what it checks: it asks the zone what a minute is called on the wall, and
counts.
"""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from guanjia.cases import workdays
from guanjia.cases.explaining import account, lasting
from guanjia.cases.models import Clock, ClockStatus
from guanjia.cases.promises import Book, Counting, begin_with, house_book
from guanjia.cases.timing import count, entry
from guanjia.core.clock import Calendar, Hours, Schedule

MINUTE = timedelta(minutes=1)
SPLIT = (Hours(540, 720), Hours(780, 1080))
NIGHT = (Hours(0, 180), Hours(1320, 1440))
WORLDS = {
    # Where a life begins, and what is odd there: seven days off and a Saturday at work, the hour that does
    # not exist, the hour that comes twice, a day border.
    "national day": ("Asia/Shanghai", datetime(2026, 9, 30, 6, tzinfo=UTC), workdays.shipped()),
    "spring forward": (
        "Europe/Berlin",
        datetime(2026, 3, 28, 20, tzinfo=UTC),
        Calendar("Europe/Berlin", (NIGHT,) * 7, {date(2026, 3, 30): ()}),
    ),
    "fall back": (
        "America/New_York",
        datetime(2026, 11, 1, 2, tzinfo=UTC),
        Calendar("America/New_York", (NIGHT,) * 7, {date(2026, 11, 2): SPLIT}),
    ),
}
EDITED = {
    "national day": Calendar("Asia/Shanghai", (SPLIT,) * 5 + ((),) * 2, {date(2026, 10, 8): ()}),
    "spring forward": Calendar("Europe/Berlin", (SPLIT,) * 7),
    "fall back": Calendar("America/New_York", (SPLIT,) * 6 + ((),)),
}
STEPS = st.lists(
    st.tuples(st.sampled_from(["pause", "resume", "reset", "target", "wait"]), st.integers(0, 1500)),
    max_size=6,
)
ENDS = st.sampled_from(["", "stopped", "cancelled"])  # a merged case's clocks are cancelled


class Oracle:
    """Lives from minute to minute. `edit` is the minute at which the second calendar takes over."""

    def __init__(self, zone, first, second, edit):
        self.zone, self.calendars, self.edit = ZoneInfo(zone), (first, second), edit
        self.passed = self.paused = 0

    def open(self, at):
        calendar = self.calendars[at >= self.edit]
        wall = at.astimezone(self.zone)
        hours = calendar.days[wall.date()] if wall.date() in calendar.days else calendar.week[wall.weekday()]
        minute = wall.hour * 60 + wall.minute
        return any(span.start <= minute < span.end for span in hours)

    def live(self, at, minutes, running):
        for _ in range(minutes):
            if self.open(at):
                self.passed += running
                self.paused += not running
            at += MINUTE
        return at

    def due(self, at, left):
        """The end of the open minute in which nothing is left any more."""
        while left > 0:
            left -= self.open(at)
            at += MINUTE
        return at


def known(world, edit):
    zone, _start, first = WORLDS[world]
    versions = ((datetime(1970, 1, 1, tzinfo=UTC), first), (edit, EDITED[world]))
    calendars = {**house_book().calendars, "world": Counting(Schedule(versions), (0, 1), ("", ""))}
    begin_with(Book(calendars), seconds=3600)
    return Oracle(zone, first, EDITED[world], edit)


def lived(world, target, steps, end, edit_after):
    """A clock and the oracle after the same life; and when it is over."""
    start = WORLDS[world][1]
    oracle = known(world, start + edit_after * MINUTE)
    clock = Clock(calendar="world", promised=target * 60, started_at=start, history=[])
    at, running = start, True
    count(clock, at)
    for verb, minutes in steps:
        at = oracle.live(at, minutes, running)
        did = {"pause": "paused", "resume": "resumed", "reset": "reset", "target": "target_set"}.get(verb)
        if did is None or (verb == "pause" and not running) or (verb == "resume" and running):
            continue
        if verb == "target":
            target = minutes + 1
        running = verb != "pause" and (running or verb != "target")
        oracle.passed = 0 if verb == "reset" else oracle.passed
        clock.history.append(entry(at, did, why="merchant", target=target * 60 if verb == "target" else None))
        count(clock, at)
    if end:
        clock.status, clock.stopped_at = ClockStatus(end), at
        count(clock, at)
    return clock, oracle, at, running, target


@pytest.mark.parametrize("world", sorted(WORLDS))
@settings(max_examples=60, deadline=None)
@given(target=st.integers(1, 1200), steps=STEPS, end=ENDS, edit_after=st.integers(0, 6000))
def test_a_life_is_counted_minute_by_minute(world, target, steps, end, edit_after):
    clock, oracle, at, running, target = lived(world, target, steps, end, edit_after)
    told = account(clock, at, merchant=False).reading
    assert (told.passed, told.paused) == (oracle.passed * 60, oracle.paused * 60)
    assert told.left == (target - oracle.passed) * 60
    if end:
        assert told.kept == (None if end == "cancelled" else oracle.passed <= target)
    elif not running:
        assert (clock.status, clock.due_at) == (ClockStatus.PAUSED, None)
    elif oracle.passed < target:
        assert clock.due_at == oracle.due(at, target - oracle.passed)
    else:
        assert clock.due_at <= at


SPOKEN = re.compile(r"(?:(\d+) (?:小时|hours?))?\s*(?:(\d+) (?:分钟|minutes?))|(\d+) (?:小时|hours?)")


def minutes_in(text):
    """Every duration that a text speaks of, in minutes; one under a minute is 0."""
    text = re.sub(r"不到 1 分钟|[Ll]ess than a minute|under a minute|<1 minute", "0 分钟", text)
    return [int(a or c or 0) * 60 + int(b or 0) for a, b, c in SPOKEN.findall(text)]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@settings(max_examples=60, deadline=None)
@given(target=st.integers(1, 1200), steps=STEPS, end=ENDS, edit_after=st.integers(0, 6000))
def test_the_words_say_the_numbers(language, target, steps, end, edit_after):
    clock, oracle, at, running, target = lived("national day", target, steps, end, edit_after)
    with translation.override(language):
        staff, merchant = (account(clock, at, merchant=reader) for reader in (False, True))
    for reader in (staff, merchant):
        for step in reader.steps:
            assert step.seconds // 60 in minutes_in(step.text), step.text
    assert [s.seconds for s in staff.steps] == [s.seconds for s in merchant.steps]
    spoken = minutes_in(staff.said)
    assert oracle.passed in spoken
    assert target in spoken or end == "cancelled"
    if not end:
        assert abs(target - oracle.passed) in spoken
        assert bool(staff.why) is not running
    goes_on = [s.seconds for s in staff.steps if re.search("接着走|Goes on", s.text)]
    if running and "reset" not in [verb for verb, _ in steps] and not end:
        assert sum(goes_on) == oracle.paused * 60


def test_a_pause_is_told_to_either_side_in_its_own_words():
    start = datetime(2026, 11, 10, 4, tzinfo=UTC)
    clock = Clock(calendar="cn", promised=4 * 3600, started_at=start)
    clock.history = [
        entry(start + 30 * MINUTE, "paused", why="merchant"),
        entry(start + 160 * MINUTE, "resumed"),
    ]
    count(clock, start + 160 * MINUTE)
    mine = account(clock, start + 170 * MINUTE, merchant=True)
    assert mine.steps[2].text == "接着走；停了 2 小时 10 分钟，因为在等您确认。"
    assert account(clock, start, merchant=False).said == "承诺 4 小时，已用 0 分钟，还剩 4 小时。"
    assert mine.said == "承诺 4 小时，已用 40 分钟，还剩 3 小时 20 分钟。"
    with translation.override("en"):
        words = account(clock, start + 170 * MINUTE, merchant=False).steps[2].text
    assert words == "Goes on; paused for 2 hours 10 minutes because the merchant has to answer."


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 分钟"), (59, "不到 1 分钟"), (60, "1 分钟"), (3600, "1 小时"), (97260, "27 小时 1 分钟")],
)
def test_a_time_of_work_is_never_told_in_days(seconds, text):
    assert lasting(seconds) == text
