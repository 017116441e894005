"""What tasks must satisfy, who may work on them, and the refusals they give."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Missing, Refusal
from guanjia.base.texts import pick
from guanjia.cases.models import Case, Task
from guanjia.cases.rules import access_case
from guanjia.coverage.rules import Verb
from guanjia.lines.models import Line, LineStaff
from guanjia.people.models import Pool, Team, User

TITLE_MOST = 200
DETAIL_MOST = 4_000
DAYS_MOST = 250
TASKS_MOST = 200
"""Open tasks of one case."""


class TaskHoldsCase(Refusal):
    code = "task_holds_case"


class TaskEndedAlready(Refusal):
    code = "task_ended"


class TaskWaits(Refusal):
    """It cannot be done before what it waits for."""

    code = "task_waits"


class WaitsForItself(BadInput):
    code = "task_circle"


class TooManyTasks(Refusal):
    code = "too_many_tasks"


@dataclass(frozen=True, slots=True)
class Doer:
    """Who does a task: `person` to turn to, and anybody of a line, a team or a pool besides."""

    person: User
    line: Line | None = None
    team: Team | None = None
    pool: Pool | None = None

    @property
    def ref(self) -> str | None:
        """As events name the group, `line:4`."""
        for kind in ("line", "team", "pool"):
            if (group := getattr(self, kind)) is not None:
                return f"{kind}:{group.pk}"
        return None

    @property
    def name(self) -> str:
        if self.line is not None:
            return pick(self.line.titles)
        return (self.team or self.pool or self.person).name


def doer_of(task: Task) -> Doer:
    return Doer(task.assignee, task.line, task.team, task.pool)


def find_doer(text: str) -> Doer:
    """From `person:7`, `line:display-slots`, `team:2` or `pool:1`, as forms and plans name them.

    Raises BadInput for nobody, and for somebody who cannot sign in.
    """
    kind, _colon, ref = text.partition(":")
    found = _FIND[kind](ref) if kind in _FIND else None
    if found is None or not found.person.is_active:
        raise BadInput(_("没有这位经办人。"), hint=_("请从名单里选一位。"))
    return found


def _person(ref: str) -> Doer | None:
    user = User.objects.filter(pk=_pk(ref)).first()
    return Doer(user) if user else None


def _line(ref: str) -> Doer | None:
    line = Line.objects.select_related("lead").filter(slug=ref[:40], active=True).first()
    return Doer(line.lead, line=line) if line else None


def _team(ref: str) -> Doer | None:
    team = Team.objects.select_related("lead").filter(pk=_pk(ref)).first()
    return Doer(team.lead, team=team) if team else None


def _pool(ref: str) -> Doer | None:
    pool = Pool.objects.select_related("lead").filter(pk=_pk(ref)).first()
    return Doer(pool.lead, pool=pool) if pool else None


_FIND = {"person": _person, "line": _line, "team": _team, "pool": _pool}


def _pk(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) <= 18 else 0


def mine(user: User) -> Q:
    """Tasks that this person may do: their own, and those of their lines, teams and pools."""
    return (
        Q(assignee=user)
        | Q(line__in=LineStaff.objects.filter(user=user).values("line"))
        | Q(team__in=Team.objects.filter(Q(lead=user) | Q(members=user)).values("pk"))
        | Q(pool__in=Pool.objects.filter(Q(lead=user) | Q(members=user)).values("pk"))
    )


def access_task(*, actor: User, task: int, now: datetime, desk: bool = False) -> Task:
    """The task, if it is this person's to do, or its case is one they look after (`desk`: only then).

    Raises Missing for everybody else, the merchant's own people among them.
    """
    found = _tasks().filter(pk=task).first()
    if found is None:
        raise no_task()
    if not desk and _does(actor, task):
        return found
    try:
        access_case(actor=actor, number=found.case.number, verb=Verb.NOTE, now=now)
    except Refusal:
        raise no_task() from None
    return found


def _does(actor: User, task: int) -> bool:
    return actor.is_active and Task.objects.filter(mine(actor), pk=task).exists()


def _tasks() -> QuerySet[Task]:
    return Task.objects.select_related("case__merchant", "assignee", "line", "team", "pool", "created_by")


def no_task() -> Missing:
    return Missing(_("没有找到这项任务。"), hint=_("请从任务列表里打开。"))


def refuse_held(case: Case) -> None:
    """Raises TaskHoldsCase while something that must be done first is not. The case is locked."""
    holding = case.tasks.filter(holds=True, done_at=None).order_by("pk")
    if names := [str(task) for task in holding[:5]]:
        raise TaskHoldsCase(
            _("还有任务没有做完：%(tasks)s。") % {"tasks": _("、").join(names)},
            hint=_("请先做完或写明为什么不做；不影响办结的，可以在任务上取消“办结前要完成”。"),
        )
