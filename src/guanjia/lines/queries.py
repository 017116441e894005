"""Reading lines, services and mandates."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q

from guanjia.base.seal import unseal
from guanjia.lines.client import LineEndpoint
from guanjia.lines.models import Line, Mandate, Service


def endpoint_of(line: Line) -> LineEndpoint:
    """Where and with which secret to call a line."""
    return LineEndpoint(line.slug, line.base_url, unseal(line.sealed_secret))


def endpoints(pks: Collection[int]) -> dict[int, LineEndpoint]:
    return {line.pk: endpoint_of(line) for line in Line.objects.filter(pk__in=pks)}


def services_by_code(codes: Collection[tuple[str, str]]) -> dict[tuple[str, str], Service]:
    """Active services by (line slug, service code), with their line and its lead."""
    wanted = Q()
    for line, code in set(codes):
        wanted |= Q(line__slug=line, code=code)
    found = Service.objects.select_related("line__lead").filter(wanted, active=True, line__active=True)
    return {(service.line.slug, service.code): service for service in found} if codes else {}


def mandates_for(
    service: Service, *, person: int, teams: Collection[int], pools: Collection[int], at: datetime
) -> list[Mandate]:
    """Mandates in force by which this person may commit this service, the narrowest first.

    Limits are amounts of a currency: a mandate says nothing about a service priced in another.
    """
    mine = Q(person=person) | Q(team__in=teams) | Q(pool__in=pools)
    found = Mandate.objects.filter(
        mine,
        Q(service=service) | Q(service=None),
        line=service.line_id,
        currency=service.currency,
        during__contains=at,
        revoked_at=None,
    )
    return sorted(found, key=lambda m: (m.service_id is None, m.amount_per_use, m.pk))
