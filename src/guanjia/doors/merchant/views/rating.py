"""A merchant says how it was done."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.cases.actions import rate_case
from guanjia.doors.merchant.views.entrance import case_of, enter
from guanjia.doors.rating import score_in
from guanjia.people.pages import Visit, page


@page("POST")
def rate(visit: Visit, ref: str, number: str) -> HttpResponse:
    """One press of a button; a refusal becomes a page of its own, and the way back keeps the words."""
    shop = enter(visit, ref)
    case_of(shop, number)
    form = visit.request.POST
    rate_case(
        actor=visit.user,
        number=number,
        score=score_in(form),
        words=form.get("words", ""),
        now=visit.now,
    )
    return visit.go(reverse("door_case", args=[ref, number]), told=_("谢谢，您的评价记下了。"))
