"""Taking cases out of the board: what is in progress, or the newest of all."""

from __future__ import annotations

from django.http import HttpResponse

from guanjia.base.sql import rows
from guanjia.cases.actions import note_export
from guanjia.cases.exporting import MOST, listed_cases
from guanjia.cases.models import LIVE
from guanjia.doors.exporting import as_file
from guanjia.doors.lead.rules import require_lead
from guanjia.people.pages import Visit, page

_NEWEST = "SELECT id FROM cases_case ORDER BY id DESC LIMIT %(most)s"
_LIVE = "SELECT id FROM cases_case WHERE state = ANY(%(live)s) ORDER BY id DESC LIMIT %(most)s"


@page("POST")
def export(visit: Visit) -> HttpResponse:
    """At most `exporting.MOST` cases, the newest; `guanjia export cases` has no end."""
    require_lead(visit.user)
    form = visit.request.POST
    what = "newest" if form.get("what") == "newest" else "live"
    found = rows(_NEWEST if what == "newest" else _LIVE, {"most": MOST, "live": list(LIVE)})
    note_export(actor=visit.user, what=f"lead-{what}", notes="notes" in form, now=visit.now)
    return as_file(listed_cases([key for (key,) in found], notes="notes" in form), form, f"guanjia-{what}")
