"""Days and times as forms give them, in the marketplace's time zone."""

from __future__ import annotations

from datetime import date, datetime, time

from django.utils import timezone
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput


def instant(day: str, clock: str) -> datetime:
    """From the two fields of a form. Raises BadInput for what is no day or no time."""
    try:
        return timezone.make_aware(datetime.combine(date.fromisoformat(day), time.fromisoformat(clock)))
    except (ValueError, OverflowError):
        raise BadInput(_("日期或时间写得不对。"), hint=_("请用表单里的日期和时间来选。")) from None


def start_of(day: str) -> datetime:
    """The first instant of a day. Raises BadInput."""
    return instant(day, "00:00")


def number(text: str, *, most: int = 10**6) -> int:
    """A whole number of a form, -1 for anything else: the action refuses what is out of its bounds."""
    return int(text) if text.isdecimal() and len(text) < 10 and int(text) <= most else -1
