from __future__ import annotations

from django.http import HttpResponse

from guanjia.people.pages import Visit, page


@page()
def lead(visit: Visit) -> HttpResponse:
    return visit.render("doors/lead/page.html", {})
