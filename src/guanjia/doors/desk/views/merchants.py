"""Merchants at the desk: the portfolio, one merchant, a case opened for it, and mandates."""

from __future__ import annotations

from uuid import uuid4

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import Refusal
from guanjia.cases.actions import open_case
from guanjia.cases.filing import uploads_of
from guanjia.coverage.rules import Verb, access_merchant
from guanjia.doors.desk.queries import merchants as read
from guanjia.doors.desk.queries.mandates import my_mandates
from guanjia.doors.desk.rules import at_desk
from guanjia.people.pages import Visit, page

WORDS_MOST = 60
DIGITS_MOST = 18


@page()
def portfolio(visit: Visit) -> HttpResponse:
    """Merchants that the visitor or their teams answer for."""
    scope, query = at_desk(visit.user), visit.request.GET
    words = query.get("q", "").replace("\x00", "").strip()[:WORDS_MOST]
    after = query.get("after", "")
    start = int(after) if after.isdecimal() and len(after) <= DIGITS_MOST else 0
    rows, following = read.portfolio(scope, words, start, visit.now)
    content = {"section": "merchants", "rows": rows, "next": following, "words": words, "after": start}
    return visit.render("doors/desk/merchants.html", content)


@page()
def merchant(visit: Visit, ref: str) -> HttpResponse:
    """One merchant: facts, people, cases, packages."""
    at_desk(visit.user)
    found = access_merchant(actor=visit.user, ref=ref, verb=Verb.NOTE, now=visit.now)
    content = {
        "section": "merchants",
        "side": read.merchant_look(found.pk, visit.now),
        "packages": read.packages_of(found),
        "key": uuid4().hex,
    }
    return visit.render("doors/desk/merchant.html", content)


@page("GET", "POST")
def new_case(visit: Visit) -> HttpResponse:
    """Open a case for a merchant: the visitor is its first contact."""
    scope, form = at_desk(visit.user), visit.request.POST
    ref, refusal = form.get("merchant", visit.request.GET.get("merchant", "")), None
    if visit.request.method == "POST":
        key = form.get("key", "")[:64].replace("\x00", "")
        try:
            case = open_case(
                actor=visit.user,
                merchant_ref=ref.replace("\x00", "").strip(),
                need=form.get("need", ""),
                files=uploads_of(visit.request),
                idempotency_key=key or None,
                now=visit.now,
            )
            return visit.go(reverse("desk_case", args=[case.number]), told=_("事项已提出，时钟开始。"))
        except Refusal as caught:
            refusal = caught
    content = {
        "merchants": read.known_merchants(scope, visit.now),
        "ref": ref,
        "need": form.get("need", ""),
        "key": form.get("key") or uuid4().hex,
        "refusal": refusal,
    }
    return visit.render("doors/desk/new.html", content, status=refusal.status if refusal else 200)


@page()
def mandates(visit: Visit) -> HttpResponse:
    """What the visitor may commit without asking."""
    found = my_mandates(at_desk(visit.user), visit.now)
    return visit.render("doors/desk/mandates.html", {"section": "mandates", "mandates": found})
