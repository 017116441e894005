"""The calendar that comes with the house: mainland workdays, Monday to Friday from nine to six.

Days off and make-up workdays (调休) of 2026 as the State Council has arranged them: 国务院办公厅关于 2026 年
部分节假日安排的通知, 4 November 2025. The next year's come as a new version, by the lead's form.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from guanjia.core.clock import Calendar, Hours

CODE = "cn"
ZONE = "Asia/Shanghai"
HOURS = (Hours(9 * 60, 18 * 60),)

_OFF = (
    (date(2026, 1, 1), date(2026, 1, 3)),  # 元旦
    (date(2026, 2, 15), date(2026, 2, 23)),  # 春节
    (date(2026, 4, 4), date(2026, 4, 6)),  # 清明节
    (date(2026, 5, 1), date(2026, 5, 5)),  # 劳动节
    (date(2026, 6, 19), date(2026, 6, 21)),  # 端午节
    (date(2026, 9, 25), date(2026, 9, 27)),  # 中秋节
    (date(2026, 10, 1), date(2026, 10, 7)),  # 国庆节
)
_MADE_UP = (
    date(2026, 1, 4),
    date(2026, 2, 14),
    date(2026, 2, 28),
    date(2026, 5, 9),
    date(2026, 9, 20),
    date(2026, 10, 10),
)


def days_between(first: date, last: date) -> Iterator[date]:
    """Each day from the first to the last, both of them included."""
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def shipped() -> Calendar:
    """The calendar as the house knows it before anybody has edited it."""
    days: dict[date, tuple[Hours, ...]] = {day: () for span in _OFF for day in days_between(*span)}
    days |= dict.fromkeys(_MADE_UP, HOURS)
    return Calendar(ZONE, (HOURS,) * 5 + ((),) * 2, days)
