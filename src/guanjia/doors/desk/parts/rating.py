"""What the merchant said about how it was done."""

from __future__ import annotations

from guanjia.doors.desk.parts.shape import Part
from guanjia.doors.desk.queries.case import Opened
from guanjia.doors.rating import rated
from guanjia.people.pages import Visit


def rating(_visit: Visit, case: Opened) -> Part | None:
    """Looked for only where a case is done: before, there is none to be shown."""
    found = rated(case.pk) if case.solved else None
    return Part("doors/desk/rating.html", found) if found else None
