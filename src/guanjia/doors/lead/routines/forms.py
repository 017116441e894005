"""A rule as a form whose rows are added and removed by its own buttons: no script is needed.

What was typed is kept, right or wrong; what is wrong with it the action says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as n_

from guanjia.routines.conditions import Condition
from guanjia.routines.deeds import DEEDS
from guanjia.routines.facts import COMPARISONS, FACTS, Comparison, FactType
from guanjia.routines.models import RoutineKind
from guanjia.routines.rhythm import Days, Rhythm
from guanjia.routines.rule import Office, Rule, Scope, Step
from guanjia.routines.rules import CONDITIONS_MOST, STEPS_MOST

COMPARED = {
    Comparison.ANY_OF: n_("是这些"),
    Comparison.NONE_OF: n_("不是这些"),
    Comparison.AT_LEAST: n_("至少"),
    Comparison.AT_MOST: n_("至多"),
    Comparison.CONTAINS: n_("有这些字"),
    Comparison.LACKS: n_("没有这些字"),
}
GROUPS = (("every", n_("必须")), ("some", n_("任一即可")))
SEPARATORS = str.maketrans("，、;；\n", ",,,,,")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the form: the rule as far as it can be read, and texts as they were typed."""

    name: str
    rule: Rule
    typed: Mapping[str, str] = field(default_factory=dict)


def draft_of(name: str, rule: Rule) -> Draft:
    """A form that shows a rule."""
    rhythm = rule.rhythm
    hours = rule.again_hours
    typed = {
        "at": f"{rhythm.hour:02}:{rhythm.minute:02}",
        "again": "once" if hours is None else "hours" if hours else "always",
        "again_hours": str(hours or 24),
        "per_hour": str(rule.per_hour),
    }
    return Draft(name, rule, typed)


def read(post: QueryDict, kind: RoutineKind) -> Draft:
    """What was sent. A part that cannot be read becomes one that the action refuses."""
    typed = {name: post.get(name, "") for name in ("at", "again", "again_hours", "per_hour")}
    conditions = list(_conditions(post))
    office = post.get("office", "")
    rule = Rule(
        kind=kind,
        occasions=tuple(post.getlist("occasion")),
        rhythm=_rhythm(post),
        scope=Scope.SOLVED if post.get("scope") == Scope.SOLVED else Scope.LIVE,
        every=tuple(one for group, one in conditions if group == "every"),
        some=tuple(one for group, one in conditions if group == "some"),
        office=Office(office) if office in set(Office) else Office.ANY,
        again_hours=_again(typed),
        per_hour=_integer(typed["per_hour"]),
        steps=tuple(_steps(post)),
    )
    return Draft(post.get("name", ""), rule, typed)


def pressed(draft: Draft, post: QueryDict) -> Draft:
    """After the button that was pressed: a row more, or one less."""
    verb, _sep, which = post.get("do", "").partition(":")
    rule = draft.rule
    fact, deed = FACTS.get(post.get("new_fact", "")), post.get("new_deed", "")
    if verb == "add-condition" and fact is not None:
        rule = replace(rule, every=(*rule.every, Condition(fact.key, COMPARISONS[fact.type][0], ())))
    elif verb == "drop-every":
        rule = replace(rule, every=_without(rule.every, which))
    elif verb == "drop-some":
        rule = replace(rule, some=_without(rule.some, which))
    elif verb == "add-step" and deed in DEEDS:
        rule = replace(rule, steps=(*rule.steps, Step(deed)))
    elif verb == "drop-step":
        rule = replace(rule, steps=_without(rule.steps, which))
    return replace(draft, rule=rule)


def _without(rows: tuple[T, ...], which: str) -> tuple[T, ...]:
    return tuple(row for n, row in enumerate(rows) if str(n) != which)


def _conditions(post: QueryDict) -> Iterator[tuple[str, Condition]]:
    for n in range(CONDITIONS_MOST + 1):
        fact = FACTS.get(post.get(f"c{n}-fact", ""))
        how = post.get(f"c{n}-is", "")
        if fact is None or how not in set(Comparison):
            continue
        values = post.getlist(f"c{n}-value")
        if fact.type is not FactType.CHOICE:
            values = [part.strip() for part in "".join(values[:1]).translate(SEPARATORS).split(",")]
        group = "some" if post.get(f"c{n}-group") == "some" else "every"
        value = tuple(part for part in values if part)
        yield group, Condition(fact.key, Comparison(how), value, post.get(f"c{n}-key", "").strip())


def _steps(post: QueryDict) -> Iterator[Step]:
    for n in range(STEPS_MOST + 1):
        deed = DEEDS.get(post.get(f"s{n}-do", ""))
        if deed is not None:
            yield Step(deed.key, {one.name: post.get(f"s{n}-{one.name}", "") for one in deed.fields})


def _rhythm(post: QueryDict) -> Rhythm:
    if post.get("rhythm") != "daily":
        return Rhythm(minutes=_integer(post.get("minutes", "")))
    hour, _sep, minute = post.get("at", "").partition(":")
    chosen = post.get("days", "")
    days = Days(chosen) if chosen in set(Days) else Days.ALL
    weekdays = tuple(sorted({_integer(day) for day in post.getlist("weekday")}))
    return Rhythm(0, _integer(hour), _integer(minute), days, weekdays if days is Days.SOME else ())


def _again(typed: Mapping[str, str]) -> int | None:
    if typed["again"] == "once":
        return None
    return 0 if typed["again"] == "always" else _integer(typed["again_hours"])


def _integer(text: str) -> int:
    """-1 for what is none: no part of a rule may be that."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1


# --- rows as the page shows them -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    words: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One condition in the form; `drop` is its button's word. `widget`: choices, number or text."""

    n: int
    drop: str
    fact: str
    words: str
    widget: str
    groups: Sequence[Choice]
    comparisons: Sequence[Choice]
    choices: Sequence[Choice]
    text: str
    key: str | None
    unit: str


def condition_rows(rule: Rule) -> list[Row]:
    """All conditions, numbered through: those that must hold, then those of which one must."""
    rows = [("every", n, one) for n, one in enumerate(rule.every)]
    rows += [("some", n, one) for n, one in enumerate(rule.some)]
    return [_row(n, group, place, one) for n, (group, place, one) in enumerate(rows)]


def _row(n: int, group: str, place: int, one: Condition) -> Row:
    fact = one.about
    widget = {FactType.CHOICE: "choices", FactType.NUMBER: "number"}.get(fact.type, "text")
    return Row(
        n,
        f"drop-{group}:{place}",
        fact.key,
        _(fact.words),
        widget,
        [Choice(value, _(words), value == group) for value, words in GROUPS],
        [Choice(how, _(COMPARED[how]), how == one.comparison) for how in COMPARISONS[fact.type]],
        [Choice(value, _(words), value in one.value) for value, words in fact.choices],
        _("，").join(one.value),
        one.key if fact.type is FactType.MERCHANT else None,
        _(fact.unit) if fact.unit else "",
    )


@dataclass(frozen=True, slots=True)
class Input:
    name: str
    words: str
    value: str
    choices: Sequence[Choice]
    long: bool
    hint: str


@dataclass(frozen=True, slots=True)
class StepRow:
    n: int
    deed: str
    words: str
    inputs: Sequence[Input]


def step_rows(rule: Rule) -> list[StepRow]:
    return [
        StepRow(n, step.deed, _(DEEDS[step.deed].words), _inputs(step)) for n, step in enumerate(rule.steps)
    ]


def _inputs(step: Step) -> list[Input]:
    return [
        Input(
            one.name,
            _(one.words),
            step.params.get(one.name, ""),
            [Choice(v, _(words), v == step.params.get(one.name)) for v, words in one.choices],
            one.long,
            _(one.hint) if one.hint else "",
        )
        for one in DEEDS[step.deed].fields
    ]
