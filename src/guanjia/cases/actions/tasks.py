"""Work for one named person. One verb, one transaction, one event."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.actors import SYSTEM, Actor
from guanjia.base.errors import BadInput
from guanjia.base.flows import wake
from guanjia.base.texts import clean
from guanjia.cases.belonging import OVER
from guanjia.cases.events import TaskDone, TaskOpened
from guanjia.cases.models import AppliedPlan, Case, Task, TaskBlock, TaskKind, TaskState, TaskWord
from guanjia.cases.rules import TASK_DUE, AlreadySolved, access_case
from guanjia.cases.tasking import (
    DAYS_MOST,
    DETAIL_MOST,
    TASKS_MOST,
    TITLE_MOST,
    Doer,
    TaskEndedAlready,
    TaskWaits,
    TooManyTasks,
    WaitsForItself,
    access_task,
    find_doer,
)
from guanjia.cases.work_events import (
    TaskAsked,
    TaskEnded,
    TaskFreed,
    TaskGiven,
    TaskHolds,
    TaskOverdue,
    TaskSaid,
)
from guanjia.cases.working_time import schedule
from guanjia.core.plan import Dates, begun
from guanjia.coverage.rules import Verb
from guanjia.ledger.actions import Entry, Payload, record
from guanjia.people.actors import actor_of
from guanjia.people.models import User

FLOW = "cases.tasks"
"""The flow that notices overdue tasks; its keys are task ids. It never changes."""
FAR = timedelta(days=730)


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
            "starts_at": now,
            "due_at": now + TASK_DUE,
        },
    )
    if new:
        opened = TaskOpened(case.number, kind, assignee.pk, str(item) if item else None)
        record([Entry(now, SYSTEM, f"case:{case.number}", opened, case.merchant_id)])
        wake(FLOW, [task.pk], task.due_at, now)
    return task


def finish_tasks(*, actor: Actor, case: Case, items: list[UUID], now: datetime) -> None:
    """The items' tasks are settled, by hand or because trying again helped."""
    found = list(Task.objects.filter(case=case, item__in=items, done_at=None))
    if found:
        Case.objects.select_for_update(no_key=True).get(pk=case.pk)
    for task in found:
        task.state, task.done_at = TaskState.DONE, now
        task.save(update_fields=["state", "done_at"])
        done = TaskDone(case.number, task.kind, str(task.item) if task.item else None)
        record([Entry(now, actor, f"case:{case.number}", done, case.merchant_id)])
        free_followers(case, [task.pk], actor=actor, now=now)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A task as somebody asks for it. It is due at `due_at`, or `work_days` working days after it may
    begin; `after` are the ids of tasks of the same case that it waits for."""

    title: str
    doer: Doer
    detail: str = ""
    due_at: datetime | None = None
    work_days: int | None = None
    lag_days: int = 0
    after: Sequence[int] = ()
    holds: bool = True
    visible: bool = False
    expected: Dates | None = None


@transaction.atomic
def ask_task(
    *,
    actor: User,
    number: str,
    title: str,
    doer: str,
    now: datetime,
    detail: str = "",
    due_at: datetime | None = None,
    work_days: int | None = None,
    lag_days: int = 0,
    after: Sequence[int] = (),
    holds: bool = True,
    visible: bool = False,
) -> Task:
    """Ask somebody for a piece of work on a case: `doer` is `person:7`, `line:slug`, `team:2` or `pool:1`.

    The doer sees the task and no more of the case than it says. Raises Missing, Forbidden, BadInput,
    AlreadySolved, TooManyTasks, WaitsForItself.
    """
    case = lock_case(actor, number, now)
    wanted = Wanted(
        title=clean(title, field=_("任务"), most=TITLE_MOST),
        doer=find_doer(doer),
        detail=clean(detail, field=_("说明"), most=DETAIL_MOST, least=0),
        due_at=due_at,
        work_days=work_days,
        lag_days=lag_days,
        after=sorted(set(after)),
        holds=holds,
        visible=visible,
    )
    _require_dates(wanted, now)
    waits_for = _blockers(case, wanted.after)
    return add_task(case, wanted, waits_for, actor=actor, now=now)


def _require_dates(wanted: Wanted, now: datetime) -> None:
    if (wanted.due_at is None) == (wanted.work_days is None):
        raise BadInput(_("请写最迟什么时候，或者给几个工作日。"), hint=_("两样里写一样。"))
    if wanted.due_at is not None and not now < wanted.due_at <= now + FAR:
        raise BadInput(_("期限要在现在之后、两年之内。"), hint=_("请换一个日期。"))
    if not (0 <= (wanted.work_days or 0) <= DAYS_MOST and 0 <= wanted.lag_days <= DAYS_MOST):
        raise BadInput(_("工作日要在 0 到 %(most)d 之间。") % {"most": DAYS_MOST})


def lock_case(actor: User, number: str, now: datetime) -> Case:
    """The case, locked, if this person looks after it and it is not over: what is done next is added to
    nothing that is being solved."""
    found = access_case(actor=actor, number=number, verb=Verb.NOTE, now=now)
    case = Case.objects.select_for_update(no_key=True, of=("self",)).select_related("merchant")
    locked = case.get(pk=found.pk)
    if locked.state in OVER:
        raise AlreadySolved(_("这件事已经办结。"), hint=_("请先重新打开。"))
    return locked


def _blockers(case: Case, pks: Sequence[int]) -> list[Task]:
    found = list(case.tasks.filter(pk__in=pks).order_by("pk"))
    if len(found) < len(pks):
        raise BadInput(_("要等的任务不在这件事上。"), hint=_("请从这件事的任务里选。"))
    return found


def add_task(
    case: Case,
    wanted: Wanted,
    waits_for: Sequence[Task],
    *,
    actor: User,
    now: datetime,
    plan: AppliedPlan | None = None,
) -> Task:
    """Write one task of a locked case: open, or blocked behind those that have not ended. Part of the
    action that asks for it."""
    if case.tasks.filter(done_at=None).count() >= TASKS_MOST:
        raise TooManyTasks(_("这件事上的任务太多了，最多 %(most)d 项。") % {"most": TASKS_MOST})
    open_ones = [task for task in waits_for if task.done_at is None]
    starts_at, due_at = _dates(wanted, waits_for, now)
    task = Task.objects.create(
        case=case,
        kind=TaskKind.BY_HAND,
        title=wanted.title,
        detail=wanted.detail,
        assignee=wanted.doer.person,
        line=wanted.doer.line,
        team=wanted.doer.team,
        pool=wanted.doer.pool,
        state=TaskState.BLOCKED if open_ones else TaskState.OPEN,
        holds=wanted.holds,
        visible=wanted.visible,
        lag_days=wanted.lag_days,
        work_days=wanted.work_days,
        created_by=actor,
        created_at=now,
        starts_at=None if open_ones else starts_at,
        due_at=due_at,
        plan=plan,
    )
    for before in waits_for:  # one by one: the trigger looks at each
        TaskBlock.objects.create(task=task, by=before)
    asked = TaskAsked(
        case.number,
        task.pk,
        wanted.doer.person.pk,
        wanted.doer.ref,
        due_at.isoformat(),
        wanted.holds,
        bool(open_ones),
    )
    _log(actor_of(actor), case, asked, now)
    if not open_ones:
        wake(FLOW, [task.pk], task.due_at, now)
    return task


def _dates(wanted: Wanted, waits_for: Sequence[Task], now: datetime) -> tuple[datetime, datetime]:
    """When it may begin and is due, as far as is known: behind others, from what is expected of them."""
    if wanted.expected is not None:
        return wanted.expected.starts_at, wanted.expected.due_at
    last = max((task.done_at or max(task.due_at, now) for task in waits_for), default=now)
    found = begun(last, schedule(), lag=wanted.lag_days if waits_for else 0, days=wanted.work_days or 0)
    return found.starts_at, wanted.due_at or found.due_at


@transaction.atomic
def wait_for_task(*, actor: User, task: int, by: int, now: datetime) -> Task:
    """From now on the task waits for another of its case. Raises Missing, BadInput, TaskEndedAlready,
    WaitsForItself for a circle."""
    mine = _locked(actor, task, now, desk=True)
    [other] = _blockers(mine.case, [by])
    if mine.pk in _waits_for(mine.case, other.pk):
        raise WaitsForItself(
            _("“%(other)s”已经在等“%(task)s”，不能互相等。") % {"other": other, "task": mine},
            hint=_("请换一项任务。"),
        )
    if TaskBlock.objects.filter(task=mine, by=other).exists():
        return mine
    TaskBlock.objects.create(task=mine, by=other)
    if other.done_at is None:
        mine.state, mine.starts_at = TaskState.BLOCKED, None
        mine.save(update_fields=["state", "starts_at"])
    _log(actor_of(actor), mine.case, _asked(mine), now)
    return mine


def _asked(task: Task) -> TaskAsked:
    of, waits = Doer(task.assignee, task.line, task.team, task.pool).ref, task.state == TaskState.BLOCKED
    due_at = task.due_at.isoformat()
    return TaskAsked(task.case.number, task.pk, task.assignee_id, of, due_at, task.holds, waits)


def _waits_for(case: Case, task: int) -> set[int]:
    """The task, and all that it waits for, directly or not."""
    edges: dict[int, set[int]] = {}
    for one, by in TaskBlock.objects.filter(task__case=case).values_list("task", "by"):
        edges.setdefault(one, set()).add(by)
    found, ahead = {task}, [task]
    while ahead:
        fresh = edges.get(ahead.pop(), set()) - found
        found |= fresh
        ahead += fresh
    return found


@transaction.atomic
def finish_task(*, actor: User, task: int, now: datetime, word: str = "") -> Task:
    """The work is done, with a word about it where there is something to say.

    What waited for it may begin: its clock starts at this instant. Raises Missing, TaskEndedAlready,
    TaskWaits, BadInput.
    """
    found = _locked(actor, task, now)
    word = clean(word, field=_("说明"), most=DETAIL_MOST, least=0)
    if found.state == TaskState.BLOCKED:
        raise TaskWaits(_("前面的任务还没有做完。"), hint=_("请等它们做完；不用等的，请在事项上解开。"))
    return _end(found, TaskState.DONE, word, actor, now)


@transaction.atomic
def drop_task(*, actor: User, task: int, reason: str, now: datetime) -> Task:
    """The work is not needed after all; who looks after the case says why. Raises Missing, BadInput,
    TaskEndedAlready."""
    found = _locked(actor, task, now, desk=True)
    reason = clean(reason, field=_("为什么不做"), most=DETAIL_MOST)
    return _end(found, TaskState.DROPPED, reason, actor, now)


def _end(task: Task, state: TaskState, word: str, actor: User, now: datetime) -> Task:
    task.state, task.done_at, task.done_by = state, now, actor
    task.starts_at = task.starts_at or now
    task.save(update_fields=["state", "done_at", "done_by", "starts_at"])
    if word:
        TaskWord.objects.create(task=task, author=actor, body=word, at=now)
    freed = free_followers(task.case, [task.pk], actor=actor_of(actor), now=now)
    ended = TaskEnded(task.case.number, task.pk, state.value, task.assignee_id, freed)
    _log(actor_of(actor), task.case, ended, now)
    return task


def free_followers(case: Case, ended: Collection[int], *, actor: Actor, now: datetime) -> list[int]:
    """Tasks that waited for these alone are open now, and their clocks run; returns their ids. Part of the
    action that ends a task; the case is locked, or the tasks are the house's own."""
    behind = Task.objects.filter(blocks__by__in=ended, state=TaskState.BLOCKED)
    free = behind.exclude(blocks__by__in=Task.objects.filter(case=case, done_at=None)).distinct()
    freed = list(free.order_by("pk"))
    for task in freed:
        _start(task, now)
        of = Doer(task.assignee, task.line, task.team, task.pool).ref
        told = TaskFreed(case.number, task.pk, task.assignee_id, of, task.due_at.isoformat())
        _log(actor, case, told, now)
        wake(FLOW, [task.pk], task.due_at, now)
    return [task.pk for task in freed]


def _start(task: Task, now: datetime) -> None:
    found = begun(now, schedule(), lag=task.lag_days, days=task.work_days or 0)
    task.state, task.starts_at = TaskState.OPEN, found.starts_at
    if task.work_days is not None:
        task.due_at = found.due_at
    task.save(update_fields=["state", "starts_at", "due_at"])


@transaction.atomic
def say_on_task(*, actor: User, task: int, body: str, now: datetime, asks: bool = False) -> TaskWord:
    """A word between who asked for a task and who does it; `asks`: a question back. Raises Missing,
    BadInput."""
    found = access_task(actor=actor, task=task, now=now)
    body = clean(body, field=_("说明"), most=DETAIL_MOST)
    word = TaskWord.objects.create(task=found, author=actor, body=body, asks=asks, at=now)
    said = TaskSaid(found.case.number, found.pk, word.pk, asks, found.created_by_id, found.assignee_id)
    _log(actor_of(actor), found.case, said, now)
    return word


@transaction.atomic
def hold_by_task(*, actor: User, task: int, holds: bool, now: datetime) -> Task:
    """Whether the case has to wait for the task. Raises Missing, TaskEndedAlready."""
    found = _locked(actor, task, now, desk=True)
    if found.holds != holds:
        found.holds = holds
        found.save(update_fields=["holds"])
        _log(actor_of(actor), found.case, TaskHolds(found.case.number, found.pk, holds), now)
    return found


@transaction.atomic
def give_task(*, actor: User, task: int, doer: str, now: datetime) -> Task:
    """Somebody else does it from now on. Raises Missing, BadInput, TaskEndedAlready."""
    found, to = _locked(actor, task, now, desk=True), find_doer(doer)
    found.assignee, found.line, found.team, found.pool = to.person, to.line, to.team, to.pool
    found.save(update_fields=["assignee", "line", "team", "pool"])
    _log(actor_of(actor), found.case, TaskGiven(found.case.number, found.pk, to.person.pk, to.ref), now)
    return found


@transaction.atomic
def escalate_tasks(*, tasks: Collection[int], now: datetime) -> dict[int, datetime | None]:
    """Whoever answers for the case hears of those of these tasks that are overdue, and of their own the
    lead of the merchant's home pool; once. When to look at each again (None: not before it changes)."""
    again: dict[int, datetime | None] = dict.fromkeys(tasks)
    known = Task.objects.select_related("case__merchant__home_pool").select_for_update(of=("self",))
    waiting = known.filter(pk__in=tasks, state=TaskState.OPEN, escalated_at=None).order_by("pk")
    for task in waiting:
        if task.due_at > now:
            again[task.pk] = task.due_at
            continue
        task.escalated_at = now
        task.save(update_fields=["escalated_at"])
        owner = task.case.answerable.pk
        to = owner if owner != task.assignee_id else task.case.merchant.home_pool.lead_id
        _log(SYSTEM, task.case, TaskOverdue(task.case.number, task.pk, task.assignee_id, to), now)
    return again


def _locked(actor: User, pk: int, now: datetime, *, desk: bool = False) -> Task:
    """The task as it is, with its case locked first: of two who end it, the second is told."""
    found = access_task(actor=actor, task=pk, now=now, desk=desk)
    Case.objects.select_for_update(no_key=True).get(pk=found.case_id)
    found.refresh_from_db(fields=["state", "done_at", "holds", "due_at", "starts_at", "assignee"])
    if found.done_at is not None:
        raise TaskEndedAlready(_("这项任务已经结束。"), hint=_("请刷新查看最新状态。"))
    return found


def _log(actor: Actor, case: Case, payload: Payload, now: datetime) -> None:
    record([Entry(now, actor, f"case:{case.number}", payload, case.merchant_id)])
