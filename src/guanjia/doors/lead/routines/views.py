"""Rules of work: the list, the form, what a rule would touch, on and off, and what it has done."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import Missing, Refusal
from guanjia.doors.lead.routines import showing
from guanjia.doors.lead.routines.forms import Draft, draft_of, pressed, read
from guanjia.doors.lead.rules import require_lead
from guanjia.people.pages import Visit, page
from guanjia.routines.actions import activate_routine, deactivate_routine, save_routine
from guanjia.routines.models import Routine, RoutineKind
from guanjia.routines.preview import preview, try_on
from guanjia.routines.queries import listed, log_of, outcomes_of, run_of, versions_of
from guanjia.routines.rhythm import Rhythm
from guanjia.routines.rule import Rule, load
from guanjia.routines.telling import sentence

HOME = "doors/lead/routines/"


@page()
def routines(visit: Visit) -> HttpResponse:
    require_lead(visit.user)
    return visit.render(f"{HOME}list.html", {"routines": showing.listing(listed())})


@page("GET", "POST")
def new(visit: Visit, kind: str) -> HttpResponse:
    require_lead(visit.user)
    if kind not in RoutineKind.values:
        raise Missing(_("没有这种规则。"), hint=_("请从规则列表开始。"))
    empty = Rule(RoutineKind(kind), rhythm=Rhythm(minutes=60))
    return _edit(visit, None, draft_of("", empty))


@page("GET", "POST")
def edit(visit: Visit, pk: int) -> HttpResponse:
    require_lead(visit.user)
    found, version = versions_of(pk)
    return _edit(visit, found, draft_of(found.name, load(version.content)))


def _edit(visit: Visit, found: Routine | None, draft: Draft) -> HttpResponse:
    post = visit.request.POST
    if visit.request.method == "GET":
        return _form(visit, found, draft)
    sent = read(post, draft.rule.kind)
    if post.get("do") != "save":
        return _form(visit, found, pressed(sent, post))
    about = {"name": sent.name, "rule": sent.rule, "routine": found.pk if found else None}
    try:
        version = save_routine(actor=visit.user, now=visit.now, **about)  # type: ignore[arg-type]
    except Refusal as refusal:
        return _form(visit, found, sent, refusal)
    told = _("已保存。请先看它会动哪些事，再启用。")
    return visit.go(reverse("lead_routine", args=[version.routine_id]), told=told)


def _form(visit: Visit, found: Routine | None, draft: Draft, refusal: Refusal | None = None) -> HttpResponse:
    content = {**showing.form(draft), "routine": found, "refusal": refusal}
    return visit.render(f"{HOME}edit.html", content, status=refusal.status if refusal else 200)


@page()
def routine(visit: Visit, pk: int) -> HttpResponse:
    """What the newest version would touch, and, with a case's number, why or why not that one."""
    require_lead(visit.user)
    return _look(visit, pk)


def _look(visit: Visit, pk: int, refusal: Refusal | None = None) -> HttpResponse:
    found, version = versions_of(pk)
    rule = load(version.content)
    asked = visit.request.GET.get("case", "").strip()
    content = {
        "routine": found,
        "version": version,
        "rule": rule,
        "sentence": sentence(rule),
        "state": showing.state(found.live is not None, found.off_reason),
        "preview": preview(rule, pk, visit.now),
        "asked": asked,
    }
    try:
        trial = showing.trial(try_on(rule, pk, asked, visit.now)) if asked else None
    except Refusal as unknown:
        trial, refusal = None, unknown
    status = refusal.status if refusal else 200
    return visit.render(f"{HOME}look.html", {**content, "trial": trial, "refusal": refusal}, status=status)


@page("POST")
def switch(visit: Visit, pk: int) -> HttpResponse:
    """On, as the version that was shown; or off."""
    require_lead(visit.user)
    version = visit.request.POST.get("version", "")
    try:
        if version:
            number = int(version) if version.isascii() and version.isdecimal() and len(version) < 9 else 0
            activate_routine(actor=visit.user, routine=pk, version=number, now=visit.now)
        else:
            deactivate_routine(actor=visit.user, routine=pk, now=visit.now)
    except Missing:
        raise
    except Refusal as refusal:
        return _look(visit, pk, refusal)
    told = _("已启用。") if version else _("已停用，从现在起它不再动任何事。")
    return visit.go(reverse("lead_routine", args=[pk]), told=told)


@page()
def log(visit: Visit, pk: int) -> HttpResponse:
    require_lead(visit.user)
    found, _version = versions_of(pk)
    runs, more = log_of(pk, _place(visit, "before"))
    return visit.render(f"{HOME}log.html", {"routine": found, "runs": runs, "more": more})


@page()
def run(visit: Visit, pk: int, run: int) -> HttpResponse:
    require_lead(visit.user)
    found, rule = run_of(pk, run)
    outcomes, more = outcomes_of(run, _place(visit, "after"))
    shown = [showing.outcome(one, rule) for one in outcomes]
    about = {"run": found, "routine": found.routine, "sentence": sentence(rule)}
    return visit.render(f"{HOME}run.html", {**about, "outcomes": shown, "more": more})


def _place(visit: Visit, name: str) -> int | None:
    text = visit.request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
