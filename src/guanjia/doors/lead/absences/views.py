"""Who is away, and who stands in: set by the lead for anybody."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import Forbidden, Missing, Refusal
from guanjia.doors.desk.queries.absence import colleague, colleagues_at_desk
from guanjia.doors.instants import instant
from guanjia.doors.lead.rules import require_lead
from guanjia.people.absences import absences
from guanjia.people.actions import end_absence, set_absence
from guanjia.people.pages import Visit, page


@page("GET", "POST")
def listed(visit: Visit) -> HttpResponse:
    """All that are not over, and a form for one more."""
    require_lead(visit.user)
    form, refusal = visit.request.POST, None
    if visit.request.method == "POST":
        try:
            set_absence(
                actor=visit.user,
                user=colleague(form.get("user", "")),
                substitute=colleague(form.get("substitute", "")),
                since=instant(form.get("since_day", ""), form.get("since_clock", "")),
                until=instant(form.get("until_day", ""), form.get("until_clock", "")),
                now=visit.now,
            )
            return visit.go(reverse("lead_absences"), told=_("设好了。"))
        except (Missing, Forbidden):
            raise
        except Refusal as caught:
            refusal = caught
    people = colleagues_at_desk(None)
    content = {"absences": absences(None, now=visit.now), "people": people, "colleagues": people}
    content |= {"form": form, "refusal": refusal}
    return visit.render("doors/lead/absences.html", content, status=refusal.status if refusal else 200)


@page("POST")
def end(visit: Visit, pk: int) -> HttpResponse:
    """Somebody is back, or not away after all."""
    require_lead(visit.user)
    end_absence(actor=visit.user, absence=pk, now=visit.now)
    return visit.go(reverse("lead_absences"), told=_("结束了，替班到此为止。"))
