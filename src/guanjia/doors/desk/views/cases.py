"""One case: its page, what is done with it, and who is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, cast

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import Missing, Refusal
from guanjia.cases.actions import be_present, reopen_case, solve_case, stop_waiting, wait_for_merchant
from guanjia.cases.belonging import other_number
from guanjia.cases.numbers import read_number
from guanjia.coverage.rules import Verb
from guanjia.doors.desk.queries.case import package_case
from guanjia.doors.desk.showing import pulse, show_case
from guanjia.packages.actions import settle_item_by_hand
from guanjia.people.pages import Visit, page

NOTHING_NEW = 204
DIGITS_MOST = 4
Outcome = Literal["confirmed", "waived", "retry"]


@page()
def case(visit: Visit, number: str) -> HttpResponse:
    """A case, with its list and its merchant beside it; under any other number it has, on to this one."""
    if other := other_number(actor=visit.user, typed=number, verb=Verb.NOTE, now=visit.now):
        told = _("%(number)s 已并入这件事。") % {"number": number} if read_number(number) != other else ""
        return visit.go(_page(visit, other), told=told)
    return show_case(visit, number)


@page("POST")
def here(visit: Visit, number: str) -> HttpResponse:
    """A heartbeat of an open page: it says who is there, and is told what has changed."""
    form = visit.request.POST
    found = be_present(actor=visit.user, number=number, writing=form.get("writing") == "1", now=visit.now)
    changed = pulse(visit, found, form.get("mark", ""))
    if changed is None:
        return HttpResponse(status=NOTHING_NEW)
    return visit.render("doors/desk/pulse.html", changed | {"query": visit.request.GET.urlencode()})


@page("POST")
def act(visit: Visit, number: str, verb: str) -> HttpResponse:
    """Solve, reopen, wait for the merchant, or wait no longer."""
    if verb not in _ACTS:
        raise Missing(_("没有这个动作。"), hint=_("请从页面上的按钮里选。"))
    try:
        told = _ACTS[verb](visit, number)
    except Missing:
        raise
    except Refusal as refusal:
        return show_case(visit, number, refusal=refusal)
    return visit.go(_page(visit, number), told=told)


def _solve(visit: Visit, number: str) -> str:
    solve_case(actor=visit.user, number=number, now=visit.now)
    return _("已办结，时钟停止。")


def _reopen(visit: Visit, number: str) -> str:
    reopen_case(actor=visit.user, number=number, now=visit.now)
    return _("已重新打开，时钟重新开始。")


def _wait(visit: Visit, number: str) -> str:
    days = visit.request.POST.get("days", "")
    asked = int(days) if days.isdecimal() and len(days) < DIGITS_MOST else 0
    wait_for_merchant(actor=visit.user, number=number, days=asked, now=visit.now)
    return _("在等商家，时钟已开始。")


def _resume(visit: Visit, number: str) -> str:
    stop_waiting(actor=visit.user, number=number, now=visit.now)
    return _("不再等商家。")


_ACTS: Mapping[str, Callable[[Visit, str], str]] = {
    "solve": _solve,
    "reopen": _reopen,
    "wait": _wait,
    "resume": _resume,
}


@page("POST")
def by_hand(visit: Visit, number: str, position: int) -> HttpResponse:
    """A person has dealt with an item that could not be confirmed."""
    outcome = cast(Outcome, visit.request.POST.get("outcome", ""))  # the action refuses any other
    case_number = package_case(number)
    try:
        settle_item_by_hand(
            actor=visit.user, number=number, position=position, outcome=outcome, now=visit.now
        )
    except Missing:
        raise
    except Refusal as refusal:
        return show_case(visit, case_number, refusal=refusal)
    return visit.go(_page(visit, case_number), told=_("已记下处理结果。"))


def _page(visit: Visit, number: str) -> str:
    """The case's page, with the same list beside it."""
    query = visit.request.GET.urlencode()
    return reverse("desk_case", args=[number]) + (f"?{query}" if query else "")
