"""Slots of a hosted line."""

from __future__ import annotations

from collections.abc import Collection

from guanjia.lines.models import HostedSlot, Service

PAGE = 60


def known_keys(service: Service, keys: Collection[str]) -> set[str]:
    """Which of these slots there are."""
    found = HostedSlot.objects.filter(service=service, key__in=keys)
    return set(found.values_list("key", flat=True))
