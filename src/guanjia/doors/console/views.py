from __future__ import annotations

from django.http import HttpResponse

from guanjia.people.pages import Visit, page


@page()
def console(visit: Visit) -> HttpResponse:
    return visit.render("doors/console/page.html", {})
