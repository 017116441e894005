"""What is known about merchants."""

from __future__ import annotations

from collections.abc import Iterable

from guanjia.merchants.models import FactDefinition


def fact_keys() -> list[str]:
    """The keys of all defined facts, in the order that exports have them in."""
    return list(FactDefinition.objects.order_by("key").values_list("key", flat=True))


def undefined(keys: Iterable[str]) -> list[str]:
    """Those of the keys that no fact definition explains, sorted."""
    wanted = set(keys)
    known = FactDefinition.objects.filter(key__in=wanted).values_list("key", flat=True)
    return sorted(wanted - set(known))
