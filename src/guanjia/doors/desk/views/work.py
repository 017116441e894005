"""Tasks, checklist and plans of one case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import Forbidden, Missing, Refusal
from guanjia.cases import actions
from guanjia.cases.planning import read_steps
from guanjia.doors.desk.queries.case import opened
from guanjia.doors.desk.queries.work import doers, latest_version, plans_on_offer, work_of
from guanjia.doors.instants import instant
from guanjia.doors.instants import number as whole
from guanjia.doors.plans import dated
from guanjia.people.pages import Visit, page

CLOSE = "18:00"
LAST_PK = 2**63 - 1


@page("GET", "POST")
def work(visit: Visit, number: str) -> HttpResponse:
    """Everything that is to be done on a case, and a form for one task more."""
    refusal, form = None, visit.request.POST
    if visit.request.method == "POST":
        try:
            task = actions.ask_task(actor=visit.user, number=number, now=visit.now, **_asked(form))
            return visit.go(f"{_url(number)}#t-{task.pk}", told=_("任务派出去了。"))
        except (Missing, Forbidden):
            raise
        except Refusal as caught:
            refusal = caught
    return show(visit, number, refusal=refusal, form=form)


def _asked(form: QueryDict) -> dict[str, Any]:
    """A day of the calendar, or a number of working days."""
    day, days = form.get("day", ""), form.get("days", "")
    after = [whole(pk, most=LAST_PK) for pk in form.getlist("after")]
    return {
        "title": form.get("title", ""),
        "detail": form.get("detail", ""),
        "doer": form.get("doer", ""),
        "due_at": instant(day, form.get("clock") or CLOSE) if day else None,
        "work_days": whole(days) if days else None,
        "lag_days": whole(form.get("lag") or "0"),
        "after": [pk for pk in after if pk > 0],
        "holds": "holds" in form,
        "visible": "visible" in form,
    }


def show(
    visit: Visit, number: str, *, refusal: Refusal | None = None, form: QueryDict | None = None
) -> HttpResponse:
    case = opened(visit.user, number, visit.now)
    people, lines = doers(case.merchant, visit.now)
    typed = form if form and "title" in form else None
    content = {
        "case": case,
        "work": work_of(case.pk, visit.user, visit.now),
        "people": people,
        "lines": lines,
        "me": f"person:{visit.user.pk}",
        "form": typed or {"days": "1", "holds": "on"},
        "picked": typed.getlist("after") if typed else [],
        "typed": bool(typed),
        "refusal": refusal,
    }
    return visit.render("doors/desk/work.html", content, status=refusal.status if refusal else 200)


@page("POST")
def act(visit: Visit, number: str, task: int, verb: str) -> HttpResponse:
    """Done, dropped, a word, holding or not."""
    if verb not in _ACTS:
        raise Missing(_("没有这个动作。"), hint=_("请从页面上的按钮里选。"))
    opened(visit.user, number, visit.now)
    try:
        told = _ACTS[verb](visit, task)
    except (Missing, Forbidden):
        raise
    except Refusal as refusal:
        return show(visit, number, refusal=refusal, form=visit.request.POST)
    return visit.go(_back(visit, number), told=told)


def _done(visit: Visit, task: int) -> str:
    word = visit.request.POST.get("word", "")
    actions.finish_task(actor=visit.user, task=task, word=word, now=visit.now)
    return _("做完了；等它的任务可以开始。")


def _drop(visit: Visit, task: int) -> str:
    reason = visit.request.POST.get("word", "")
    actions.drop_task(actor=visit.user, task=task, reason=reason, now=visit.now)
    return _("不做了，原因已记下。")


def _say(visit: Visit, task: int) -> str:
    body = visit.request.POST.get("word", "")
    actions.say_on_task(actor=visit.user, task=task, body=body, now=visit.now)
    return _("已告诉经办人。")


def _hold(visit: Visit, task: int) -> str:
    actions.hold_by_task(actor=visit.user, task=task, holds=True, now=visit.now)
    return _("办结前要完成它。")


def _free(visit: Visit, task: int) -> str:
    actions.hold_by_task(actor=visit.user, task=task, holds=False, now=visit.now)
    return _("它不再影响办结。")


_ACTS: Mapping[str, Callable[[Visit, int], str]] = {
    "done": _done,
    "drop": _drop,
    "say": _say,
    "hold": _hold,
    "free": _free,
}


@page("POST")
def checklist(visit: Visit, number: str) -> HttpResponse:
    """Add lines, tick one or not, cut one."""
    by: dict[str, Any] = {"actor": visit.user, "number": number, "now": visit.now}
    form = visit.request.POST
    line = whole(form.get("line", ""), most=LAST_PK)
    try:
        if "cut" in form:
            actions.cut_line(line=line, **by)
        elif "line" in form:
            actions.tick_line(line=line, ticked=form.get("ticked") == "1", **by)
        else:
            actions.add_to_checklist(text=form.get("text", ""), **by)
    except (Missing, Forbidden):
        raise
    except Refusal as refusal:
        return show(visit, number, refusal=refusal)
    return visit.go(_back(visit, number) + "#checklist")


@page("GET", "POST")
def plan(visit: Visit, number: str) -> HttpResponse:
    """Choose a plan, see its dates, put it on the case."""
    case, refusal, start = opened(visit.user, number, visit.now), None, visit.now
    form = visit.request.POST if visit.request.method == "POST" else visit.request.GET
    chosen = whole(form.get("plan", ""), most=LAST_PK)
    try:
        start = max(instant(form["start"], "09:00"), visit.now) if form.get("start") else visit.now
        if visit.request.method == "POST":
            actions.apply_plan(actor=visit.user, number=number, plan=chosen, start=start, now=visit.now)
            return visit.go(_url(number), told=_("方案的任务都派出去了。"))
    except (Missing, Forbidden):
        raise
    except Refusal as caught:
        refusal = caught
    version = latest_version(chosen)
    content = {
        "case": case,
        "plans": plans_on_offer(),
        "version": version,
        "start": form.get("start") or "",
        "rows": dated(read_steps(version.steps), start) if version else [],
        "refusal": refusal,
    }
    return visit.render("doors/desk/plan.html", content, status=refusal.status if refusal else 200)


def _url(number: str) -> str:
    return reverse("desk_work", args=[number])


def _back(visit: Visit, number: str) -> str:
    """To the case, where the button was there."""
    return reverse("desk_case", args=[number]) if "at_case" in visit.request.POST else _url(number)
