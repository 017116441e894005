"""A merchant takes its own cases home."""

from __future__ import annotations

from django.http import HttpResponse

from guanjia.cases.actions import note_export
from guanjia.cases.exporting import own_cases
from guanjia.doors.exporting import as_file
from guanjia.doors.merchant.views.entrance import enter
from guanjia.people.pages import Visit, page


@page("POST")
def export(visit: Visit, ref: str) -> HttpResponse:
    """All of them, with what was said; never an internal note, whoever asks at this door."""
    shop = enter(visit, ref)
    note_export(actor=visit.user, what="own", notes=False, merchant=shop.merchant, now=visit.now)
    return as_file(own_cases(shop.merchant), visit.request.POST, f"guanjia-{shop.ref}")
