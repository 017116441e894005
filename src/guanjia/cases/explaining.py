"""How a clock came to its deadline, in words: one account for the merchant and for staff, with the same
numbers, in the reader's language. Every number is the reading's own, down to the minute."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guanjia.cases.models import Clock, PauseReason
from guanjia.cases.timing import events_of, reading, schedule_of
from guanjia.core.clock import (
    Event,
    Paused,
    Reading,
    Reset,
    Resumed,
    Schedule,
    Started,
    Status,
    TargetSet,
    read,
)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to the clock. `seconds` are what the text speaks of."""

    at: datetime
    text: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Account:
    """The clock as of now in one line, and how it came to that, the oldest first. `why` says for what it
    stands still; empty while it does not."""

    said: str
    why: str
    steps: tuple[Step, ...]
    reading: Reading


def account(clock: Clock, now: datetime, *, merchant: bool) -> Account:
    """`merchant`: the reader is the merchant, whom a pause addresses as "you"."""
    life, schedule = events_of(clock), schedule_of(clock)
    found = reading(clock, now)
    steps = tuple(_steps(clock, life, schedule, merchant=merchant))
    why = why_text(_last_reason(clock), merchant=merchant) if found.status is Status.PAUSED else ""
    return Account(_said(clock, found), why, steps, found)


def lasting(seconds: int) -> str:
    """Hours and minutes, rounded down to the minute. Never days: a day of work is not 24 hours."""
    minutes = max(seconds, 0) // 60
    hours, minutes = divmod(minutes, 60)
    parts = [
        ngettext("%(n)d 小时", "%(n)d 小时", hours) % {"n": hours} if hours else "",
        ngettext("%(n)d 分钟", "%(n)d 分钟", minutes) % {"n": minutes} if minutes else "",
    ]
    if found := [part for part in parts if part]:
        return " ".join(found)
    return _("不到 1 分钟") if seconds > 0 else ngettext("%(n)d 分钟", "%(n)d 分钟", 0) % {"n": 0}


def why_text(reason: str, *, merchant: bool) -> str:
    """For what a clock stands still, as either side is told it."""
    if reason == PauseReason.MERCHANT:
        return _("在等您确认") if merchant else _("在等商家确认")
    return _("这件事暂缓") if reason == PauseReason.HELD else _("这件事暂停办理")


def _last_reason(clock: Clock) -> str:
    return next((one.get("why", "") for one in reversed(clock.history) if one["did"] == "paused"), "")


# --- now ----------------------------------------------------------------------------------------


def _said(clock: Clock, found: Reading) -> str:
    values = {"passed": lasting(found.passed), "target": lasting(found.target)}
    if found.status is Status.CANCELLED:
        return _("不再计时：用过 %(passed)s，不算按时，也不算超时。") % values
    if found.status is Status.STOPPED:
        if found.left >= 0:
            return _("用了 %(passed)s，在承诺的 %(target)s 以内。") % values
        return _("用了 %(passed)s，超出承诺的 %(target)s。") % values
    if found.left < 0:
        over = {**values, "over": lasting(-found.left)}
        return _("承诺 %(target)s，已用 %(passed)s，超出 %(over)s。") % over
    left = {**values, "left": lasting(found.left)}
    return _("承诺 %(target)s，已用 %(passed)s，还剩 %(left)s。") % left


# --- its life -----------------------------------------------------------------------------------


def _steps(clock: Clock, life: list[Event], schedule: Schedule, *, merchant: bool) -> Iterator[Step]:
    before: Reading | None = None
    for number, event in enumerate(life):
        found = read(life[: number + 1], schedule, now=event.at)
        yield _step(clock, event, found, before, merchant=merchant)
        before = found


def _step(clock: Clock, event: Event, found: Reading, before: Reading | None, *, merchant: bool) -> Step:
    if isinstance(event, Started):
        return _started(clock, event)
    assert before is not None
    match event:
        case Paused(reason=reason):
            why = why_text(reason, merchant=merchant)
            values = {"why": why, "passed": lasting(found.passed)}
            return Step(event.at, _("停下，因为%(why)s；此前用了 %(passed)s。") % values, found.passed)
        case Resumed():
            return _resumed(event, found, merchant=merchant)
        case Reset():
            text = _("重新计时：完整的 %(target)s。") % {"target": lasting(found.target)}
            return Step(event.at, text, found.target)
        case TargetSet(target=target):
            values = {"was": lasting(before.target), "target": lasting(target)}
            return Step(event.at, _("承诺由 %(was)s 改为 %(target)s。") % values, target)
    return Step(event.at, _("结束。") + _said(clock, found), found.passed)


def _started(clock: Clock, event: Started) -> Step:
    values = {"target": lasting(event.target)}
    business = _("开始，承诺 %(target)s（只算工作时间）。") % values
    text = business if clock.calendar else _("开始，限时 %(target)s。") % values
    return Step(event.at, text, event.target)


def _resumed(event: Event, found: Reading, *, merchant: bool) -> Step:
    paused = [s for s in found.segments if s.status is Status.PAUSED and s.end == event.at]
    seconds = _since_running(found)
    reason = paused[-1].reason if paused else ""
    values = {"paused": lasting(seconds), "why": why_text(reason, merchant=merchant)}
    if not paused:
        return Step(event.at, _("接着走；停了 %(paused)s。") % values, seconds)
    return Step(event.at, _("接着走；停了 %(paused)s，因为%(why)s。") % values, seconds)


def _since_running(found: Reading) -> int:
    """How long the pause lasted that has just ended, in the parts that a new promise cut it into."""
    total = 0
    for segment in reversed(found.segments):
        if segment.status is not Status.PAUSED:
            break
        total += segment.seconds
    return total
