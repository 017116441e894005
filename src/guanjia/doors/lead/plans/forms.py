"""A plan as a form: a row for each step, and a few empty ones behind."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.http import QueryDict
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput
from guanjia.cases.planning import OWNER, STEPS_MOST, PlanStep
from guanjia.doors.instants import number

SPARE = 3
_SPLIT = re.compile(r"[\s,，、;；]+")


@dataclass(frozen=True, slots=True)
class Row:
    """A step as it is typed. `number` counts from 1, also over empty rows."""

    number: int
    title: str = ""
    doer: str = OWNER
    days: str = "1"
    after: str = ""
    lag: str = "0"
    detail: str = ""
    holds: bool = True
    visible: bool = True


@dataclass(frozen=True, slots=True)
class Typed:
    name: str = ""
    about: str = ""
    seen: str = ""
    rows: Sequence[Row] = field(default_factory=list)


def blank() -> Typed:
    return Typed(rows=_spare(0))


def of_steps(name: str, about: str, seen: int, steps: Sequence[PlanStep]) -> Typed:
    rows = [
        Row(
            number=step.key,
            title=step.title,
            doer=step.doer,
            days=str(step.days),
            after="、".join(str(key) for key in step.after),
            lag=str(step.lag),
            detail=step.detail,
            holds=step.holds,
            visible=step.visible,
        )
        for step in steps
    ]
    return Typed(name, about, str(seen), [*rows, *_spare(len(rows))])


def _spare(count: int) -> list[Row]:
    return [Row(n) for n in range(count + 1, min(count + SPARE, STEPS_MOST) + 1)]


def read(form: QueryDict) -> Typed:
    """As it was typed, with its empty rows; a form with more rows than a plan may have is cut."""
    count = min(max(number(form.get("rows", "0")), 0), STEPS_MOST)
    rows = [_row(form, n) for n in range(1, count + 1)]
    return Typed(form.get("name", ""), form.get("about", ""), form.get("seen", ""), rows)


def _row(form: QueryDict, n: int) -> Row:
    def text(name: str) -> str:
        return form.get(f"s{n}-{name}", "")

    return Row(
        number=n,
        title="" if f"s{n}-cut" in form else text("title"),
        doer=text("doer") or OWNER,
        days=text("days"),
        after=text("after"),
        lag=text("lag"),
        detail=text("detail"),
        holds=f"s{n}-holds" in form,
        visible=f"s{n}-visible" in form,
    )


def steps_of(typed: Typed) -> list[PlanStep]:
    """The rows that say something, numbered anew; "after" follows the rows it meant. Raises BadInput."""
    kept = [row for row in typed.rows if row.title.strip()]
    keys = {row.number: key for key, row in enumerate(kept, start=1)}
    return [_step(row, keys) for row in kept]


def _step(row: Row, keys: Mapping[int, int]) -> PlanStep:
    return PlanStep(
        key=keys[row.number],
        title=row.title,
        doer=row.doer,
        days=number(row.days or "0"),
        after=tuple(_after(row, keys)),
        lag=number(row.lag or "0"),
        holds=row.holds,
        visible=row.visible,
        detail=row.detail,
    )


def _after(row: Row, keys: Mapping[int, int]) -> list[int]:
    found = [number(word) for word in _SPLIT.split(row.after.strip()) if word]
    if any(key not in keys for key in found):
        raise BadInput(
            _("第 %(n)d 步要等的步骤不在方案里。") % {"n": row.number},
            hint=_("请填前面那一步的号码，用逗号分开。"),
        )
    return [keys[key] for key in found]
