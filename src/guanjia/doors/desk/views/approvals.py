"""Replies that wait to be read, and what becomes of them."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import Missing, Refusal
from guanjia.cases.actions import approve_reply, return_reply
from guanjia.doors.desk.queries.approvals import case_of, waiting
from guanjia.doors.desk.rules import at_desk
from guanjia.doors.desk.showing import show_case
from guanjia.people.pages import Visit, page


@page()
def approvals(visit: Visit) -> HttpResponse:
    """What waits for the visitor, and what of theirs waits for others."""
    at_desk(visit.user)
    return visit.render("doors/desk/approvals.html", waiting(visit.user))


@page("POST")
def decide(visit: Visit, pk: int) -> HttpResponse:
    """Send it, as it stands in the box now, or give it back with a reason."""
    form, number = visit.request.POST, case_of(pk)
    try:
        if form.get("verdict") == "return":
            return_reply(actor=visit.user, reply=pk, reason=form.get("reason", ""), now=visit.now)
            told = _("已退回给写的人。")
        else:
            approve_reply(actor=visit.user, reply=pk, body=form.get("body", ""), now=visit.now)
            told = _("已发给商家。")
    except Missing:
        raise
    except Refusal as refusal:
        return show_case(visit, number, refusal=refusal)
    return visit.go(reverse("desk_case", args=[number]) + "#talk", told=told)
