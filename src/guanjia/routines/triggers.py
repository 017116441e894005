"""An event has been heard: whichever routine waits for it and is about its case goes to work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from guanjia.base.sql import rows
from guanjia.cases.models import Case
from guanjia.routines.actions import turn_off
from guanjia.routines.hours import fits_office
from guanjia.routines.matching import event_fits
from guanjia.routines.models import Heard, Outcome, Routine, Run
from guanjia.routines.running import Work, room_of, work_on

_EVENT = """
SELECT e.kind, e.at, coalesce(c.id, p.case_id) FROM ledger_event e
LEFT JOIN cases_case c ON 'case:' || c.number = e.subject AND e.subject LIKE 'case:%%'
LEFT JOIN packages_package p ON p.number = substr(e.subject, 9) AND e.subject LIKE 'package:%%'
WHERE e.id = %s
"""


def look_at(event: int, now: datetime) -> None:
    """Every routine that waits for this event, in the order they were made. A repetition finds that it has
    been looked at, and does nothing."""
    heard = Heard.objects.select_for_update().filter(pk=event).first()
    if heard is None:
        return
    [(kind, at, case)] = rows(_EVENT, [event])
    if case is not None:
        chain = _chain(heard.cause)
        for routine in _waiting(kind):
            _consider(routine, event, at, case, chain, now)
    heard.delete()


def _waiting(kind: str) -> list[Routine]:
    """Locked against being switched off or changed while they work."""
    return list(
        Routine.objects.select_for_update(no_key=True, of=("self",))
        .select_related("live")
        .filter(listening__kind=kind, live__isnull=False)
        .order_by("pk")
    )


def _chain(cause: int | None) -> Sequence[int]:
    """The routines that led to the event, the first one first."""
    found = Outcome.objects.filter(pk=cause).values_list("chain", flat=True).first() if cause else None
    return found or ()


def _consider(
    routine: Routine, event: int, at: datetime, case: int, chain: Sequence[int], now: datetime
) -> None:
    work = Work.of(routine)
    if not fits_office(work.rule.office, now) or not event_fits(work.rule, routine.pk, event, case, now):
        return
    if room_of(work, now) <= 0:
        turn_off(routine=routine, reason="too_many", now=now)
        return
    run, new = Run.objects.get_or_create(
        routine=routine,
        event=event,
        defaults={"version": work.version, "due_at": at, "started_at": now, "ended_at": now, "looked": 1},
    )
    if new:
        found = Case.objects.select_related("merchant", "person", "team", "pool").get(pk=case)
        work_on(work, run, found, chain, now)
