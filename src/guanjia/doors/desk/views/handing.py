"""A case in other hands, and what has been promised on it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from guanjia.base.errors import Forbidden, Missing, Refusal
from guanjia.cases import actions
from guanjia.cases.handing import receivers
from guanjia.cases.models import FollowUpKind
from guanjia.doors.desk.queries.case import opened
from guanjia.doors.desk.queries.work import handovers_of, work_of
from guanjia.doors.desk.showing import show_case
from guanjia.doors.instants import instant
from guanjia.people.pages import Visit, page


@page("GET", "POST")
def hand_over(visit: Visit, number: str) -> HttpResponse:
    """To whom, why, and what they should know; and who has had it before."""
    case, form, refusal = opened(visit.user, number, visit.now), visit.request.POST, None
    if visit.request.method == "POST":
        asked = {name: form.get(name, "") for name in ("to", "reason", "note")}
        try:
            actions.hand_over(actor=visit.user, number=number, now=visit.now, **asked)
            return visit.go(_case(number), told=_("已转交，也告诉了商家现在由谁负责。"))
        except (Missing, Forbidden):
            raise
        except Refusal as caught:
            refusal = caught
    content = {
        "case": case,
        "choices": receivers(case.merchant, now=visit.now),
        "past": handovers_of(case.pk),
        "form": form,
        "refusal": refusal,
    }
    return visit.render("doors/desk/hand_over.html", content, status=refusal.status if refusal else 200)


@page("POST")
def answer(visit: Visit, number: str) -> HttpResponse:
    """Take the case, or say why not."""
    by: dict[str, Any] = {"actor": visit.user, "number": number, "now": visit.now}
    form = visit.request.POST
    try:
        if "accept" in form:
            actions.accept_case(**by)
            return visit.go(_case(number), told=_("您接手了。"))
        actions.decline_case(reason=form.get("reason", ""), **by)
    except (Missing, Forbidden):
        raise
    except Refusal as refusal:
        return show_case(visit, number, refusal=refusal)
    return visit.go(reverse("desk"), told=_("没有接；这件事转回去了，原因已告诉对方。"))


@page("GET", "POST")
def promise(visit: Visit, number: str) -> HttpResponse:
    """What will be done for the merchant, and by when."""
    case, form, refusal = opened(visit.user, number, visit.now), visit.request.POST, None
    if visit.request.method == "POST":
        try:
            asked = {"kind": form.get("kind", ""), "text": form.get("text", "")}
            due_at = instant(form.get("day", ""), form.get("clock", ""))
            actions.make_promise(actor=visit.user, number=number, due_at=due_at, now=visit.now, **asked)
            return visit.go(_case(number), told=_("约定已记下，商家看得到，时钟已开始。"))
        except (Missing, Forbidden):
            raise
        except Refusal as caught:
            refusal = caught
    content = {
        "case": case,
        "kinds": [(kind.value, _(kind.label)) for kind in FollowUpKind],
        "soon": _soon(visit.now),
        "promises": work_of(case.pk, visit.user, visit.now).promises,
        "form": form or _first(visit),
        "refusal": refusal,
    }
    return visit.render("doors/desk/promise.html", content, status=refusal.status if refusal else 200)


def _first(visit: Visit) -> dict[str, str]:
    """As a quick choice asks for it; else tomorrow at ten."""
    asked, tomorrow = visit.request.GET, timezone.localtime(visit.now) + timedelta(days=1)
    day, clock = asked.get("day") or f"{tomorrow:%Y-%m-%d}", asked.get("clock") or "10:00"
    return {"day": day, "clock": clock, "kind": FollowUpKind.CALL}


def _soon(now: datetime) -> list[tuple[str, str, str]]:
    """What people promise most: words, day and time of each."""
    today = timezone.localtime(now)
    hour = (today + timedelta(hours=2)).replace(minute=0)
    tomorrow, monday = today + timedelta(days=1), today + timedelta(days=7 - today.weekday())
    choices = [
        (_("两小时内"), hour, f"{hour:%H:%M}"),
        (_("今天 17:00"), today, "17:00"),
        (_("明天 10:00"), tomorrow, "10:00"),
        (_("明天 15:00"), tomorrow, "15:00"),
        (_("下周一 10:00"), monday, "10:00"),
    ]
    found = [(text, f"{day:%Y-%m-%d}", clock) for text, day, clock in choices]
    return [one for one in found if instant(one[1], one[2]) > now]


@page("POST")
def keep(visit: Visit, number: str, pk: int) -> HttpResponse:
    """A promise has been kept, or is taken back."""
    kept = "kept" in visit.request.POST
    try:
        actions.end_promise(actor=visit.user, number=number, promise=pk, kept=kept, now=visit.now)
    except (Missing, Forbidden):
        raise
    except Refusal as refusal:
        return show_case(visit, number, refusal=refusal)
    return visit.go(_case(number), told=_("约定兑现了。") if kept else _("约定收回了，商家已知道。"))


def _case(number: str) -> str:
    return reverse("desk_case", args=[number])
