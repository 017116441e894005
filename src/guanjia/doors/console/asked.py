"""What somebody asks a line for, as people read it: the parameters by their titles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.texts import pick

_SHOWN_MOST = 400


def by_title(schema: Mapping[str, Any], params: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """(title, value) in the order of the form."""
    properties = schema.get("properties", {})
    names = [name for name in in_order(schema) if name in params]
    names += [name for name in params if name not in properties]
    return tuple((title_of(properties.get(name), name), _shown(params[name])) for name in names)


def in_order(schema: Mapping[str, Any]) -> list[str]:
    """The names of the properties: required ones as listed, then the rest (a database keeps the order of
    a list, and not that of an object)."""
    properties = schema.get("properties", {})
    required = [name for name in schema.get("required", ()) if name in properties]
    return list(dict.fromkeys([*required, *properties]))


def title_of(field: object, name: str) -> str:
    if not isinstance(field, Mapping):
        return name
    titles = field.get("x-titles")
    return pick(titles) if isinstance(titles, Mapping) and titles else str(field.get("title") or name)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, Mapping):
        return _("；").join(f"{name}{_('：')}{_shown(one)}" for name, one in value.items())[:_SHOWN_MOST]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _("、").join(_shown(one) for one in value)[:_SHOWN_MOST]
    return "—" if value is None else str(value)[:_SHOWN_MOST]
