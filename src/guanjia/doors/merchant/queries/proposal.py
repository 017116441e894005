"""A package as its merchant weighs it: each item in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.texts import pick
from guanjia.core.package import ItemState
from guanjia.doors.merchant.queries.needs import LANES
from guanjia.packages.models import Item, Package
from guanjia.packages.queries import ItemLook, PackageLook, look


@dataclass(frozen=True, slots=True)
class Detail:
    """One parameter as people call it, and its value as they write it."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Offer:
    """An item of a package; `status` as of a lane."""

    item: ItemLook
    details: tuple[Detail, ...]
    status: str


@dataclass(frozen=True, slots=True)
class Weighed:
    """A package, what its case is called, and its items."""

    package: PackageLook
    title: str
    offers: tuple[Offer, ...]


def weigh(package: Package) -> Weighed:
    """The package as it is now; three statements however many items."""
    seen = look(package)
    items = Item.objects.select_related("service").filter(package=package)
    said = {item.position: _details(item) for item in items}
    offers = tuple(Offer(item, said[item.position], _status(item)) for item in seen.items)
    return Weighed(seen, package.case.title, offers)


def _status(item: ItemLook) -> str:
    return LANES.get(ItemState(item.state), "off")


def _details(item: Item) -> tuple[Detail, ...]:
    fields = item.service.schema.get("properties", {})
    return tuple(Detail(_name(fields, name), _value(value)) for name, value in item.params.items())


def _name(fields: Mapping[str, Any], name: str) -> str:
    field = fields.get(name)
    field = field if isinstance(field, Mapping) else {}
    titles = field.get("x-titles")
    return pick(titles) if titles else str(field.get("title") or name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, list):
        return _("、").join(_value(one) for one in value)
    if isinstance(value, Mapping):
        return _("；").join(f"{name} {_value(one)}" for name, one in value.items())
    return str(value)
