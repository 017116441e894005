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
    """Mandates in force by which this person may commit this service, the narrowest first."""
    return mandates_over([service], person=person, teams=teams, pools=pools, at=at)[service.pk]


def mandates_over(
    services: Collection[Service],
    *,
    person: int,
    teams: Collection[int],
    pools: Collection[int],
    at: datetime,
) -> dict[int, list[Mandate]]:
    """`mandates_for` of each service, by its id, in one statement."""
    mine = Q(person=person) | Q(team__in=teams) | Q(pool__in=pools)
    lines = {service.line_id for service in services}
    found = list(Mandate.objects.filter(mine, line__in=lines, during__contains=at, revoked_at=None))
    found.sort(key=lambda m: (m.service_id is None, m.amount_per_use, m.pk))
    return {service.pk: [m for m in found if _covers(m, service)] for service in services}


def _covers(mandate: Mandate, service: Service) -> bool:
    """Limits are amounts of a currency: a mandate says nothing about a service priced in another."""
    of_line = mandate.line_id == service.line_id and mandate.currency == service.currency
    return of_line and mandate.service_id in (None, service.pk)
