"""Clocks act: they warn, and they are broken. Once per clock and run, because the mark on the clock, the
event and what follows from it are one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from guanjia.base.actors import SYSTEM
from guanjia.cases.clock_events import ClockBreached, ClockWarned
from guanjia.cases.events import TaskDone, TaskOpened
from guanjia.cases.models import Case, Clock, ClockKind, ClockStatus, Task, TaskKind, TaskState
from guanjia.cases.rules import TASK_DUE
from guanjia.cases.timing import SECOND
from guanjia.ledger.actions import Entry, record
from guanjia.people.models import User

AT_ONCE = 200
LOOK_EVERY = timedelta(seconds=10)
"""A new clock may be due before the next look that is known of: this is how late it can be noticed."""
ELSEWHERE = (ClockKind.LINE_DECISION, ClockKind.MERCHANT_ANSWER)
"""Kinds without a task for a lead: what follows from a line's silence is its package's to say, and of the
merchant's silence nobody here is to blame."""


@transaction.atomic
def act_on_clocks(*, now: datetime, most: int = AT_ONCE) -> datetime:
    """Tell of the clocks whose warning or breach has come; when to look again."""
    due = Clock.objects.filter(acts_at__lte=now).order_by("acts_at")[:most]
    found = list(due.values_list("pk", "case_id"))
    if not found:
        return _next_look(now)
    cases = _lock({case for _pk, case in found})
    of_these = Clock.objects.select_related("line", "owner").filter(pk__in=[pk for pk, _case in found])
    clocks = list(of_these.filter(case__in=cases, acts_at__lte=now).order_by("pk"))
    broken = [clock for clock in clocks if _act(clock, now)]
    Clock.objects.bulk_update(clocks, ["acts_at", "warned_at", "breached_at"])
    record([_event(clock, cases[clock.case_id], now) for clock in clocks])
    _escalate([clock for clock in broken if clock.kind not in ELSEWHERE], cases, now)
    if len(found) == most:
        return now
    return now + SECOND if len(clocks) < len(found) else _next_look(now)


def _next_look(now: datetime) -> datetime:
    """Not before a second has passed: what is due and was not told of is being changed by somebody."""
    first = Clock.objects.filter(acts_at__isnull=False).order_by("acts_at").values_list("acts_at", flat=True)
    soonest = first.first()
    return min(max(soonest or now + LOOK_EVERY, now + SECOND), now + LOOK_EVERY)


def _lock(cases: set[int]) -> dict[int, Case]:
    """The cases come before their clocks; those that somebody is changing wait for the next look."""
    locked = Case.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
    found = locked.select_related("team__lead", "pool__lead", "merchant__home_pool__lead")
    return {case.pk: case for case in found.filter(pk__in=cases).order_by("pk")}


def _act(clock: Clock, now: datetime) -> bool:
    """Mark it; whether it is broken."""
    assert clock.due_at is not None
    if now < clock.due_at + SECOND:
        clock.warned_at, clock.acts_at = now, clock.due_at + SECOND
        return False
    clock.breached_at, clock.acts_at = now, None
    return True


def _event(clock: Clock, case: Case, now: datetime) -> Entry:
    assert clock.due_at is not None
    tell = ClockWarned if clock.breached_at is None else ClockBreached
    line = clock.line.slug if clock.line else None
    due_at = clock.due_at.isoformat()
    payload = tell(case.number, clock.pk, clock.kind, clock.owner_id, line, due_at)
    return Entry(now, SYSTEM, f"case:{case.number}", payload, case.merchant_id)


# --- escalation ---------------------------------------------------------------------------------


def _escalate(broken: Sequence[Clock], cases: dict[int, Case], now: datetime) -> None:
    """A task for whoever leads those who have not kept it."""
    tasks = [_task(clock, cases[clock.case_id], now) for clock in broken]
    Task.objects.bulk_create(tasks)
    record([_opened(task, cases[task.case_id], now) for task in tasks])


def _task(clock: Clock, case: Case, now: datetime) -> Task:
    return Task(
        case=case,
        kind=TaskKind.BROKEN_PROMISE,
        assignee=lead_of(case),
        detail=clock.kind,
        created_at=now,
        due_at=now + TASK_DUE,
    )


def _opened(task: Task, case: Case, now: datetime) -> Entry:
    opened = TaskOpened(case.number, task.kind, task.assignee_id, None)
    return Entry(now, SYSTEM, f"case:{case.number}", opened, case.merchant_id)


def lead_of(case: Case) -> User:
    """To whom it is said that a promise on this case was broken: its group's lead, or else the lead of
    the merchant's home pool."""
    group = case.team or case.pool or case.merchant.home_pool
    return group.lead


def end_escalations(clocks: Sequence[Clock], now: datetime) -> None:
    """What was promised has happened after all, or does not matter any more: the leads' tasks are over."""
    ended = {(clock.case_id, clock.kind) for clock in clocks if clock.breached_at and _over(clock)}
    if not ended:
        return
    found = Task.objects.select_related("case").filter(
        case__in={case for case, _kind in ended}, kind=TaskKind.BROKEN_PROMISE, done_at=None
    )
    tasks = [task for task in found.order_by("pk") if (task.case_id, task.detail) in ended]
    for task in tasks:
        task.state, task.done_at = TaskState.DONE, now
    Task.objects.bulk_update(tasks, ["state", "done_at"])
    record(
        [
            Entry(
                now,
                SYSTEM,
                f"case:{task.case.number}",
                TaskDone(task.case.number, task.kind, None),
                task.case.merchant_id,
            )
            for task in tasks
        ]
    )


def _over(clock: Clock) -> bool:
    return clock.status in (ClockStatus.STOPPED, ClockStatus.CANCELLED)
