"""Finding anything at the desk: cases, merchants and services in one box."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect

from guanjia.doors.desk.rules import at_desk
from guanjia.doors.searching import search
from guanjia.people.pages import Visit, page
from guanjia.search.queries import case_numbered
from guanjia.search.scope import of_staff


@page()
def find(visit: Visit) -> HttpResponse:
    """A number opens its case; anything else is looked for in all that this person may see."""
    at_desk(visit.user)
    scope = of_staff(visit.user, visit.now)
    found = search(visit.request.GET, scope, visit.now, merchants=True)
    if found.asked.number and case_numbered(found.asked.number, scope):
        return redirect("desk_case", found.asked.number)
    return visit.render("doors/desk/search.html", {"found": found, "section": "search"})
