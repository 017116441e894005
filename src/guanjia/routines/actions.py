"""What a lead does with rules of work. One verb, one transaction, one event."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.actors import SYSTEM
from guanjia.base.errors import BadInput
from guanjia.base.flows import wake
from guanjia.base.texts import clean
from guanjia.cases.working_time import schedule
from guanjia.ledger.actions import Entry, Payload, record
from guanjia.people.actors import actor_of
from guanjia.people.models import User
from guanjia.routines.events import (
    RoutineActivated,
    RoutineDeactivated,
    RoutineSaved,
    RoutineTurnedOff,
)
from guanjia.routines.hours import house_zone
from guanjia.routines.models import Listening, Routine, RoutineKind, Run, Version
from guanjia.routines.occasions import OCCASIONS
from guanjia.routines.rule import Rule, dump, load
from guanjia.routines.rules import (
    NAME_MOST,
    ROUTINES_MOST,
    AlreadyOn,
    NotOn,
    access_routine,
    checked,
    require_lead,
)

RUN_FLOW, SCHEDULE_FLOW = "routines.run", "routines.schedule"
HOUSEKEEPING = 0
"""The key of the schedule flow that clears old runs away; no routine has it."""


@transaction.atomic
def save_routine(*, actor: User, name: str, rule: Rule, now: datetime, routine: int | None = None) -> Version:
    """What a routine shall say, as a draft: nothing happens before it is switched on. A version that was
    on stays as it is, and the next one is begun. Raises Forbidden, Missing, BadInput."""
    require_lead(actor)
    name = clean(name, field=_("规则名"), most=NAME_MOST)
    rule = checked(rule)
    found = _new(name, rule, now) if routine is None else access_routine(actor=actor, routine=routine)
    if found.kind != rule.kind:
        raise BadInput(_("规则的种类定了就不能改。"), hint=_("请另建一条规则。"))
    _rename(found, name)
    version = _draft(found, dump(rule), actor, now)
    _log(actor, found, RoutineSaved(found.pk, version.number), now)
    return version


def _new(name: str, rule: Rule, now: datetime) -> Routine:
    if Routine.objects.count() >= ROUTINES_MOST:
        raise BadInput(
            _("最多 %(most)d 条规则。") % {"most": ROUTINES_MOST}, hint=_("请改一条不用的，而不是再加一条。")
        )
    _refuse_taken(name)
    return Routine.objects.create(name=name, kind=rule.kind, created_at=now)


def _rename(routine: Routine, name: str) -> None:
    if routine.name != name:
        _refuse_taken(name)
        routine.name = name
        routine.save(update_fields=["name"])


def _refuse_taken(name: str) -> None:
    if Routine.objects.filter(name=name).exists():
        raise BadInput(_("已经有一条叫“%(name)s”的规则。") % {"name": name}, hint=_("请换一个名字。"))


def _draft(routine: Routine, content: dict[str, object], actor: User, now: datetime) -> Version:
    last = routine.versions.order_by("-number").first()
    if last is not None and last.activated_at is None:
        last.content, last.saved_by, last.saved_at = content, actor, now
        last.save(update_fields=["content", "saved_by", "saved_at"])
        return last
    number = last.number + 1 if last else 1
    return routine.versions.create(number=number, content=content, saved_by=actor, saved_at=now)


@transaction.atomic
def activate_routine(*, actor: User, routine: int, version: int, now: datetime) -> Routine:
    """Switch on the version with this number, which whoever does it has seen. Raises Forbidden, Missing,
    AlreadyOn, BadInput for one that has been saved anew meanwhile or fits no more."""
    found = access_routine(actor=actor, routine=routine)
    wanted = found.versions.filter(number=version).first()
    if wanted is None:
        raise BadInput(_("没有第 %(n)d 版。") % {"n": version}, hint=_("请刷新后重试。"))
    if found.live_id == wanted.pk:
        raise AlreadyOn(_("这一版已经启用。"), hint=_("请刷新查看最新状态。"))
    rule = checked(load(wanted.content))
    if wanted.activated_at is None:
        wanted.activated_by, wanted.activated_at = actor, now
        wanted.save(update_fields=["activated_by", "activated_at"])
    _switch(found, wanted, rule, now)
    _log(actor, found, RoutineActivated(found.pk, wanted.number), now)
    return found


def _switch(routine: Routine, version: Version, rule: Rule, now: datetime) -> None:
    """A schedule's unfinished run goes no further: it went by the version before."""
    Run.objects.filter(routine=routine, event=None, ended_at=None).update(ended_at=now)
    routine.live, routine.failures, routine.off_reason = version, 0, ""
    scheduled = rule.kind == RoutineKind.SCHEDULE
    routine.next_at = rule.rhythm.next(now, house_zone(), schedule()) if scheduled else None
    routine.save(update_fields=["live", "failures", "off_reason", "next_at"])
    _listen(routine, {OCCASIONS[key].kind for key in rule.occasions})
    wake(SCHEDULE_FLOW, [HOUSEKEEPING], now, now)
    if routine.next_at is not None:
        wake(SCHEDULE_FLOW, [routine.pk], routine.next_at, now)


def _listen(routine: Routine, kinds: set[str]) -> None:
    routine.listening.all().delete()
    Listening.objects.bulk_create(Listening(routine=routine, kind=kind) for kind in sorted(kinds))


@transaction.atomic
def deactivate_routine(*, actor: User, routine: int, now: datetime) -> Routine:
    """Switch a routine off: from now on it touches nothing. Raises Forbidden, Missing, NotOn."""
    found = access_routine(actor=actor, routine=routine)
    if found.live is None:
        raise NotOn(_("这条规则没有启用。"), hint=_("请刷新查看最新状态。"))
    number = found.live.number
    _off(found, "", now)
    _log(actor, found, RoutineDeactivated(found.pk, number), now)
    return found


@transaction.atomic
def turn_off(*, routine: Routine, reason: str, now: datetime) -> None:
    """The routine turns itself off, and says why; the leads are told."""
    found = (
        Routine.objects.select_for_update(no_key=True, of=("self",)).select_related("live").get(pk=routine.pk)
    )
    if found.live is None:
        return
    turned = RoutineTurnedOff(found.pk, found.live.number, reason)
    _off(found, reason, now)
    record([Entry(now, SYSTEM, f"routine:{found.pk}", turned)])


def _off(routine: Routine, reason: str, now: datetime) -> None:
    Run.objects.filter(routine=routine, event=None, ended_at=None).update(ended_at=now)
    routine.live, routine.off_reason, routine.next_at = None, reason, None
    routine.save(update_fields=["live", "off_reason", "next_at"])
    routine.listening.all().delete()


def _log(actor: User, routine: Routine, payload: Payload, now: datetime) -> None:
    record([Entry(now, actor_of(actor), f"routine:{routine.pk}", payload)])
