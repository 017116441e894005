"""What every page of a merchant's door begins with: whose door it is, and what the reader may do here."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse

from guanjia.base.errors import Refusal
from guanjia.cases.models import Case
from guanjia.cases.rules import access_case, no_case
from guanjia.coverage.rules import MAY, Verb, access_merchant, relations
from guanjia.ledger.queries import pulse_of
from guanjia.merchants.models import Merchant
from guanjia.packages.models import Package
from guanjia.packages.rules import access_package, no_package
from guanjia.people.pages import Visit


@dataclass(frozen=True, slots=True)
class Shop:
    """The merchant behind this door; `may` is what the reader may do for it."""

    merchant: Merchant
    may: frozenset[Verb]

    @property
    def ref(self) -> str:
        return self.merchant.ref

    @property
    def name(self) -> str:
        return self.merchant.name


def enter(visit: Visit, ref: str) -> Shop:
    """Raises Missing for anybody without a relation to this merchant."""
    merchant = access_merchant(actor=visit.user, ref=ref, verb=Verb.SEE, now=visit.now)
    held = relations(visit.user, merchant, at=visit.now)
    return Shop(merchant, frozenset(verb for verb, allowed in MAY.items() if held & allowed))


def case_of(visit: Visit, shop: Shop, number: str) -> Case:
    """Raises Missing for a case that is another merchant's."""
    case = access_case(actor=visit.user, number=number, verb=Verb.SEE, now=visit.now)
    if case.merchant_id != shop.merchant.pk:
        raise no_case(number)
    return case


def package_of(visit: Visit, shop: Shop, number: str) -> Package:
    """Raises Missing for a package that is another merchant's."""
    package = access_package(actor=visit.user, number=number, verb=Verb.SEE, now=visit.now)
    if package.merchant_id != shop.merchant.pk:
        raise no_package(number)
    return package


def pulse(visit: Visit, shop: Shop) -> str:
    """Differs when there is news, and with each minute, which is how fine the clocks on a page are."""
    return f"{pulse_of(shop.merchant.pk)}.{int(visit.now.timestamp()) // 60}"


def no_news() -> HttpResponse:
    """htmx leaves the page as it is."""
    return HttpResponse(status=204)


def status_of(refusal: Refusal | None) -> int:
    return refusal.status if refusal else 200
