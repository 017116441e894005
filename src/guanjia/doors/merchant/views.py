from __future__ import annotations

from django.http import HttpResponse

from guanjia.people.pages import Visit, page


@page()
def door(visit: Visit, ref: str) -> HttpResponse:
    return visit.render("doors/merchant/page.html", {})
