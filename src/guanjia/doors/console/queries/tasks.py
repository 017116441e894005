"""Tasks that somebody was asked to do, and no more of a case than they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from guanjia.base.texts import pick
from guanjia.cases.models import Task, TaskKind, TaskState
from guanjia.cases.tasking import access_task, mine
from guanjia.people.models import User

TASKS_MOST = 200
DONE_MOST = 20
RECENT = timedelta(days=14)
WORDS_MOST = 100


@dataclass(frozen=True, slots=True)
class Todo:
    """`asker` is who asked; `line` through which the task came, empty for one's own."""

    pk: int
    title: str
    detail: str
    asker: str
    line: str
    due_at: datetime
    starts_at: datetime | None
    done_at: datetime | None
    waits: bool


@dataclass(frozen=True, slots=True)
class Said:
    author: str
    body: str
    asks: bool
    at: datetime


def tasks_of(user: User, now: datetime) -> tuple[list[Todo], list[Todo]]:
    """What is to be done, the first deadline first, and what was done lately; two statements."""
    found = Task.objects.select_related("created_by", "line").filter(mine(user), kind=TaskKind.BY_HAND)
    open_ones = found.filter(done_at=None).order_by("due_at", "pk")[:TASKS_MOST]
    over = found.filter(done_at__gt=now - RECENT).order_by("-done_at", "-pk")[:DONE_MOST]
    return [_todo(task) for task in open_ones], [_todo(task) for task in over]


def task_of(user: User, pk: int, now: datetime) -> tuple[Todo, Sequence[Said]]:
    """One task and what was said about it. Raises Missing."""
    task = access_task(actor=user, task=pk, now=now)
    words = task.words.select_related("author").order_by("pk")[:WORDS_MOST]
    return _todo(task), [Said(word.author.name, word.body, word.asks, word.at) for word in words]


def _todo(task: Task) -> Todo:
    return Todo(
        pk=task.pk,
        title=str(task),
        detail=task.detail,
        asker=task.created_by.name if task.created_by else "",
        line=pick(task.line.titles) if task.line else "",
        due_at=task.due_at,
        starts_at=task.starts_at,
        done_at=task.done_at,
        waits=task.state == TaskState.BLOCKED,
    )
