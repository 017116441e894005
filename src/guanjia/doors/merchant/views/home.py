"""My door: one box, what is in progress, what waits for an answer, and who looks after it all."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput
from guanjia.cases.actions import open_case
from guanjia.cases.filing import uploads_of
from guanjia.doors.merchant.forms import Typed
from guanjia.doors.merchant.queries.manager import manager_of
from guanjia.doors.merchant.queries.needs import LIVE_MOST, just_finished, live_needs, proposals
from guanjia.doors.merchant.queries.services import starters
from guanjia.doors.merchant.views.entrance import Shop, enter, no_news, pulse, status_of
from guanjia.people.pages import Visit, page


@page("GET", "POST")
def home(visit: Visit, ref: str) -> HttpResponse:
    """What is said here becomes a case, once, however often the button was pressed."""
    shop, refusal = enter(visit, ref), None
    form = Typed.blank(visit.request.GET.get("need", ""))
    if visit.request.method == "POST":
        form = Typed.read(visit.request.POST, "need")
        try:
            return _open(visit, shop, form)
        except BadInput as refused:
            refusal = refused
    content = {
        **_news(visit, shop),
        "form": form,
        "refusal": refusal,
        "manager": manager_of(shop.standing, at=visit.now),
        "starters": starters(),
    }
    return visit.render("doors/merchant/home.html", content, status=status_of(refusal))


def _open(visit: Visit, shop: Shop, form: Typed) -> HttpResponse:
    case = open_case(
        actor=visit.user,
        merchant_ref=shop.ref,
        need=form.text,
        files=uploads_of(visit.request),
        idempotency_key=form.idempotency_key,
        now=visit.now,
    )
    told = _("收到了，编号 %(number)s。%(who)s会在时限内答复您。")
    url = reverse("door_case", args=[shop.ref, case.number])
    return visit.go(url, told=told % {"number": case.number, "who": case.holder})


@page()
def live(visit: Visit, ref: str) -> HttpResponse:
    """The part of the page that moves; nothing when nothing has."""
    shop = enter(visit, ref)
    if visit.request.GET.get("seen") == pulse(visit, shop):
        return no_news()
    return visit.render("doors/merchant/home_live.html", _news(visit, shop))


def _news(visit: Visit, shop: Shop) -> dict[str, Any]:
    return {
        "shop": shop,
        "at": "home",
        "seen": pulse(visit, shop),
        "proposals": proposals(shop.merchant),
        "live": live_needs(shop.merchant, limit=LIVE_MOST),
        "finished": just_finished(shop.merchant),
    }
