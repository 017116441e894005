"""Business time: calendars that know make-up workdays, and clocks that start, pause, resume, stop and reset.

Pure: everything follows from the history it is given.
"""

from guanjia.core.clock.calendar import Calendar, Hours, Schedule, Span
from guanjia.core.clock.history import (
    Cancelled,
    ClockFault,
    Event,
    Paused,
    Reading,
    Reset,
    Resumed,
    Segment,
    Started,
    Status,
    Stopped,
    TargetSet,
    read,
)

__all__ = [
    "Calendar",
    "Cancelled",
    "ClockFault",
    "Event",
    "Hours",
    "Paused",
    "Reading",
    "Reset",
    "Resumed",
    "Schedule",
    "Segment",
    "Span",
    "Started",
    "Status",
    "Stopped",
    "TargetSet",
    "read",
]
