"""How large a schema becomes when its references are followed: bounded before anything is compiled.

A few hundred bytes of references to references can keep a compiler busy for minutes; a reference to
itself for ever. Definitions are counted once each (memoised), so that the count itself is linear.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

MAX_SIZE: Final = 5_000
"""Subschemas of a service's schema with every reference followed."""

_PREFIX: Final = "#/$defs/"


def check_size(schema: Mapping[str, Any]) -> None:
    """ValueError for a schema that refers to itself, refers elsewhere, or is larger than MAX_SIZE."""
    definitions = schema.get("$defs", {})
    size = _size({k: v for k, v in schema.items() if k != "$defs"}, definitions, {}, ())
    if size > MAX_SIZE:
        raise ValueError(f"the schema has more than {MAX_SIZE} parts with its references followed")


def _size(node: Any, definitions: Any, known: dict[str, int], path: tuple[str, ...]) -> int:
    total = 0
    for name, child in _children(node):
        total += 1
        if name in ("$ref", "$dynamicRef") and isinstance(child, str):
            total += _referred(child, definitions, known, path)
        elif isinstance(child, Mapping | list):
            total += _size(child, definitions, known, path)
        if total > MAX_SIZE:
            return total
    return total


def _referred(target: str, definitions: Any, known: dict[str, int], path: tuple[str, ...]) -> int:
    name = target.removeprefix(_PREFIX).replace("~1", "/").replace("~0", "~")  # RFC 6901
    if not target.startswith(_PREFIX) or not isinstance(definitions, Mapping) or name not in definitions:
        raise ValueError(f"{target[:80]}: a reference is to {_PREFIX}… of the same schema")
    if name in path:
        raise ValueError(f"{target[:80]}: a schema cannot refer to itself")
    if name not in known:
        known[name] = _size(definitions[name], definitions, known, (*path, name))
    return known[name]


def _children(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping):
        yield from ((str(name), child) for name, child in node.items())
    elif isinstance(node, list):
        yield from (("", child) for child in node)
