"""Plans, written by a lead and applied to cases, and the short checklists of single cases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.actors import SYSTEM, Actor
from guanjia.base.errors import BadInput, Missing, Refusal
from guanjia.base.texts import clean
from guanjia.cases.actions.tasks import Wanted, add_task, lock_case
from guanjia.cases.models import AppliedPlan, Case, CheckLine, Plan, PlanVersion, Task
from guanjia.cases.planning import PlanStep, dates_of, doer_of_step, read_steps, require_lead, require_sound
from guanjia.cases.work_events import (
    ChecklistAdded,
    ChecklistCut,
    ChecklistTicked,
    PlanApplied,
    PlanRetired,
    PlanSaved,
)
from guanjia.core.plan import in_order
from guanjia.ledger.actions import Entry, Payload, record
from guanjia.people.actors import actor_of
from guanjia.people.models import User

NAME_MOST = 80
ABOUT_MOST = 300
LINE_MOST = 200
LINES_MOST = 100
"""Lines of one checklist."""


class PlanChanged(Refusal):
    """Somebody else has saved a version since this one was opened."""

    code = "plan_changed"


class PlanAtRest(Refusal):
    """The plan is offered no more."""

    code = "plan_retired"


class ChecklistFull(Refusal):
    code = "checklist_full"


@transaction.atomic
def save_plan(
    *,
    actor: User | None,
    name: str,
    steps: Sequence[PlanStep],
    now: datetime,
    about: str = "",
    plan: int | None = None,
    seen: int | None = None,
) -> PlanVersion:
    """Write a plan, or a new version of `plan`; cases keep the version that they began with. `seen` is
    the version that was open: a newer one in between raises PlanChanged. What is saved as it was makes no
    new version. Without an actor the house itself writes it. Raises Forbidden, Missing, BadInput.
    """
    if actor is not None:
        require_lead(actor)
    name = clean(name, field=_("名字"), most=NAME_MOST)
    about = clean(about, field=_("用在什么时候"), most=ABOUT_MOST, least=0)
    sound = require_sound(steps)
    row = _plan(plan, name, actor, now)
    latest = row.versions.order_by("-number").first()
    if latest and seen is not None and latest.number != seen:
        raise PlanChanged(_("有人刚保存过新的一版，您的还没有保存。"), hint=_("请打开新的一版再改。"))
    stored = [step.as_json() for step in sound]
    if latest and (read_steps(latest.steps), latest.about) == (sound, about):
        return latest
    number = latest.number + 1 if latest else 1
    made = {"about": about, "steps": stored, "made_by": actor, "made_at": now}
    version = PlanVersion.objects.create(plan=row, number=number, **made)
    by = actor_of(actor) if actor else SYSTEM
    record([Entry(now, by, f"plan:{row.pk}", PlanSaved(row.pk, number, len(stored)))])
    return version


def _plan(pk: int | None, name: str, actor: User | None, now: datetime) -> Plan:
    taken = Plan.objects.filter(name=name).exclude(pk=pk or 0).exists()
    if taken:
        raise BadInput(_("已经有一份方案叫“%(name)s”。") % {"name": name}, hint=_("请换一个名字。"))
    if pk is None:
        return Plan.objects.create(name=name, created_by=actor, created_at=now)
    row = Plan.objects.select_for_update(no_key=True).filter(pk=pk).first()
    if row is None:
        raise no_plan()
    if row.name != name:
        row.name = name
        row.save(update_fields=["name"])
    return row


def no_plan() -> Missing:
    return Missing(_("没有找到这份方案。"), hint=_("请从方案列表里打开。"))


@transaction.atomic
def retire_plan(*, actor: User, plan: int, retired: bool, now: datetime) -> Plan:
    """The plan is offered no more, or again; cases that it is at work on go on. Raises Forbidden, Missing."""
    require_lead(actor)
    row = Plan.objects.select_for_update(no_key=True).filter(pk=plan).first()
    if row is None:
        raise no_plan()
    if bool(row.retired_at) != retired:
        row.retired_at = now if retired else None
        row.save(update_fields=["retired_at"])
        record([Entry(now, actor_of(actor), f"plan:{row.pk}", PlanRetired(row.pk, retired))])
    return row


@transaction.atomic
def apply_plan(
    *, actor: User, number: str, plan: int, now: datetime, start: datetime | None = None
) -> AppliedPlan:
    """Put all tasks of a plan on a case, at once; a plan that is there already stays as it is.

    The plan begins at `start` (now unless it is later): its first tasks are due from there. Raises Missing,
    Forbidden, AlreadySolved, PlanAtRest, and BadInput where the line of a step is gone.
    """
    case = lock_case(actor, number, now)
    earlier = AppliedPlan.objects.filter(case=case, plan=plan).first()
    if earlier is not None:
        return earlier
    version = PlanVersion.objects.select_related("plan").filter(plan=plan).order_by("-number").first()
    if version is None:
        raise no_plan()
    if version.plan.retired_at is not None:
        raise PlanAtRest(_("这份方案已经停用。"), hint=_("请选另一份方案。"))
    applied = AppliedPlan.objects.create(
        case=case, plan=version.plan, version=version, applied_by=actor, applied_at=now
    )
    tasks = _put_on(case, applied, read_steps(version.steps), max(start or now, now), actor, now)
    told = PlanApplied(case.number, plan, version.number, len(tasks))
    _log(actor_of(actor), case, told, now)
    return applied


def _put_on(
    case: Case, applied: AppliedPlan, steps: Sequence[PlanStep], start: datetime, actor: User, now: datetime
) -> list[Task]:
    """What nothing comes before has its dates from the start; the others wait, and expect theirs."""
    by_key, expected = {step.key: step for step in steps}, dates_of(steps, start)
    tasks: dict[int, Task] = {}
    for core in in_order(step.core for step in steps):
        step, when = by_key[core.key], expected[core.key]
        wanted = Wanted(
            title=step.title,
            doer=doer_of_step(step, case),
            detail=step.detail,
            work_days=step.days,
            lag_days=step.lag,
            after=core.after,
            holds=step.holds,
            visible=step.visible,
            expected=when,
        )
        before = [tasks[key] for key in core.after]
        tasks[core.key] = add_task(case, wanted, before, actor=actor, now=now, plan=applied)
    return list(tasks.values())


# --- checklists -----------------------------------------------------------------------------------


@transaction.atomic
def add_to_checklist(*, actor: User, number: str, text: str, now: datetime) -> list[CheckLine]:
    """Each line of the text is one line of the case's checklist. Raises Missing, Forbidden, BadInput,
    AlreadySolved, ChecklistFull."""
    case = lock_case(actor, number, now)
    asked = [line for line in text.splitlines() if line.strip()]
    lines = [clean(line, field=_("清单"), most=LINE_MOST) for line in asked or [""]]
    if case.checklist.count() + len(lines) > LINES_MOST:
        raise ChecklistFull(_("一份清单最多 %(most)d 行。") % {"most": LINES_MOST})
    rows = [CheckLine(case=case, text=line, added_by=actor, added_at=now) for line in lines]
    added = CheckLine.objects.bulk_create(rows)
    _log(actor_of(actor), case, ChecklistAdded(case.number, len(added)), now)
    return added


@transaction.atomic
def tick_line(*, actor: User, number: str, line: int, ticked: bool, now: datetime) -> CheckLine:
    """The line is done, or is not after all. Ticked already, it keeps who was first. Raises Missing,
    Forbidden, AlreadySolved."""
    case = lock_case(actor, number, now)
    found = _line(case, line)
    if (found.ticked_at is not None) != ticked:
        found.ticked_by, found.ticked_at = (actor, now) if ticked else (None, None)
        found.save(update_fields=["ticked_by", "ticked_at"])
        _log(actor_of(actor), case, ChecklistTicked(case.number, found.pk, ticked), now)
    return found


@transaction.atomic
def cut_line(*, actor: User, number: str, line: int, now: datetime) -> None:
    """Take a line off the checklist. Raises Missing, Forbidden, AlreadySolved."""
    case = lock_case(actor, number, now)
    _line(case, line).delete()
    _log(actor_of(actor), case, ChecklistCut(case.number, line), now)


def _line(case: Case, pk: int) -> CheckLine:
    found = case.checklist.filter(pk=pk).first()
    if found is None:
        raise Missing(_("清单上没有这一行。"), hint=_("请刷新查看最新状态。"))
    return found


def _log(actor: Actor, case: Case, payload: Payload, now: datetime) -> None:
    record([Entry(now, actor, f"case:{case.number}", payload, case.merchant_id)])
