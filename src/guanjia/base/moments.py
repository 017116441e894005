"""Amounts, instants and durations as people read them, in their language."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

SIGNS = {"CNY": "¥", "USD": "$", "EUR": "€"}


def money(amount: int, currency: str) -> str:
    """Minor units (hundredths) as an amount, for example `¥1,200.00`."""
    return f"{SIGNS.get(currency, currency + ' ')}{amount / 100:,.2f}"


def moment(at: datetime) -> str:
    """Day, hour and minute in the marketplace's time zone."""
    return date_format(timezone.localtime(at), _("n月j日 H:i"))


def span(length: timedelta) -> str:
    """A duration in its two largest units, rounded down to the minute."""
    minutes = max(int(length.total_seconds()) // 60, 0)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [
        ngettext("%(n)d 天", "%(n)d 天", days) % {"n": days} if days else "",
        ngettext("%(n)d 小时", "%(n)d 小时", hours) % {"n": hours} if hours else "",
        ngettext("%(n)d 分钟", "%(n)d 分钟", minutes) % {"n": minutes} if minutes else "",
    ]
    return " ".join([part for part in parts if part][:2]) or _("不到 1 分钟")


def countdown(until: datetime, now: datetime) -> str:
    """A clock as a list shows it: `0:18` hours and minutes, days from two on, `-` when it is over."""
    minutes = int(abs((until - now).total_seconds())) // 60
    sign = "-" if until < now else ""
    if minutes >= 2 * 1440:
        return sign + ngettext("%(n)d 天", "%(n)d 天", minutes // 1440) % {"n": minutes // 1440}
    return f"{sign}{minutes // 60}:{minutes % 60:02}"


def urgency(until: datetime, now: datetime) -> str:
    """The tone of a clock: `bad` when over or in its last half hour, `warn` within two hours."""
    rest = until - now
    if rest < timedelta(minutes=30):
        return "bad"
    return "warn" if rest < timedelta(hours=2) else "plain"


def left(until: datetime, now: datetime) -> str:
    """How long a clock still has, or by how much it is over."""
    if until <= now:
        return _("已过 %(span)s") % {"span": span(now - until)}
    return _("还剩 %(span)s") % {"span": span(until - now)}
