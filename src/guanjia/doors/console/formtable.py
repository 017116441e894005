"""A service's form as a table of fields, and the JSON Schema it stands for.

The table knows flat forms of texts, numbers, dates and choices. A schema is shown as a table only if the
table says all of it: read and compiled again it must be the same schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from guanjia.doors.console.asked import in_order

NAME: Final = re.compile(r"^[a-z][a-z0-9_]{0,39}\Z")
_TYPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "date": {"type": "string", "format": "date"},
    "moment": {"type": "string", "format": "date-time"},
    "choice": {"type": "string"},
    "yes": {"type": "boolean"},
}
_BOUNDS: Final[Mapping[str, tuple[str, str]]] = {
    "text": ("minLength", "maxLength"),
    "integer": ("minimum", "maximum"),
    "number": ("minimum", "maximum"),
}
_MARKS: Final = {"slot": "x-slot", "quantity": "x-quantity"}


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field. `kind` a key of the types above; `least` and `most` are lengths of a text and values of
    a number; `fact` prefills it with what the marketplace knows; `mark` slot, quantity or empty."""

    name: str
    zh: str
    en: str
    kind: str
    required: bool
    options: tuple[str, ...] = ()
    least: int | float | None = None
    most: int | float | None = None
    fact: str = ""
    mark: str = ""


def compile_schema(rows: Sequence[FieldRow]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {row.name: _property(row) for row in rows},
        "required": [row.name for row in rows if row.required],
        "additionalProperties": False,
    }


def _property(row: FieldRow) -> dict[str, Any]:
    found: dict[str, Any] = dict(_TYPES[row.kind])
    if row.zh or row.en:
        found["x-titles"] = {tag: text for tag, text in (("zh-Hans", row.zh), ("en", row.en)) if text}
    if row.kind == "choice":
        found["enum"] = list(row.options)
    for key, bound in zip(_BOUNDS.get(row.kind, ()), (row.least, row.most), strict=False):
        if bound is not None:
            found[key] = bound
    if row.fact:
        found["x-fact"] = row.fact
    if row.mark:
        found[_MARKS[row.mark]] = True
    return found


def read_schema(schema: Mapping[str, Any]) -> list[FieldRow] | None:
    """The table of this schema, in the order of the form; None where a table cannot say all of it."""
    try:
        rows = [_row(name, schema["properties"][name], schema) for name in in_order(schema)]
    except (KeyError, TypeError, AttributeError):
        return None
    return rows if _same(compile_schema(rows), schema) else None


def _row(name: str, field: Mapping[str, Any], schema: Mapping[str, Any]) -> FieldRow:
    kind = _kind(field)
    least, most = _BOUNDS.get(kind, ("", ""))
    titles = field.get("x-titles", {})
    return FieldRow(
        name=name,
        zh=titles.get("zh-Hans", ""),
        en=titles.get("en", ""),
        kind=kind,
        required=name in schema.get("required", ()),
        options=tuple(field.get("enum", ())),
        least=field.get(least),
        most=field.get(most),
        fact=field.get("x-fact", ""),
        mark=next((mark for mark, key in _MARKS.items() if field.get(key) is True), ""),
    )


def _kind(field: Mapping[str, Any]) -> str:
    """Raises KeyError for a type that the table does not know."""
    if "enum" in field and field.get("type") == "string":
        return "choice"
    by_type = {(one["type"], one.get("format")): kind for kind, one in _TYPES.items() if kind != "choice"}
    return by_type[field["type"], field.get("format")]


def _same(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Equal but for the order in which required fields are listed, and an empty list of them."""
    return _canonical(ours) == _canonical(theirs)


def _canonical(schema: Mapping[str, Any]) -> str:
    return json.dumps({**schema, "required": sorted(schema.get("required", ()))}, sort_keys=True)
