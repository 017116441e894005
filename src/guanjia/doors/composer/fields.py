"""A service's JSON Schema as fields people fill in, and what they typed as its parameters.

Every schema can be filled in: what has no field of its own is typed as JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.errors import FieldError
from guanjia.base.texts import pick
from guanjia.packages.composition import Typed

Schema = Mapping[str, Any]

LONG_FROM = 120
"""A text that may be longer than this gets room for several lines."""
RADIOS_MOST = 4
SIMPLE = ("string", "number", "integer")
BEYOND_US = ("$ref", "oneOf", "anyOf", "allOf", "if", "not", "patternProperties", "dependentSchemas")
"""Keywords that say more about the whole than separate fields can show."""


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    text: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `path` is a JSON pointer into the parameters; `kind` names its widget: text, long,
    number, integer, flag, date, choice, radios, many, list, json, or group for one with `fields`.
    `picked` are the chosen options of `many`; `known`: the marketplace knows the value already.
    `id` and `input` (its name in the form) are set by `placed`."""

    path: str
    kind: str
    label: str
    schema: Schema
    required: bool
    id: str = ""
    input: str = ""
    help: str = ""
    value: str = ""
    picked: Sequence[str] = ()
    options: Sequence[Option] = ()
    known: bool = False
    error: str = ""
    fields: tuple[Field, ...] = ()

    @property
    def template(self) -> str:
        return f"doors/composer/fields/{_TEMPLATES.get(self.kind, self.kind)}.html"


_TEMPLATES = {"integer": "number", "date": "text", "list": "long", "json": "long"}


# --- from the schema ------------------------------------------------------------------------------


def fields_of(schema: Schema, facts: Mapping[str, Any]) -> tuple[Field, ...]:
    """The fields of an object schema, with known facts and defaults filled in."""
    if not _plain(schema):
        return (Field("", "json", _("参数 (JSON)"), schema, required=True, value="{}"),)
    return tuple(_field(name, one, "", schema, facts) for name, one in schema.get("properties", {}).items())


def _plain(schema: Schema) -> bool:
    """Whether filling in each of its properties is all there is to it."""
    properties = schema.get("properties", {})
    whole = not any(word in schema for word in BEYOND_US) and set(schema.get("required", ())) <= {*properties}
    return whole and all(isinstance(one, Mapping) for one in properties.values())


def _field(name: str, schema: Schema, above: str, owner: Schema, facts: Mapping[str, Any]) -> Field:
    path = f"{above}/{name.replace('~', '~0').replace('/', '~1')}"
    kind = _kind(schema, nested=bool(above))
    field = Field(
        path=path,
        kind=kind,
        label=_label(name, schema),
        schema=schema,
        required=name in owner.get("required", ()),
        help=_help(schema, kind),
        options=tuple(Option(_text(one), _text(one)) for one in _choices(schema)),
    )
    if kind == "group":
        inner = schema["properties"].items()
        return replace(field, fields=tuple(_field(n, one, path, schema, facts) for n, one in inner))
    fact = str(schema.get("x-fact", "")) if not above else ""
    known = fact in facts
    given = facts[fact] if known else schema.get("default")
    return replace(_filled(field, _as_typed(given, kind)), known=known)


def _label(name: str, schema: Schema) -> str:
    titles = schema.get("x-titles")
    return pick(titles) if isinstance(titles, Mapping) and titles else str(schema.get("title") or name)


def _help(schema: Schema, kind: str) -> str:
    texts = schema.get("x-descriptions")
    told = pick(texts) if isinstance(texts, Mapping) else str(schema.get("description", ""))
    how = {"list": _("每行一个"), "json": _("按 JSON 填写")}.get(kind, "")
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        how = _("%(low)s 到 %(high)s") % {"low": low, "high": high}
    return _("；").join(part for part in (told, how) if part)


def _kind(schema: Schema, *, nested: bool) -> str:
    if any(word in schema for word in BEYOND_US):
        return "json"
    if "enum" in schema:
        simple = all(isinstance(one, str | int | float) for one in schema["enum"])
        return ("radios" if len(schema["enum"]) <= RADIOS_MOST else "choice") if simple else "json"
    find = _KINDS.get(_type(schema))
    kind = find(schema) if find else "json"
    return "json" if nested and kind == "group" else kind


def _type(schema: Schema) -> str:
    """The one type that can be typed; of "text or null" the text."""
    types = schema.get("type", "")
    named = [one for one in types if one != "null"] if isinstance(types, list) else [types]
    return str(named[0]) if len(named) == 1 else ""


def _of_text(schema: Schema) -> str:
    if schema.get("format") == "date":
        return "date"
    return "long" if schema.get("maxLength", 0) > LONG_FROM else "text"


def _of_list(schema: Schema) -> str:
    of = schema.get("items")
    if not isinstance(of, Mapping) or "prefixItems" in schema:
        return "json"
    if "enum" in of:
        return "many"
    return "list" if _type(of) in SIMPLE and not any(word in of for word in BEYOND_US) else "json"


def _of_object(schema: Schema) -> str:
    return "group" if schema.get("properties") and _plain(schema) else "json"


_KINDS: Mapping[str, Callable[[Schema], str]] = {
    "string": _of_text,
    "number": lambda _schema: "number",
    "integer": lambda _schema: "integer",
    "boolean": lambda _schema: "flag",
    "array": _of_list,
    "object": _of_object,
}


def _choices(schema: Schema) -> Sequence[Any]:
    of = schema.get("items")
    choices = schema.get("enum") or (of.get("enum") if isinstance(of, Mapping) else None)
    return choices or ()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _as_typed(value: Any, kind: str) -> str | list[str]:
    """A value as somebody would have typed it."""
    if value is None:
        return ""
    if kind == "many":
        return [_text(one) for one in value] if isinstance(value, list) else []
    if kind == "list" and isinstance(value, list):
        return "\n".join(_text(one) for one in value)
    if kind == "flag":
        return "1" if value is True else ""
    return json.dumps(value, ensure_ascii=False, indent=1) if kind == "json" else _text(value)


# --- with what was typed --------------------------------------------------------------------------


def leaves(fields: Sequence[Field]) -> list[Field]:
    """The fields into which something is typed."""
    return [leaf for field in fields for leaf in (leaves(field.fields) if field.fields else [field])]


def fill(fields: Sequence[Field], typed: Typed) -> tuple[Field, ...]:
    """The fields with what was typed in them, right or wrong."""
    return _each(fields, lambda leaf: _filled(leaf, typed[leaf.path]) if leaf.path in typed else leaf)


def _filled(field: Field, typed: str | list[str]) -> Field:
    if field.kind == "many":
        return replace(field, picked=typed if isinstance(typed, list) else ())
    value = typed if isinstance(typed, str) else ""
    return replace(field, value=value, known=field.known and value == field.value)


def placed(fields: Sequence[Field], item: str) -> tuple[Field, ...]:
    """The fields with a name in the form of their own, and an id, for the item with this id.

    A name is `item:path`; with `*` for `:` where several values are chosen.
    """
    numbers = count(1)

    def place(leaf: Field) -> Field:
        mark = "*" if leaf.kind == "many" else ":"
        return replace(leaf, id=f"{item}-{next(numbers)}", input=f"{item}{mark}{leaf.path}")

    return _each(fields, place)


def blame(fields: Sequence[Field], errors: Sequence[FieldError]) -> tuple[Field, ...]:
    """The fields, each with the first error that is about it or about what is in it."""

    def blamed(leaf: Field) -> Field:
        about = [error.message for error in errors if _is_about(leaf, error)]
        return replace(leaf, error=about[0]) if about else leaf

    return _each(fields, blamed)


def homeless(fields: Sequence[Field], errors: Sequence[FieldError]) -> list[FieldError]:
    """The errors that no field shows."""
    return [error for error in errors if not any(_is_about(leaf, error) for leaf in leaves(fields))]


def _is_about(leaf: Field, error: FieldError) -> bool:
    """A missing group is told at each field that it cannot do without."""
    inside = error.path == leaf.path or error.path.startswith(f"{leaf.path}/")
    return inside or bool(leaf.required and error.path and leaf.path.startswith(f"{error.path}/"))


def _each(fields: Sequence[Field], change: Callable[[Field], Field]) -> tuple[Field, ...]:
    return tuple(
        replace(field, fields=_each(field.fields, change)) if field.fields else change(field)
        for field in fields
    )


# --- to the parameters ----------------------------------------------------------------------------


def params_of(fields: Sequence[Field]) -> tuple[dict[str, Any], list[FieldError]]:
    """What was typed as parameters, and what cannot be read at all; an empty field is left out."""
    found: dict[str, Any] = {}
    errors: list[FieldError] = []
    for field in fields:
        if field.kind == "group":
            value, wrong = params_of(field.fields)
            errors += wrong
            given = bool(value)
        else:
            value, given = _value(field)
        if field.kind == "json" and given and value is _UNREADABLE:
            errors.append(FieldError(field.path, field.label, _("不是合法的 JSON")))
        elif given and not field.path:
            return _whole(field, value)
        elif given:
            found[_name(field)] = value
    return found, errors


_UNREADABLE = object()


def _whole(field: Field, value: Any) -> tuple[dict[str, Any], list[FieldError]]:
    if isinstance(value, dict):
        return value, []
    return {}, [FieldError("", field.label, _("应为对象 {…}"))]


def _name(field: Field) -> str:
    return field.path.rpartition("/")[2].replace("~1", "/").replace("~0", "~")


def _value(field: Field) -> tuple[Any, bool]:
    """The value of a field, and whether there is one."""
    if field.kind == "flag":
        return field.value == "1", field.required or field.value == "1" or "default" in field.schema
    if field.kind == "many":
        return [_chosen(field, one) for one in field.picked], bool(field.picked)
    text = field.value.strip()
    return (_read(field, text), True) if text else (None, False)


def _read(field: Field, text: str) -> Any:
    if field.kind in ("choice", "radios"):
        return _chosen(field, text)
    if field.kind == "json":
        return _json(text)
    if field.kind == "list":
        of = _type(field.schema["items"])
        return [_simple(of, line.strip()) for line in text.splitlines() if line.strip()]
    return _simple(_type(field.schema), text)


def _chosen(field: Field, text: str) -> Any:
    """The option with this text; another text stays one, for the schema to refuse."""
    return next((one for one in _choices(field.schema) if _text(one) == text), text)


def _simple(kind: str, text: str) -> Any:
    """A number where one is asked for and written; otherwise the text, for the schema to refuse."""
    if kind not in ("integer", "number"):
        return text
    bare = text.replace(",", "").replace("，", "")
    try:
        return int(bare)
    except ValueError:
        pass
    try:
        number = float(bare)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _UNREADABLE
