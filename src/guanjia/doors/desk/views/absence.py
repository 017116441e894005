"""Away from the desk, and standing in for somebody who is."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Forbidden, Missing, Refusal
from guanjia.doors.desk.queries.absence import colleague, colleagues_at_desk, stood_for
from guanjia.doors.desk.rules import at_desk
from guanjia.doors.instants import instant
from guanjia.people.absences import absences
from guanjia.people.actions import end_absence, set_absence
from guanjia.people.pages import Visit, page


@page("GET", "POST")
def absence(visit: Visit) -> HttpResponse:
    """When one is away, and who stands in."""
    at_desk(visit.user)
    form, refusal = visit.request.POST, None
    if visit.request.method == "POST":
        try:
            set_absence(
                actor=visit.user,
                user=visit.user,
                substitute=colleague(form.get("substitute", "")),
                since=instant(form.get("since_day", ""), form.get("since_clock", "")),
                until=instant(form.get("until_day", ""), form.get("until_clock", "")),
                now=visit.now,
            )
            return visit.go(reverse("desk_absence"), told=_("记下了；到时候由这位同事替您。"))
        except (Missing, Forbidden):
            raise
        except Refusal as caught:
            refusal = caught
    content = {
        "mine": absences(visit.user, now=visit.now),
        "colleagues": colleagues_at_desk(visit.user),
        "form": form,
        "refusal": refusal,
    }
    return visit.render("doors/desk/absence.html", content, status=refusal.status if refusal else 200)


@page("POST")
def back(visit: Visit, pk: int) -> HttpResponse:
    """Back early, or not away after all."""
    end_absence(actor=visit.user, absence=pk, now=visit.now)
    return visit.go(reverse("desk_absence"), told=_("您回来了，替班到此结束。"))


@page()
def standing_in(visit: Visit) -> HttpResponse:
    """The cases and tasks of those for whom the visitor stands in."""
    at_desk(visit.user)
    after = visit.request.GET.get("after", "")
    try:
        found = stood_for(visit.user, visit.now, after=after)
    except ValueError:
        raise BadInput(_("没有这一段列表。"), hint=_("请从列表的第一页重新翻。")) from None
    return visit.render("doors/desk/standing_in.html", {"found": found})
