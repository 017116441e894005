"""Plans, written by the lead in a form, with the dates that follow from them."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Forbidden, Missing, Refusal
from guanjia.cases.actions import retire_plan, save_plan
from guanjia.cases.models import PlanVersion
from guanjia.cases.planning import read_steps, require_sound
from guanjia.doors.instants import instant, number
from guanjia.doors.lead.plans import forms, queries
from guanjia.doors.lead.rules import require_lead
from guanjia.doors.plans import Dated, dated
from guanjia.people.pages import Visit, page


@page()
def plans(visit: Visit) -> HttpResponse:
    """All plans."""
    require_lead(visit.user)
    return visit.render("doors/lead/plans/list.html", {"plans": queries.plans()})


@page("GET", "POST")
def new(visit: Visit) -> HttpResponse:
    """Write a plan."""
    require_lead(visit.user)
    if visit.request.method == "POST":
        return _save(visit, None)
    return _show(visit, forms.blank())


@page("GET", "POST")
def plan(visit: Visit, pk: int) -> HttpResponse:
    """Change a plan: what is saved is a new version. Or rest it, or offer it again."""
    require_lead(visit.user)
    version = queries.newest(pk)
    if "retired" in visit.request.POST:
        retired = visit.request.POST["retired"] == "1"
        retire_plan(actor=visit.user, plan=pk, retired=retired, now=visit.now)
        return visit.go(_url(pk), told=_("停用了。") if retired else _("又可以用了。"))
    if visit.request.method == "POST":
        return _save(visit, version)
    steps = read_steps(version.steps)
    return _show(visit, forms.of_steps(version.plan.name, version.about, version.number, steps), version)


def _save(visit: Visit, version: PlanVersion | None) -> HttpResponse:
    """Save it, or only look at its dates."""
    typed = forms.read(visit.request.POST)
    if "look" in visit.request.POST:
        return _show(visit, typed, version)
    try:
        saved = save_plan(
            actor=visit.user,
            name=typed.name,
            about=typed.about,
            steps=forms.steps_of(typed),
            plan=version.plan_id if version else None,
            seen=number(typed.seen) if typed.seen else None,
            now=visit.now,
        )
    except (Missing, Forbidden):
        raise
    except Refusal as refusal:
        return _show(visit, typed, version, refusal=refusal)
    return visit.go(_url(saved.plan_id), told=_("存好了，第 %(n)d 版。") % {"n": saved.number})


def _show(
    visit: Visit, typed: forms.Typed, version: PlanVersion | None = None, *, refusal: Refusal | None = None
) -> HttpResponse:
    rows, unsound = _dates(visit, typed)
    refusal = refusal or (unsound if "look" in visit.request.POST else None)
    content: dict[str, Any] = {
        "typed": typed,
        "version": version,
        "versions": queries.versions(version.plan) if version else [],
        "lines": queries.lines(),
        "rows": rows,
        "start": visit.request.POST.get("start", ""),
        "refusal": refusal,
    }
    return visit.render("doors/lead/plans/plan.html", content, status=refusal.status if refusal else 200)


def _dates(visit: Visit, typed: forms.Typed) -> tuple[list[Dated], BadInput | None]:
    """What would follow from what is typed, where it holds together."""
    start = visit.request.POST.get("start", "")
    try:
        begin = max(instant(start, "09:00"), visit.now) if start else visit.now
        steps = forms.steps_of(typed)
        return (dated(require_sound(steps), begin) if steps else []), None
    except BadInput as unsound:
        return [], unsound


def _url(pk: int) -> str:
    return reverse("lead_plan", args=[pk])
