"""Whose replies are read before merchants see them."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Missing, Refusal
from guanjia.cases.actions import end_apprentice, set_apprentice
from guanjia.doors.lead.apprentices.queries import chosen, listed
from guanjia.doors.lead.rules import require_lead
from guanjia.people.pages import Visit, page
from guanjia.people.queries import person_named


@page("GET", "POST")
def apprentices(visit: Visit) -> HttpResponse:
    """Those that there are, and a form for one more."""
    require_lead(visit.user)
    form = visit.request.POST
    refusal: Refusal | None = None
    if visit.request.method == "POST":
        try:
            user, team = chosen(form.get("user", ""), form.get("team", ""))
            approver = person_named(form.get("approver", "").strip())
            set_apprentice(actor=visit.user, user=user, team=team, approver=approver, now=visit.now)
            return visit.go(reverse("lead_apprentices"), told=_("已定好；从现在起先审后发。"))
        except Missing as unknown:  # what the form names is not there; the form is
            refusal = BadInput(unknown.message, hint=unknown.hint)
        except Refusal as caught:
            refusal = caught
    content = {**listed(), "form": form, "refusal": refusal}
    return visit.render("doors/lead/apprentices.html", content, status=refusal.status if refusal else 200)


@page("POST")
def end(visit: Visit, pk: int) -> HttpResponse:
    """Their replies go out at once again."""
    require_lead(visit.user)
    end_apprentice(actor=visit.user, apprentice=pk, now=visit.now)
    return visit.go(reverse("lead_apprentices"), told=_("已取消；从现在起直接发。"))
