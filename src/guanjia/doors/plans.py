"""A plan with its dates, as the desk and the lead look at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput
from guanjia.cases.planning import OWNER, PlanStep, dates_of
from guanjia.cases.tasking import find_doer


@dataclass(frozen=True, slots=True)
class Dated:
    step: PlanStep
    who: str
    starts_at: datetime
    due_at: datetime


def dated(steps: Sequence[PlanStep], start: datetime) -> list[Dated]:
    """Every step with who does it and when, if the plan begins at `start`."""
    names = {ref: _name(ref) for ref in {step.doer for step in steps}}
    dates = dates_of(steps, start) if steps else {}
    return [
        Dated(step, names[step.doer], dates[step.key].starts_at, dates[step.key].due_at) for step in steps
    ]


def _name(ref: str) -> str:
    if ref == OWNER:
        return _("负责人")
    try:
        return find_doer(ref).name
    except BadInput:
        return _("已不在")
