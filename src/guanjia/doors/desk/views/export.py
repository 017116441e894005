"""Taking the open list out of the desk."""

from __future__ import annotations

from django.http import HttpResponse

from guanjia.cases.actions import note_export
from guanjia.cases.exporting import listed_cases
from guanjia.doors.desk.desk import desk_of
from guanjia.doors.desk.queries.lists import keys_of
from guanjia.doors.exporting import as_file
from guanjia.people.pages import Visit, page


@page("POST")
def export(visit: Visit) -> HttpResponse:
    """The list that the address names, to its end or to `exporting.MOST`."""
    desk, form = desk_of(visit), visit.request.POST
    keys, notes = keys_of(desk.scope, desk.wanted, visit.now), "notes" in form
    note_export(actor=visit.user, what=f"desk-{desk.key}", notes=notes, now=visit.now)
    return as_file(listed_cases(keys, notes=notes), form, f"guanjia-{desk.key}")
