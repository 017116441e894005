"""The working days of the marketplace, as tasks, plans and hand-overs count them."""

from __future__ import annotations

from datetime import datetime, timedelta

from guanjia.cases import workdays
from guanjia.cases.promises import book
from guanjia.core.clock import Schedule


def schedule() -> Schedule:
    """The calendar of the house, as it is in force."""
    return book().counting(workdays.CODE).schedule


def after(at: datetime, working: timedelta) -> datetime:
    """The instant by which so much working time has passed."""
    return schedule().due(at, int(working.total_seconds()))
