"""Finding one's own cases, and services, at a merchant's door."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect

from guanjia.doors.merchant.views.entrance import enter
from guanjia.doors.searching import search
from guanjia.people.pages import Visit, page
from guanjia.search.queries import case_numbered
from guanjia.search.scope import of_merchant


@page()
def find(visit: Visit, ref: str) -> HttpResponse:
    """A number opens its case; other words are looked for in what is public of this merchant's cases."""
    shop = enter(visit, ref)
    scope = of_merchant(shop.merchant)
    found = search(visit.request.GET, scope, visit.now, merchants=False)
    if found.asked.number and case_numbered(found.asked.number, scope):
        return redirect("door_case", shop.ref, found.asked.number)
    return visit.render("doors/merchant/search.html", {"shop": shop, "at": "cases", "found": found})
