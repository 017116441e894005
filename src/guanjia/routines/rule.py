"""What a routine says, as one value: read from a form or a file, checked, and written down as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from guanjia.routines.conditions import Condition
from guanjia.routines.facts import Comparison
from guanjia.routines.models import RoutineKind
from guanjia.routines.rhythm import Days, Rhythm

PER_HOUR = 500
"""How many cases a routine may change in an hour, unless its lead says otherwise."""


NO_RHYTHM = Rhythm()


class Scope(StrEnum):
    LIVE = "live"
    SOLVED = "solved"


class Office(StrEnum):
    """The business-hours condition."""

    ANY = "any"
    WITHIN = "within"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, with what it needs, as texts."""

    deed: str
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """`every` and `some`: all of the first hold and one of the second. `again_hours`: not again on a case
    within so many hours, 0 always, None never again. A trigger has `occasions`, a schedule a `rhythm` and a
    `scope`."""

    kind: RoutineKind
    occasions: tuple[str, ...] = ()
    rhythm: Rhythm = NO_RHYTHM
    scope: Scope = Scope.LIVE
    every: tuple[Condition, ...] = ()
    some: tuple[Condition, ...] = ()
    office: Office = Office.ANY
    again_hours: int | None = 24
    per_hour: int = PER_HOUR
    steps: tuple[Step, ...] = ()

    @property
    def again(self) -> timedelta | None:
        return None if self.again_hours is None else timedelta(hours=self.again_hours)


def dump(rule: Rule) -> dict[str, Any]:
    """As JSON; `load(dump(rule)) == rule`."""
    content: dict[str, Any] = {"kind": str(rule.kind)}
    if rule.kind == RoutineKind.TRIGGER:
        content["when"] = list(rule.occasions)
    else:
        content["every" if rule.rhythm.minutes else "daily"] = _rhythm(rule.rhythm)
        content["scope"] = str(rule.scope)
    return content | {
        "all": [_condition(condition) for condition in rule.every],
        "any": [_condition(condition) for condition in rule.some],
        "office_hours": str(rule.office),
        "again_hours": rule.again_hours,
        "per_hour": rule.per_hour,
        "do": [{"do": step.deed, **step.params} for step in rule.steps],
    }


def _rhythm(rhythm: Rhythm) -> object:
    if rhythm.minutes:
        return rhythm.minutes
    return {
        "at": f"{rhythm.hour:02}:{rhythm.minute:02}",
        "days": str(rhythm.days),
        "weekdays": list(rhythm.weekdays),
    }


def _condition(condition: Condition) -> dict[str, object]:
    named = {"key": condition.key} if condition.key else {}
    return {
        "fact": condition.fact,
        **named,
        "is": str(condition.comparison),
        "value": list(condition.value),
    }


def load(content: Mapping[str, Any]) -> Rule:
    """What `dump` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    kind = RoutineKind(content["kind"])
    trigger = kind == RoutineKind.TRIGGER
    again = content.get("again_hours", 24)
    return Rule(
        kind=kind,
        occasions=tuple(map(str, content["when"])) if trigger else (),
        rhythm=NO_RHYTHM if trigger else _read_rhythm(content),
        scope=Scope(content.get("scope", "live")),
        every=tuple(map(_read_condition, content.get("all", ()))),
        some=tuple(map(_read_condition, content.get("any", ()))),
        office=Office(content.get("office_hours", "any")),
        again_hours=None if again is None else int(again),
        per_hour=int(content.get("per_hour", PER_HOUR)),
        steps=tuple(map(_read_step, content["do"])),
    )


def _read_rhythm(content: Mapping[str, Any]) -> Rhythm:
    if "every" in content:
        return Rhythm(minutes=int(content["every"]))
    daily = content["daily"]
    hour, _, minute = str(daily["at"]).partition(":")
    days = Days(daily.get("days", "all"))
    return Rhythm(0, int(hour), int(minute), days, tuple(map(int, daily.get("weekdays", ()))))


def _read_condition(content: Mapping[str, Any]) -> Condition:
    value = tuple(map(str, content["value"]))
    return Condition(str(content["fact"]), Comparison(content["is"]), value, str(content.get("key", "")))


def _read_step(content: Mapping[str, Any]) -> Step:
    params = {str(name): str(value) for name, value in content.items() if name != "do"}
    return Step(str(content["do"]), params)
