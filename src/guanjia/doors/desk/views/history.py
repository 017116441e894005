"""The whole past of a case."""

from __future__ import annotations

from django.http import HttpResponse

from guanjia.doors.desk.queries.case import opened
from guanjia.doors.desk.queries.history import past
from guanjia.people.pages import Visit, page

INTEGER_MOST = 2**63 - 1


@page()
def history(visit: Visit, number: str) -> HttpResponse:
    """Everything that has happened to a case, the newest first."""
    case = opened(visit.user, number, visit.now)
    asked = visit.request.GET.get("before", "")
    before = min(int(asked), INTEGER_MOST) if asked.isdecimal() and len(asked) < 20 else INTEGER_MOST
    content = {"case": case, "past": past(case, before), "first": before == INTEGER_MOST}
    return visit.render("doors/desk/history.html", content)
