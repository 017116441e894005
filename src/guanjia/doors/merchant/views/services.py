"""What can be asked for."""

from __future__ import annotations

from django.http import HttpResponse

from guanjia.doors.merchant.queries.services import offered
from guanjia.doors.merchant.views.entrance import enter
from guanjia.people.pages import Visit, page

WORDS_MOST = 60


@page()
def services(visit: Visit, ref: str) -> HttpResponse:
    """All services of all open lines, or those that `?q=` finds."""
    shop = enter(visit, ref)
    words = visit.request.GET.get("q", "")[:WORDS_MOST].replace("\x00", "").strip()
    found = offered(words=words, after=visit.request.GET.get("after", ""))
    content = {"shop": shop, "at": "services", "words": words, "offered": found}
    return visit.render("doors/merchant/services.html", content)
