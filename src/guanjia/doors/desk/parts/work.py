"""Tasks, checklist, plans, promises and an offered hand-over, beside the conversation."""

from __future__ import annotations

from dataclasses import dataclass

from guanjia.doors.desk.parts.shape import Part
from guanjia.doors.desk.queries.case import Opened
from guanjia.doors.desk.queries.work import Work, work_of
from guanjia.people.pages import Visit


@dataclass(frozen=True, slots=True)
class Shown:
    number: str
    solved: bool
    work: Work


def work(visit: Visit, case: Opened) -> Part | None:
    """One statement; nothing where nobody has planned anything."""
    found = work_of(case.pk, visit.user, visit.now)
    return Part("doors/desk/work_side.html", Shown(case.number, case.solved, found)) if found else None
