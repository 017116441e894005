"""The board of the whole house, for whoever leads the service. It only looks: nothing here writes."""

from __future__ import annotations

from django.http import HttpResponse

from guanjia.doors.lead import plots, queries
from guanjia.doors.lead.ratings import ratings
from guanjia.doors.lead.rules import require_lead
from guanjia.people.pages import Visit, page

FRONT_MOST = 8


@page()
def lead(visit: Visit) -> HttpResponse:
    """What needs somebody now; then open and overdue, promises kept, workload. htmx asks for the first."""
    require_lead(visit.user)
    board = queries.board(visit.now)
    now = {
        "board": board,
        "waits": queries.oldest_waits(FRONT_MOST),
        "escalations": queries.escalations(FRONT_MOST),
    }
    if visit.partial:
        return visit.render("doors/lead/now.html", now)
    record = queries.record(visit.now)
    charts = {
        **(plots.of_board(board) if board else {}),
        "trend_chart": plots.of_record(record) if record else None,
    }
    content = {**now, "record": record, "ratings": ratings(visit.now), **charts}
    return visit.render("doors/lead/page.html", content)


@page()
def waits(visit: Visit) -> HttpResponse:
    """The oldest waits and all escalations, to the end of the list."""
    require_lead(visit.user)
    found = {"waits": queries.oldest_waits(), "escalations": queries.escalations()}
    return visit.render("doors/lead/waits.html", {**found, "most": queries.LISTED_MOST})


@page()
def line(visit: Visit, slug: str) -> HttpResponse:
    """One line: what it owes, and how it has kept its promises."""
    require_lead(visit.user)
    name = queries.line_named(slug)
    record = queries.record(visit.now)
    content = {
        "line": name,
        "record": record,
        "weeks_chart": plots.of_weeks(record, name.slug) if record else None,
        "waits": queries.waits_of_line(name.slug),
        "most": queries.LISTED_MOST,
    }
    return visit.render("doors/lead/line.html", content)
