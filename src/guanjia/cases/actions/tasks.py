"""Work for one named person. One verb, one transaction, one event."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from guanjia.base.actors import SYSTEM, Actor
from guanjia.cases.events import TaskDone, TaskOpened
from guanjia.cases.models import Case, Task, TaskKind
from guanjia.cases.rules import TASK_DUE
from guanjia.ledger.actions import Entry, record
from guanjia.people.models import User


@transaction.atomic
def open_task(
    *, kind: TaskKind, case: Case, assignee: User, item: UUID | None, detail: str, now: datetime
) -> Task:
    """Work for one named person about one item; asking for it again while it is open changes nothing."""
    task, new = Task.objects.get_or_create(
        kind=kind,
        item=item,
        done_at=None,
        defaults={
            "case": case,
            "assignee": assignee,
            "detail": detail,
            "created_at": now,
            "due_at": now + TASK_DUE,
        },
    )
    if new:
        opened = TaskOpened(case.number, kind, assignee.pk, str(item) if item else None)
        record([Entry(now, SYSTEM, f"case:{case.number}", opened, case.merchant_id)])
    return task


def finish_tasks(*, actor: Actor, case: Case, items: list[UUID], now: datetime) -> None:
    """The items' tasks are settled, by hand or because trying again helped."""
    for task in Task.objects.filter(case=case, item__in=items, done_at=None):
        task.done_at = now
        task.save(update_fields=["done_at"])
        done = TaskDone(case.number, task.kind, str(task.item) if task.item else None)
        record([Entry(now, actor, f"case:{case.number}", done, case.merchant_id)])
