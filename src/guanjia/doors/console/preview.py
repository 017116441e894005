"""A service's form as a merchant will see it, with nothing to send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from guanjia.doors.console.asked import in_order, title_of

_INPUTS = {"date": "date", "date-time": "datetime-local", "email": "email", "uri": "url"}


@dataclass(frozen=True, slots=True)
class Shown:
    """One input: `kind` text, number, date, …, select, tick or other; `fact` where it is prefilled."""

    name: str
    title: str
    kind: str
    required: bool
    options: tuple[str, ...]
    least: object
    most: object
    fact: str
    mark: str


def preview(schema: Mapping[str, Any]) -> list[Shown]:
    """The inputs in the order of the form."""
    properties, required = schema.get("properties", {}), schema.get("required", ())
    fields = [(name, properties[name]) for name in in_order(schema)]
    return [
        _shown(name, field if isinstance(field, Mapping) else {}, name in required) for name, field in fields
    ]


def _shown(name: str, field: Mapping[str, Any], required: bool) -> Shown:
    options = field.get("enum", ())
    return Shown(
        name=name,
        title=title_of(field, name),
        kind="select" if options else _kind(field),
        required=required,
        options=tuple(str(one) for one in options),
        least=field.get("minimum", field.get("minLength")),
        most=field.get("maximum", field.get("maxLength")),
        fact=str(field.get("x-fact", "")),
        mark="slot" if field.get("x-slot") is True else "quantity" if field.get("x-quantity") is True else "",
    )


def _kind(field: Mapping[str, Any]) -> str:
    kind = field.get("type")
    if kind == "string":
        return _INPUTS.get(str(field.get("format", "")), "text")
    if kind in ("integer", "number"):
        return "number"
    return "tick" if kind == "boolean" else "other"
