"""A package at the merchant's door: what is proposed, the answer to it, and how it moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import Forbidden, Missing, Refusal
from guanjia.core.package import PackageState
from guanjia.coverage.rules import Verb
from guanjia.doors.merchant.forms import AnswerForm
from guanjia.doors.merchant.queries.proposal import weigh
from guanjia.doors.merchant.views.entrance import Shop, enter, no_news, package_of, pulse, status_of
from guanjia.packages.actions import answer_proposal, cancel_package
from guanjia.packages.history import history
from guanjia.packages.models import Package
from guanjia.people.pages import Visit, page

CANCELLABLE = (PackageState.SUBMITTED, PackageState.HOLDING, PackageState.DECIDING)


@page("GET", "POST")
def package(visit: Visit, ref: str, number: str) -> HttpResponse:
    """POST answers the price: a yes to the ticked items at what was shown, a no to the rest."""
    shop = enter(visit, ref)
    found, refusal = package_of(shop, number), None
    declined: tuple[int, ...] = ()
    if visit.request.method == "POST":
        try:
            answer = AnswerForm.read(visit.request.POST)
            declined = answer.declined
            return _answered(visit, shop, number, answer)
        except (Missing, Forbidden):
            raise
        except Refusal as refused:
            refusal = refused
    content = {**_content(visit, shop, found, declined), "refusal": refusal}
    return visit.render("doors/merchant/package.html", content, status=status_of(refusal))


def _answered(visit: Visit, shop: Shop, number: str, answer: AnswerForm) -> HttpResponse:
    answer_proposal(
        actor=visit.user, number=number, declined=answer.declined, total=answer.total, now=visit.now
    )
    told = _("已确认，接下来由管家在各业务线上办。") if answer.taken else _("已谢绝，没有留下任何占用。")
    return visit.go(reverse("door_package", args=[shop.ref, number]), told=told)


@page()
def live(visit: Visit, ref: str, number: str) -> HttpResponse:
    """The part of the page that moves; nothing when nothing has."""
    shop = enter(visit, ref)
    if visit.request.GET.get("seen") == pulse(visit, shop):
        return no_news()
    content = _content(visit, shop, package_of(shop, number))
    return visit.render("doors/merchant/package_live.html", content)


@page("POST")
def cancel(visit: Visit, ref: str, number: str) -> HttpResponse:
    """Give the package up."""
    shop = enter(visit, ref)
    found = package_of(shop, number)
    try:
        cancel_package(actor=visit.user, number=number, now=visit.now)
    except (Missing, Forbidden):
        raise
    except Refusal as refusal:
        content = {**_content(visit, shop, found), "refusal": refusal}
        return visit.render("doors/merchant/package.html", content, status=refusal.status)
    told = _("正在撤回；撤完不留任何占用。")
    return visit.go(reverse("door_package", args=[ref, number]), told=told)


def _content(visit: Visit, shop: Shop, found: Package, declined: Sequence[int] = ()) -> dict[str, Any]:
    weighed = weigh(found)
    answers = weighed.package.to_accept is not None and Verb.ACCEPT in shop.may
    return {
        "shop": shop,
        "at": "cases",
        "seen": pulse(visit, shop),
        "weighed": weighed,
        "declined": declined,
        "cancellable": weighed.package.state in CANCELLABLE and not answers,
        "history": history(found),
    }
