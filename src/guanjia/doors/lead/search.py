"""Finding anything of the whole house."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect

from guanjia.doors.lead.rules import require_lead
from guanjia.doors.searching import search
from guanjia.people.pages import Visit, page
from guanjia.search.queries import case_numbered
from guanjia.search.scope import of_staff


@page()
def find(visit: Visit) -> HttpResponse:
    """As at the desk, over all merchants."""
    require_lead(visit.user)
    scope = of_staff(visit.user, visit.now)
    found = search(visit.request.GET, scope, visit.now, merchants=True)
    if found.asked.number and case_numbered(found.asked.number, scope):
        return redirect("desk_case", found.asked.number)
    return visit.render("doors/lead/search.html", {"found": found, "whole": True})
