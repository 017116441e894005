"""Macros: kept, changed and deleted."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import Refusal
from guanjia.cases.actions import Wording, delete_macro, save_macro
from guanjia.cases.changing import read_change
from guanjia.doors.desk.queries.macros import choices, owned, shown
from guanjia.doors.desk.rules import at_desk
from guanjia.people.pages import Visit, page

DIGITS_MOST = 18


@page("GET", "POST")
def macros(visit: Visit) -> HttpResponse:
    """Those that the visitor may use, and a form for one more."""
    scope, form, refusal = at_desk(visit.user), visit.request.POST, None
    if visit.request.method == "POST":
        try:
            save_macro(actor=visit.user, wording=_wording(visit.request), now=visit.now)
            return visit.go(reverse("desk_macros"), told=_("宏已保存。"))
        except Refusal as caught:
            refusal = caught
    content = {
        "macros": shown(visit.user, scope),
        "form": form,
        "refusal": refusal,
        **choices(visit.user, scope),
    }
    return visit.render("doors/desk/macros.html", content, status=refusal.status if refusal else 200)


@page("GET", "POST")
def macro(visit: Visit, pk: int) -> HttpResponse:
    """Change one, or delete it."""
    scope, form, refusal = at_desk(visit.user), visit.request.POST, None
    found = owned(visit.user, pk)
    if "delete" in form:
        delete_macro(actor=visit.user, macro=pk, now=visit.now)
        return visit.go(reverse("desk_macros"), told=_("宏已删除。"))
    if visit.request.method == "POST":
        try:
            save_macro(actor=visit.user, wording=_wording(visit.request), macro=pk, now=visit.now)
            return visit.go(reverse("desk_macros"), told=_("宏已保存。"))
        except Refusal as caught:
            refusal = caught
    content = {"form": form if refusal else found, "pk": pk, "refusal": refusal, **choices(visit.user, scope)}
    return visit.render("doors/desk/macro.html", content, status=refusal.status if refusal else 200)


def _wording(request: HttpRequest) -> Wording:
    """From the form. Raises BadInput."""
    form = request.POST
    circle = form.get("circle", "")
    team = circle.removeprefix("team-")
    return Wording(
        name=form.get("name", ""),
        body=form.get("body", ""),
        internal=form.get("box") == "note",
        team=int(team) if team.isdecimal() and len(team) <= DIGITS_MOST else None,
        everyone=circle == "everyone",
        then=read_change(form.dict()),
    )
