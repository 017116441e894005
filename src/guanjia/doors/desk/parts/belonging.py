"""The cases that the open one belongs with."""

from __future__ import annotations

from guanjia.doors.desk.parts.shape import Part
from guanjia.doors.desk.queries.belonging import belonging
from guanjia.doors.desk.queries.case import Opened
from guanjia.people.pages import Visit


def beside(_visit: Visit, case: Opened) -> Part | None:
    """One statement."""
    found = belonging(case.pk, case.number)
    return Part("doors/desk/beside.html", found) if found.beside or found.major else None
