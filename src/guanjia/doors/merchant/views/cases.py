"""A merchant's cases: the list of all, and one with its conversation."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Forbidden, Missing, Refusal
from guanjia.cases.actions import reopen_case, say, solve_case
from guanjia.cases.belonging import merged_into
from guanjia.cases.filing import uploads_of
from guanjia.cases.models import LIVE, Case
from guanjia.doors.merchant.forms import Typed
from guanjia.doors.merchant.queries.needs import Needs, live_needs, past_needs
from guanjia.doors.merchant.queries.progress import progress_of
from guanjia.doors.merchant.queries.talk import case_page
from guanjia.doors.merchant.views.entrance import Shop, case_of, enter, no_news, pulse, status_of
from guanjia.doors.rating import rated, scores
from guanjia.people.pages import Visit, page


@page()
def listed(visit: Visit, ref: str) -> HttpResponse:
    """`?show=live|yours|done|all`; what is in progress by its clock, the rest by age."""
    shop, show = enter(visit, ref), visit.request.GET.get("show", "all")
    shows = [("all", _("全部")), ("live", _("办理中")), ("yours", _("等您答复")), ("done", _("已结束"))]
    if show not in dict(shows):
        raise Missing(_("没有这一段列表。"), hint=_("请从列表的第一页重新翻。"))
    found = _found(shop, show, visit.request.GET.get("after", ""))
    content = {"shop": shop, "at": "cases", "show": show, "shows": shows, "found": found}
    return visit.render("doors/merchant/cases.html", content)


def _found(shop: Shop, show: str, after: str) -> Needs:
    if show in ("live", "yours"):
        return live_needs(shop.merchant, after=after, waiting=show == "yours")
    return past_needs(shop.merchant, after=after, finished=show == "done")


@page("GET", "POST")
def case(visit: Visit, ref: str, number: str) -> HttpResponse:
    """POST says a word, once, however often the button was pressed."""
    shop, refusal, form = enter(visit, ref), None, Typed.blank()
    found = case_of(shop, number)
    if visit.request.method == "POST":
        form = Typed.read(visit.request.POST, "body")
        try:
            return _said(visit, shop, number, form)
        except BadInput as refused:
            refusal = refused
    elif into := merged_into(found):
        told = _("%(number)s 已并入这件事。") % {"number": found.number}
        return visit.go(reverse("door_case", args=[shop.ref, into.number]), told=told)
    return _shown(visit, shop, found, form, refusal)


def _said(visit: Visit, shop: Shop, number: str, form: Typed) -> HttpResponse:
    word = say(
        actor=visit.user,
        number=number,
        body=form.text,
        files=uploads_of(visit.request),
        idempotency_key=form.idempotency_key,
        now=visit.now,
    )
    told = _("已发出。") if word.case.number == number else _("已发出：原来那件已经结束，您的话在这一件里。")
    return visit.go(reverse("door_case", args=[shop.ref, word.case.number]), told=told)


@page()
def live(visit: Visit, ref: str, number: str) -> HttpResponse:
    """The part of the page that moves; nothing when nothing has."""
    shop = enter(visit, ref)
    if visit.request.GET.get("seen") == pulse(visit, shop):
        return no_news()
    found = case_of(shop, number)
    return visit.render("doors/merchant/case_live.html", _content(visit, shop, found))


@page("POST")
def solve(visit: Visit, ref: str, number: str) -> HttpResponse:
    shop = enter(visit, ref)
    found = case_of(shop, number)
    try:
        solve_case(actor=visit.user, number=number, now=visit.now)
    except (Missing, Forbidden):
        raise
    except Refusal as refusal:
        return _shown(visit, shop, found, Typed.blank(), refusal)
    told = _("已办结。还有话要说，直接写下来，这件事就重新打开。")
    return visit.go(reverse("door_case", args=[ref, number]), told=told)


@page("POST")
def reopen(visit: Visit, ref: str, number: str) -> HttpResponse:
    shop = enter(visit, ref)
    found = case_of(shop, number)
    try:
        reopen_case(actor=visit.user, number=number, now=visit.now)
    except (Missing, Forbidden):
        raise
    except Refusal as refusal:
        return _shown(visit, shop, found, Typed.blank(), refusal)
    return visit.go(reverse("door_case", args=[ref, number]), told=_("已重新打开，时钟重新开始。"))


def _shown(visit: Visit, shop: Shop, found: Case, form: Typed, refusal: Refusal | None) -> HttpResponse:
    content = {**_content(visit, shop, found), "form": form, "refusal": refusal}
    return visit.render("doors/merchant/case.html", content, status=status_of(refusal))


def _content(visit: Visit, shop: Shop, found: Case) -> dict[str, Any]:
    before = visit.request.GET.get("before", "")
    over = found.state not in LIVE
    return {
        **({"rated": rated(found.pk), "scores": scores()} if over else {}),
        "shop": shop,
        "at": "cases",
        "seen": pulse(visit, shop),
        "case": case_page(
            found, now=visit.now, before=int(before) if re.fullmatch(r"[0-9]{1,18}", before) else None
        ),
        "progress": progress_of(found.pk),
        "before": before,
    }
