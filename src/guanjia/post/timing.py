"""When somebody wants to be written to: pure arithmetic in the marketplace's time zone."""

from __future__ import annotations

import random
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

TRIES_MOST = 14
_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(hours=6)


def after_quiet(at: datetime, start: time | None, end: time | None, zone: ZoneInfo) -> datetime:
    """`at`, or the end of the quiet hours it falls in. They may cross midnight; equal ends are none."""
    if start is None or end is None or start == end:
        return at
    local = at.astimezone(zone)
    clock = local.time().replace(tzinfo=None)
    quiet = start <= clock < end if start < end else clock >= start or clock < end
    if not quiet:
        return at
    return _next(local, end, zone).astimezone(at.tzinfo)


def next_letter(at: datetime, daily: time, zone: ZoneInfo) -> datetime:
    """When the letter of the day goes out, after `at`."""
    return _next(at.astimezone(zone), daily, zone).astimezone(at.tzinfo)


def _next(local: datetime, clock: time, zone: ZoneInfo) -> datetime:
    day = local.date() if clock > local.time() else local.date() + timedelta(days=1)
    return datetime.combine(day, clock, zone)


def pause_after(attempts: int) -> timedelta:
    """How long to wait after that many failures: fourfold from five seconds to six hours, and up to a
    quarter more, so that what failed together does not come back together. Fourteen tries take two days."""
    length: timedelta = min(_FIRST_PAUSE * 4 ** min(attempts - 1, 12), _LONGEST_PAUSE)
    return length * random.uniform(1.0, 1.25)  # noqa: S311 - spread, not a secret
