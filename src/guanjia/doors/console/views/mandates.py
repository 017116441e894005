"""Mandates: what is granted on the line, what is used of it, granting and revoking."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import Refusal
from guanjia.doors.console.forms.mandates import GrantForm
from guanjia.doors.console.queries.lines import services_of
from guanjia.doors.console.queries.mandates import PAGE, granted_on, holders, look_at, mandate_of, uses_of
from guanjia.doors.console.views.lines import show
from guanjia.lines.actions.mandates import grant_mandate, revoke_mandate
from guanjia.lines.models import Line, MandatePeriod
from guanjia.lines.models.line import Silence
from guanjia.lines.rules import access_line
from guanjia.people.pages import Visit, page


@page()
def mandates(visit: Visit, slug: str) -> HttpResponse:
    line = access_line(actor=visit.user, slug=slug)
    found = granted_on(line, visit.now, before=_before(visit))
    more = found[PAGE - 1].pk if len(found) > PAGE else None
    return show(visit, line, "mandates", {"mandates": found[:PAGE], "more": more})


@page("GET", "POST")
def grant(visit: Visit, slug: str) -> HttpResponse:
    line = access_line(actor=visit.user, slug=slug)
    offered = services_of(line, active=True)
    if visit.request.method == "GET":
        return _grant_page(visit, line, GrantForm(offered))
    form = GrantForm(offered, visit.request.POST)
    if not form.is_valid():
        return _grant_page(visit, line, form, status=422)
    try:
        _granted(visit, line, form.cleaned_data)
    except Refusal as refusal:
        return _grant_page(visit, line, form, refusal=refusal, status=refusal.status)
    told = _("已授权给 %(holder)s。") % {"holder": form.cleaned_data["holder"].name}
    return visit.go(reverse("console_mandates", args=[slug]), told=told)


def _granted(visit: Visit, line: Line, given: dict[str, Any]) -> None:
    grant_mandate(
        actor=visit.user,
        line=line,
        service=given["service"],
        holder=given["holder"],
        amount_per_use=given["per_use"],
        amount_per_period=given["per_period"],
        uses_per_period=given["uses"],
        period=MandatePeriod(given["period"]),
        silence=Silence(given["silence"]),
        until=given["until"],
        now=visit.now,
    )


def _grant_page(
    visit: Visit, line: Line, form: GrantForm, *, status: int = 200, refusal: Refusal | None = None
) -> HttpResponse:
    content = {"form": form, "holders": holders(), "refusal": refusal}
    return show(visit, line, "grant", content, status=status)


@page()
def mandate(visit: Visit, slug: str, pk: int) -> HttpResponse:
    line = access_line(actor=visit.user, slug=slug)
    found = mandate_of(line, pk)
    uses, more = uses_of(found, before=_before(visit))
    content = {"mandate": look_at(found, visit.now), "uses": uses, "more": more}
    return show(visit, line, "mandate", content)


@page("POST")
def revoke(visit: Visit, slug: str, pk: int) -> HttpResponse:
    line = access_line(actor=visit.user, slug=slug)
    found = mandate_of(line, pk)
    revoke_mandate(actor=visit.user, mandate=found, now=visit.now)
    told = _("已收回 %(holder)s 的授权。") % {"holder": found.holder.name}
    return visit.go(reverse("console_mandates", args=[slug]), told=told)


def _before(visit: Visit) -> int | None:
    text = visit.request.GET.get("before", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
