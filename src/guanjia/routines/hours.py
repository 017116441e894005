"""The office's hours, by the calendar of the house."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from guanjia.cases.working_time import schedule
from guanjia.routines.rule import Office


def house_zone() -> ZoneInfo:
    return ZoneInfo(settings.TIME_ZONE)


def is_open(now: datetime) -> bool:
    return any(True for _ in schedule().spans(now, now + timedelta(seconds=1)))


def fits_office(office: Office, now: datetime) -> bool:
    """Whether the business-hours condition holds."""
    return office is Office.ANY or is_open(now) == (office is Office.WITHIN)
