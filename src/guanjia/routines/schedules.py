"""A schedule's time has come: its cases are walked in stretches, each of them one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta

from guanjia.cases.models import Case
from guanjia.cases.working_time import schedule
from guanjia.routines.hours import fits_office, house_zone
from guanjia.routines.matching import still_fit, window
from guanjia.routines.models import Routine, Run
from guanjia.routines.running import Work, room_of, work_on

LOOKED, WORKED = 5_000, 25
"""In one transaction: cases looked at, cases worked on."""
PAUSE = timedelta(minutes=5)
"""Until a schedule that has changed as many as it may in an hour tries to go on."""


def go_on(routine: int, now: datetime) -> datetime | None:
    """The next stretch of a schedule. Returns when to come again; None for one that is off.

    However many of its times were missed, it goes once. A run under way keeps its place in its row, so that
    a worker that dies loses no more than the stretch it was at, of which nothing has happened.
    """
    found = (
        Routine.objects.select_for_update(no_key=True, of=("self",))
        .select_related("live")
        .filter(pk=routine, live__isnull=False, next_at__isnull=False)
        .first()
    )
    if found is None:
        return None
    work = Work.of(found)
    run = _under_way(work, now)
    if run is None:
        return found.next_at
    room = room_of(work, now)
    if room <= 0:
        return now + PAUSE
    _stretch(work, run, min(room, WORKED), now)
    found.refresh_from_db(fields=["live", "next_at"])
    return now if run.ended_at is None else found.next_at


def _under_way(work: Work, now: datetime) -> Run | None:
    """The run to go on with, or a new one if it is time."""
    routine = work.routine
    run = Run.objects.filter(routine=routine, event=None, ended_at=None).first()
    if run is not None or routine.next_at is None or routine.next_at > now:
        return run
    due, routine.next_at = routine.next_at, work.rule.rhythm.next(now, house_zone(), schedule())
    routine.save(update_fields=["next_at"])
    if not fits_office(work.rule.office, now):
        return None
    return Run.objects.create(routine=routine, version=work.version, due_at=due, started_at=now)


def _stretch(work: Work, run: Run, most: int, now: datetime) -> None:
    """Conditions about time are asked as of the run's beginning, so that all its cases are treated alike."""
    at, routine = run.started_at, work.routine.pk
    found = window(work.rule, routine, after=run.after, size=LOOKED, most=most, now=at)
    fit = still_fit(work.rule, routine, found.hits, at)
    cases = Case.objects.select_related("merchant", "person", "team", "pool").in_bulk(fit)
    on = all(work_on(work, run, cases[pk], (), now) for pk in fit)  # none after it has turned itself off
    run.after, run.looked = found.after or run.after, run.looked + found.looked
    run.ended_at = now if found.after is None or not on else None
    run.save(update_fields=["after", "looked", "ended_at"])
