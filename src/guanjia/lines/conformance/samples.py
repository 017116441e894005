"""Parameters that fit a service's JSON Schema, and some that do not, made from the schema alone.

Not a solver: it takes what the schema offers (`const`, `examples`, `default`, `enum`, bounds,
formats), and what it makes is checked against the schema before it is used. Where that fails, the
person who runs the check gives the parameters.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any

from guanjia.lines.protocol.params import ParamsSchema

Schema = Mapping[str, Any]

_MAX_DEPTH = 16
_MAX_STEPS = 5_000  # a schema may refer to itself in more ways than we can follow
_MAX_INVALID = 6
_MAX_CANDIDATES = 100
_MAX_MADE = 1_000  # characters or items that we are willing to make up
_MISSING = object()

_OF_FORMAT = {
    "time": "10:00:00Z",
    "duration": "P1D",
    "email": "check@example.com",
    "idn-email": "check@example.com",
    "hostname": "example.com",
    "idn-hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uri-reference": "/check",
    "iri": "https://example.com/",
    "iri-reference": "/check",
    "uri-template": "/check/{id}",
    "uuid": "0b9f2f6a-6f0e-4c84-9d5a-0a4f0b1c2d3e",
    "json-pointer": "/check",
    "relative-json-pointer": "0",
    "regex": "check",
}


@dataclass(frozen=True, slots=True)
class Misfit:
    """Parameters that break the schema at one place; `field` is its JSON Pointer."""

    field: str
    params: dict[str, Any]


def fitting(schema: Schema, today: date) -> dict[str, Any] | None:
    """Parameters that fit, or None where none could be made. Dates lie a month ahead of `today`."""
    compiled = ParamsSchema(schema)
    maker = _Maker(schema, today + timedelta(days=30))
    with suppress(_TooManyWays):
        for candidate in islice(maker.candidates(schema, 0), _MAX_CANDIDATES):
            if isinstance(candidate, dict) and not compiled.errors(candidate):
                return candidate
    return None


def misfits(schema: Schema, params: Mapping[str, Any]) -> list[Misfit]:
    """Up to six ways to spoil `params`, one member each, all refused by the schema."""
    compiled = ParamsSchema(schema)
    clear = (one for one in _spoilt(params) if _blames(compiled, one))
    return list(islice(clear, _MAX_INVALID))


def _spoilt(params: Mapping[str, Any]) -> Iterator[Misfit]:
    for name in params:
        yield Misfit(pointer(name), {key: params[key] for key in params if key != name})
    for wrong in ([{"lp1": "check"}], "!", -1_000_000_007):  # type, format or enum, bounds
        for name in params:
            yield Misfit(pointer(name), {**params, name: wrong})


def _blames(compiled: ParamsSchema, misfit: Misfit) -> bool:
    """Whether the schema refuses it and the place is beyond doubt (in a `oneOf` it is not)."""
    fields = [error.field for error in compiled.errors(misfit.params)]
    return bool(fields) and all(names(field, misfit.field) for field in fields)


def names(field: str, expected: str) -> bool:
    """Whether the pointer `field` is `expected` or lies below it."""
    return field == expected or field.startswith(expected + "/")


def pointer(name: str) -> str:
    """The JSON Pointer of a member of `params` (RFC 6901)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


class _TooManyWays(Exception):  # noqa: N818 - ends the search
    """The schema has more combinations than we look at."""


class _Maker:
    """Makes values for the subschemas of one document."""

    def __init__(self, root: Schema, day: date) -> None:
        self._root = root
        self._day = day
        self._steps = 0

    def candidates(self, schema: object, depth: int) -> Iterator[Any]:
        """Values worth trying, the most explicit first."""
        if schema is True or depth > _MAX_DEPTH:
            yield "check"
        if not isinstance(schema, Mapping) or depth > _MAX_DEPTH:
            return
        offered = list(_offered(schema))
        yield from offered
        if offered and schema.get("type") != "object":
            return
        for flat in self._flattened(schema, depth):
            value = self._made(flat, depth)
            if value is not _MISSING:
                yield value

    def _first(self, schema: object, depth: int) -> Any:
        return next(self.candidates(schema, depth + 1), _MISSING)

    def _flattened(self, schema: Schema, depth: int) -> Iterator[dict[str, Any]]:
        """The schema with references resolved and one branch of each choice merged in."""
        self._steps += 1
        if self._steps > _MAX_STEPS:
            raise _TooManyWays
        merged = {key: value for key, value in schema.items() if key not in _COMBINING}
        for part in [self._resolved(schema.get("$ref")), *schema.get("allOf", ())]:
            if isinstance(part, Mapping) and depth < _MAX_DEPTH:
                merged = _merged(merged, next(self._flattened(part, depth + 1), {}))
        branches = [*schema.get("anyOf", ()), *schema.get("oneOf", ())] or [{}]
        for branch in branches:
            if isinstance(branch, Mapping) and depth < _MAX_DEPTH:
                for flat in self._flattened(branch, depth + 1) if branch else ({},):
                    yield _merged(merged, flat)

    def _resolved(self, reference: object) -> object:
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        node: object = self._root
        for part in reference.removeprefix("#").split("/")[1:]:
            if not isinstance(node, Mapping):
                return None
            node = node.get(part.replace("~1", "/").replace("~0", "~"))
        return node

    def _made(self, schema: Schema, depth: int) -> Any:
        offered = next(_offered(schema), _MISSING)
        kind = _kind(schema)
        if offered is not _MISSING and kind != "object":
            return offered
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, depth)
        if kind == "string":
            return self._string(schema)
        if kind in {"integer", "number"}:
            return _number(schema, whole=kind == "integer")
        return {"boolean": True, "null": None}.get(kind, "check")

    def _object(self, schema: Schema, depth: int) -> Any:
        properties = schema.get("properties", {})
        made = {}
        for name in schema.get("required", ()):
            value = self._first(properties.get(name, True), depth)
            if value is _MISSING:
                return _MISSING
            made[name] = value
        return made

    def _array(self, schema: Schema, depth: int) -> Any:
        items = [self._first(part, depth) for part in schema.get("prefixItems", ())]
        missing = min(schema.get("minItems", 0), _MAX_MADE) - len(items)
        if missing > 0:
            items += self._more_items(schema, missing, depth)
        return _MISSING if _MISSING in items else items

    def _more_items(self, schema: Schema, count: int, depth: int) -> list[Any]:
        of = schema.get("items", True)
        if not schema.get("uniqueItems"):
            return [self._first(of, depth)] * count
        choice = of.get("enum") if isinstance(of, Mapping) else None
        if choice:
            return list(choice[:count])
        first = self._first(of, depth)
        if isinstance(first, str):
            return [first, *(f"{first}{number}" for number in range(2, count + 1))]
        if isinstance(first, int) and not isinstance(first, bool):
            return [first + number for number in range(count)]
        return [first] * count

    def _string(self, schema: Schema) -> str:
        wanted = schema.get("format")
        if wanted == "date":
            return self._day.isoformat()
        if wanted == "date-time":
            return f"{self._day.isoformat()}T10:00:00Z"
        text = _OF_FORMAT.get(wanted, "check") if isinstance(wanted, str) else "check"
        if wanted in _OF_FORMAT:
            return text
        shortest = min(schema.get("minLength", 0), _MAX_MADE)
        return text.ljust(shortest, "x")[: schema.get("maxLength", _MAX_MADE)]


_COMBINING = frozenset({"$ref", "allOf", "anyOf", "oneOf"})


def _offered(schema: Schema) -> Iterator[Any]:
    """The values a schema names itself."""
    if "const" in schema:
        yield schema["const"]
    yield from schema.get("examples", ())
    if "default" in schema:
        yield schema["default"]
    yield from schema.get("enum", ())


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    both = {**one, **other}
    if "properties" in one and "properties" in other:
        both["properties"] = {**one["properties"], **other["properties"]}
    if "required" in one and "required" in other:
        both["required"] = list(dict.fromkeys([*one["required"], *other["required"]]))
    return both


def _kind(schema: Schema) -> str:
    kind = schema.get("type")
    if isinstance(kind, str):
        return kind
    if isinstance(kind, list) and kind:
        return str(next((one for one in kind if one != "null"), kind[0]))
    if "properties" in schema or "required" in schema:
        return "object"
    return "array" if "items" in schema else "any"


def _number(schema: Schema, *, whole: bool) -> float:
    """The smallest allowed number from 1 up, or below the maximum where that is less."""
    step = schema.get("multipleOf", 1)
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    most = schema.get("maximum", schema.get("exclusiveMaximum"))
    start = 1 if least is None else least
    if least is None and most is not None and most < 1:
        start = most - step
    number = math.ceil(start / step) * step
    if number == schema.get("exclusiveMinimum"):
        number += step
    return int(number) if whole else number
