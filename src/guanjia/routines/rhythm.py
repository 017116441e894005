"""When a schedule is due next. Pure: a rhythm, an instant, a zone and the office's hours go in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from guanjia.core.clock import Schedule

DAYS_AHEAD = 400
"""How far a day is looked for before a rhythm is called empty."""


class Days(StrEnum):
    ALL = "all"
    BUSINESS = "business"  # any day on which the office opens, a make-up workday too
    SOME = "some"  # the weekdays of the rhythm


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Every `minutes`, or, where that is 0, once a day at `hour`:`minute` on `days`.

    `weekdays` counts from Monday, 0. A time that the clocks skip comes right after the gap; one that comes
    twice counts once.
    """

    minutes: int = 0
    hour: int = 9
    minute: int = 0
    days: Days = Days.ALL
    weekdays: tuple[int, ...] = ()

    def next(self, after: datetime, zone: ZoneInfo, office: Schedule) -> datetime:
        """The first time after an instant. However many were missed, the next is one. Raises OverflowError
        where no day fits."""
        if self.minutes:
            step = self.minutes * 60
            return datetime.fromtimestamp((int(after.timestamp()) // step + 1) * step, UTC)
        day = after.astimezone(zone).date()
        for ahead in range(DAYS_AHEAD):
            at = self._on(day + timedelta(days=ahead), zone)
            if at > after and self._fits(day + timedelta(days=ahead), zone, office):
                return at
        raise OverflowError("no day fits this rhythm")

    def _on(self, day: date, zone: ZoneInfo) -> datetime:
        return datetime.combine(day, time(self.hour, self.minute), zone).astimezone(UTC)

    def _fits(self, day: date, zone: ZoneInfo, office: Schedule) -> bool:
        if self.days is Days.SOME:
            return day.weekday() in self.weekdays
        if self.days is Days.ALL:
            return True
        begin = datetime.combine(day, time(), zone).astimezone(UTC)
        end = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
        return any(True for _ in office.spans(begin, end))
