"""What a plan may hold, and who does each of its steps on a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Forbidden
from guanjia.base.texts import clean
from guanjia.cases.models import Case
from guanjia.cases.tasking import DAYS_MOST, TITLE_MOST, Doer, find_doer
from guanjia.cases.working_time import schedule
from guanjia.core.plan import Circle, Dates, Step, dates, in_order
from guanjia.people.models import Role, RoleGrant, User

STEPS_MOST = 40
OWNER = "owner"
"""The step is done by whoever is accountable for the case."""


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One task of a plan; `key` is its number in the list, from 1. `doer` is OWNER, or `line:slug` and the
    like, as `tasking.find_doer` reads it."""

    key: int
    title: str
    doer: str = OWNER
    days: int = 1
    after: tuple[int, ...] = ()
    lag: int = 0
    holds: bool = True
    visible: bool = True
    detail: str = ""

    @property
    def core(self) -> Step:
        return Step(self.key, self.after, self.lag, self.days)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def read_steps(stored: Sequence[Mapping[str, Any]]) -> list[PlanStep]:
    """What `as_json` has written."""
    return [PlanStep(**{**one, "after": tuple(one["after"])}) for one in stored]


def require_sound(steps: Sequence[PlanStep]) -> list[PlanStep]:
    """The steps, cleaned and numbered as they stand. Raises BadInput that names the step."""
    if not 1 <= len(steps) <= STEPS_MOST:
        raise BadInput(_("一份方案要有 1 到 %(most)d 步。") % {"most": STEPS_MOST})
    sound = [_sound(step, len(steps)) for step in steps]
    try:
        in_order(step.core for step in sound)
    except Circle as circle:
        keys = _("、").join(str(key) for key in circle.keys)
        raise BadInput(
            _("第 %(keys)s 步互相等，谁也开始不了。") % {"keys": keys}, hint=_("请去掉其中一个“等第几步”。")
        ) from None
    return sound


def _sound(step: PlanStep, count: int) -> PlanStep:
    where = {"n": step.key}
    title = clean(step.title, field=_("第 %(n)d 步") % where, most=TITLE_MOST)
    detail = clean(step.detail, field=_("第 %(n)d 步的说明") % where, most=1000, least=0)
    if not (0 <= step.days <= DAYS_MOST and 0 <= step.lag <= DAYS_MOST):
        raise BadInput(_("第 %(n)d 步的工作日要在 0 到 %(most)d 之间。") % {**where, "most": DAYS_MOST})
    if any(key == step.key or not 1 <= key <= count for key in step.after):
        raise BadInput(
            _("第 %(n)d 步要等的步骤不在方案里。") % where, hint=_("请填前面那一步的号码，用逗号分开。")
        )
    if step.doer != OWNER:
        _known(step)
    return replace(step, title=title, detail=detail, after=tuple(sorted(set(step.after))))


def _known(step: PlanStep) -> Doer:
    try:
        return find_doer(step.doer)
    except BadInput:
        raise BadInput(
            _("第 %(n)d 步没有这位经办人。") % {"n": step.key}, hint=_("请从名单里选一位。")
        ) from None


def doer_of_step(step: PlanStep, case: Case) -> Doer:
    """Raises BadInput where the step's line is gone."""
    return Doer(case.answerable) if step.doer == OWNER else _known(step)


def dates_of(steps: Sequence[PlanStep], start: datetime) -> Mapping[int, Dates]:
    """When each step would begin and be due, by the calendar in force."""
    return dates((step.core for step in steps), start, schedule())


def require_lead(actor: User) -> None:
    """Raises Forbidden for anyone who does not lead the service."""
    if not (actor.is_active and RoleGrant.objects.filter(user=actor, role=Role.SERVICE_LEAD).exists()):
        raise Forbidden(_("这件事由服务体系负责人来定。"), hint=_("请联系服务体系负责人。"))
