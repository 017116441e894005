"""What every page of a merchant's door begins with: whose door it is, and what the reader may do here."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse

from guanjia.base.errors import Refusal
from guanjia.cases.models import Case
from guanjia.cases.rules import no_case
from guanjia.coverage.rules import MAY, Verb, check, relations_of
from guanjia.coverage.standing import Standing, standing
from guanjia.doors.merchant.queries.talk import case_by_number
from guanjia.ledger.queries import pulse_of
from guanjia.packages.models import Package
from guanjia.packages.queries import package_by_number
from guanjia.packages.rules import no_package
from guanjia.people.pages import Visit


@dataclass(frozen=True, slots=True)
class Shop:
    """The merchant behind this door; `may` is what the reader may do for it."""

    standing: Standing
    may: frozenset[Verb]

    @property
    def merchant(self) -> int:
        return self.standing.merchant

    @property
    def ref(self) -> str:
        return self.standing.ref

    @property
    def name(self) -> str:
        return self.standing.name


def enter(visit: Visit, ref: str) -> Shop:
    """Raises Missing for anybody without a relation to this merchant. One statement."""
    found = standing(visit.user, ref, at=visit.now)
    held = relations_of(visit.user, found)
    check(held, ref, Verb.SEE)
    assert found is not None  # a merchant that is not there has no relations
    return Shop(found, frozenset(verb for verb, allowed in MAY.items() if held & allowed))


def case_of(shop: Shop, number: str) -> Case:
    """Whoever may enter may see it. Raises Missing for a case that is another merchant's."""
    case = case_by_number(number)
    if case is None or case.merchant_id != shop.merchant:
        raise no_case(number)
    return case


def package_of(shop: Shop, number: str) -> Package:
    """Whoever may enter may see it. Raises Missing for a package that is another merchant's."""
    package = package_by_number(number)
    if package.merchant_id != shop.merchant:
        raise no_package(number)
    return package


def pulse(visit: Visit, shop: Shop) -> str:
    """Differs when there is news, and with each minute, which is how fine the clocks on a page are."""
    return f"{pulse_of(shop.merchant)}.{int(visit.now.timestamp()) // 60}"


def no_news() -> HttpResponse:
    """htmx leaves the page as it is."""
    return HttpResponse(status=204)


def status_of(refusal: Refusal | None) -> int:
    return refusal.status if refusal else 200
