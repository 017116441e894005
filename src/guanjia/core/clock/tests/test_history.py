"""Clocks against an oracle that lives through every minute of their history."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guanjia.core.clock import (
    Calendar,
    Cancelled,
    ClockFault,
    Event,
    Hours,
    Paused,
    Reset,
    Resumed,
    Schedule,
    Started,
    Status,
    Stopped,
    TargetSet,
    read,
)

NINE = datetime(2026, 11, 10, 1, tzinfo=UTC)
"""Tuesday, 09:00 in Shanghai."""
MINUTE, HOUR = 60, 3600
DAYTIME = Calendar("Asia/Shanghai", (*[(Hours(540, 720), Hours(810, 1080))] * 5, (), ()))
OPEN = Schedule.of(DAYTIME)


def after(minutes):
    return NINE + timedelta(minutes=minutes)


def test_a_clock_that_runs_knows_its_deadline():
    reading = read([Started(NINE, 4 * HOUR)], OPEN, now=after(60))
    assert (reading.status, reading.passed, reading.left) == (Status.RUNNING, HOUR, 3 * HOUR)
    assert reading.due_at == after(330)  # three hours, lunch, one hour


def test_a_pause_moves_the_deadline_by_the_open_time_it_lasted():
    history = [Started(NINE, 2 * HOUR), Paused(after(30), "merchant"), Resumed(after(100))]
    reading = read(history, OPEN, now=after(101))
    assert reading.due_at == after(280)
    assert reading.paused == 70 * MINUTE
    assert [(s.status, s.seconds, s.reason) for s in reading.segments] == [
        (Status.RUNNING, 30 * MINUTE, ""),
        (Status.PAUSED, 70 * MINUTE, "merchant"),
        (Status.RUNNING, MINUTE, ""),
    ]


def test_a_paused_clock_has_no_deadline():
    reading = read([Started(NINE, HOUR), Paused(after(30))], OPEN, now=after(600))
    assert (reading.status, reading.due_at, reading.left) == (Status.PAUSED, None, 30 * MINUTE)


@pytest.mark.parametrize(("minutes", "kept"), [(60, True), (61, False)])
def test_a_stopped_clock_is_kept_or_broken(minutes, kept):
    reading = read([Started(NINE, HOUR), Stopped(after(minutes))], OPEN, now=after(900))
    assert (reading.status, reading.kept, reading.due_at) == (Status.STOPPED, kept, None)


def test_a_cancelled_clock_is_neither():
    assert read([Started(NINE, HOUR), Cancelled(after(90))], OPEN, now=after(900)).kept is None


def test_a_reset_begins_again_with_the_whole_target():
    reading = read([Started(NINE, HOUR), Stopped(after(50)), Reset(after(55))], OPEN, now=after(60))
    assert (reading.passed, reading.due_at, reading.kept) == (5 * MINUTE, after(115), None)


def test_another_target_keeps_what_has_passed_and_may_be_broken_already():
    history = [Started(NINE, 2 * HOUR), TargetSet(after(60), HOUR // 2)]
    reading = read(history, OPEN, now=after(61))
    assert (reading.left, reading.due_at) == (-31 * MINUTE, after(30))


def test_what_is_to_come_is_not_looked_at():
    history = [Started(NINE, HOUR), Stopped(after(30))]
    assert read(history, OPEN, now=after(10)).status is Status.RUNNING


@pytest.mark.parametrize(
    "history",
    [
        [],
        [Paused(NINE)],
        [Started(NINE, 1), Started(after(1), 1)],
        [Started(NINE, 1), Resumed(after(1))],
        [Started(NINE, 1), Paused(after(1)), Paused(after(2))],
        [Started(NINE, 1), Stopped(after(1)), Stopped(after(2))],
        [Started(NINE, 1), Cancelled(after(1)), Reset(after(2))],
        [Started(NINE, 1), Stopped(after(1)), TargetSet(after(2), 5)],
    ],
)
def test_a_history_that_cannot_have_happened_is_refused(history):
    with pytest.raises(ClockFault):
        read(history, OPEN, now=after(10))


# --- the oracle -----------------------------------------------------------------------------------

LAWFUL = {
    Status.RUNNING: ["pause", "stop", "cancel", "reset", "target"],
    Status.PAUSED: ["resume", "stop", "cancel", "reset", "target"],
    Status.STOPPED: ["reset"],
    Status.CANCELLED: [],
}
MAKE = {
    "pause": lambda at, _: Paused(at, "why"),
    "resume": lambda at, _: Resumed(at),
    "stop": lambda at, _: Stopped(at),
    "cancel": lambda at, _: Cancelled(at),
    "reset": lambda at, _: Reset(at),
    "target": lambda at, minutes: TargetSet(at, minutes * MINUTE),
}
LEADS = {
    "pause": Status.PAUSED,
    "resume": Status.RUNNING,
    "stop": Status.STOPPED,
    "cancel": Status.CANCELLED,
    "reset": Status.RUNNING,
}


@st.composite
def histories(draw):
    """(name, minute, minutes of a target) in order, lawful, with a look at the end."""
    status, minute = Status.RUNNING, draw(st.integers(0, 3000))
    steps = [("start", minute, draw(st.integers(0, 900)))]
    for _ in range(draw(st.integers(0, 7))):
        if not LAWFUL[status]:
            break
        name = draw(st.sampled_from(LAWFUL[status]))
        minute += draw(st.integers(0, 2000))
        steps.append((name, minute, draw(st.integers(0, 900))))
        status = LEADS.get(name, status)
    return steps, minute + draw(st.integers(0, 3000))


def is_open(minute):
    local = after(minute) + timedelta(hours=8)
    of_day = local.hour * 60 + local.minute
    return any(h.start <= of_day < h.end for h in DAYTIME.hours_on(local.date()))


class Oracle:
    """Lives minute by minute; keeps no intervals and searches for nothing."""

    def __init__(self, steps, now):
        self.status, self.target, self.passed, self.reached = None, 0, 0, None
        minute = steps[0][1]
        for name, at, target in steps:
            self.live(minute, at)
            self.do(name, at, target)
            minute = at
        self.live(minute, now)
        self.now = now

    def live(self, start, end):
        for minute in range(start, end):
            self.look(minute)
            self.passed += self.status is Status.RUNNING and is_open(minute)
        self.look(end)

    def look(self, minute):
        self.counted[self.passed] = min(self.counted.get(self.passed, minute), minute)

    def do(self, name, at, target):
        if name in ("start", "reset"):
            self.passed, self.counted, self.status = 0, {0: at}, Status.RUNNING
        if name in ("start", "target"):
            self.target = target
        self.status = LEADS.get(name, self.status)

    counted: dict[int, int] = {}

    def due(self):
        if self.passed >= self.target:
            return self.counted[self.target]
        minute, left = self.now, self.target - self.passed
        while left:
            left -= is_open(minute)
            minute += 1
        return minute


@given(histories())
def test_a_clock_agrees_with_living_through_it(history):
    steps, now = history
    first, *rest = steps
    events: list[Event] = [Started(after(first[1]), first[2] * MINUTE)]
    events += [MAKE[name](after(minute), target) for name, minute, target in rest]
    reading, oracle = read(events, OPEN, now=after(now)), Oracle(steps, now)
    assert (reading.status, reading.passed) == (oracle.status, oracle.passed * MINUTE)
    if reading.status is Status.RUNNING:
        assert reading.due_at == after(oracle.due())
    if reading.status is Status.STOPPED:
        assert reading.kept == (oracle.passed <= oracle.target)
    running = sum(s.seconds for s in reading.segments if s.status is Status.RUNNING)
    assert running >= reading.passed
