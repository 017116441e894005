"""Words on a case: a reply to the merchant and an internal note are two forms with two addresses."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Missing, Refusal
from guanjia.cases.actions import ask_approval, save_draft, say, share_draft
from guanjia.cases.approvers import approver_of
from guanjia.cases.changing import Change
from guanjia.cases.filing import uploads_of
from guanjia.doors.desk.queries.macros import brought, going_on
from guanjia.doors.desk.showing import Typed, show_case
from guanjia.doors.desk.then import Tick, ticked, ticks
from guanjia.people.pages import Visit, page

BOXES = ("reply", "note")
INTEGER_MOST = 2**63 - 1
DIGITS_MOST = 9


@page("POST")
def send(visit: Visit, number: str, box: str) -> HttpResponse:
    """Say it; what is refused stays in its box, and is kept as a draft."""
    typed = _typed(visit, box)
    try:
        told = _send(visit, number, typed)
    except Missing:
        raise
    except Refusal as refusal:
        with suppress(Refusal):
            _keep(visit, number, typed)
        return show_case(visit, number, refusal=refusal, typed=typed)
    return visit.go(_page(visit, number), told=told)


def _send(visit: Visit, number: str, typed: Typed) -> str:
    note = typed.box == "note"
    then = ticked(visit.request.POST.getlist("then"))
    if not note and approver_of(visit.user) is not None:
        return _hold(visit, number, typed, then)
    say(
        actor=visit.user,
        number=number,
        body=typed.body,
        internal=note,
        seen=None if note else typed.seen,
        then=then or None,
        shared=typed.shared,
        files=uploads_of(visit.request),
        idempotency_key=typed.key or None,
        now=visit.now,
    )
    return _("备注已记下，商家看不到。") if note else _("已发给商家。")


def _hold(visit: Visit, number: str, typed: Typed, then: Change) -> str:
    if uploads_of(visit.request):
        raise BadInput(
            _("待审的答复还不能带文件。"), hint=_("请先去掉文件；审过发出后，再用备注或下一条答复附上。")
        )
    held = ask_approval(
        actor=visit.user,
        number=number,
        body=typed.body,
        seen=typed.seen,
        then=then or None,
        shared=typed.shared,
        idempotency_key=typed.key or None,
        now=visit.now,
    )
    return _("已交给 %(who)s 审；审过才会发给商家。") % {"who": held.approver.name}


@page("POST")
def draft(visit: Visit, number: str, box: str) -> HttpResponse:
    """Keep what is typed: a word about it for htmx, the page again without."""
    typed = _typed(visit, box)
    try:
        kept = _keep(visit, number, typed)
    except Missing:
        raise
    except Refusal as refusal:
        if visit.partial:
            return visit.render("doors/desk/kept.html", {"refusal": refusal})
        return show_case(visit, number, refusal=refusal, typed=typed)
    if visit.partial:
        return visit.render("doors/desk/kept.html", {"saved_at": visit.now if kept else None})
    return visit.go(_page(visit, number), told=_("草稿已保存。") if kept else _("草稿已清空。"))


@page("POST")
def bring(visit: Visit, number: str, box: str) -> HttpResponse:
    """A macro's text comes into the box, to be changed and sent; nothing is done yet."""
    typed, asked = _typed(visit, box), visit.request.POST.get("macro", "")
    pk = int(asked) if asked.isdecimal() and len(asked) <= DIGITS_MOST else 0
    text, change = brought(visit.user, number, box, pk, visit.now)
    body = f"{typed.body.rstrip()}\n{text}" if typed.body.strip() else text
    return show_case(visit, number, typed=replace(typed, body=body, then=ticks(change)))


@page("POST")
def go_on(visit: Visit, number: str, box: str) -> HttpResponse:
    """Go on with the shared draft: it comes into the box, before what is there of one's own."""
    typed = _typed(visit, box)
    shared, version = going_on(visit.user, number, box, visit.now)
    own = typed.body.strip()
    body = shared if not own or own in shared else f"{shared}\n\n{own}"
    return show_case(visit, number, typed=replace(typed, body=body, shared=version))


@page("POST")
def share(visit: Visit, number: str, box: str) -> HttpResponse:
    """Let colleagues see and go on with it; who has not seen what is there already keeps their own."""
    typed = _typed(visit, box)
    note, read = box == "note", typed.shared or 0
    try:
        share_draft(actor=visit.user, number=number, internal=note, body=typed.body, read=read, now=visit.now)
    except Missing:
        raise
    except Refusal as refusal:
        with suppress(Refusal):
            _keep(visit, number, typed)
        return show_case(visit, number, refusal=refusal, typed=typed)
    return visit.go(_page(visit, number), told=_("草稿已共享，同事可以接着写。"))


def _keep(visit: Visit, number: str, typed: Typed) -> bool:
    kept = save_draft(
        actor=visit.user,
        number=number,
        internal=typed.box == "note",
        body=typed.body,
        idempotency_key=typed.key,
        now=visit.now,
    )
    return kept is not None


def _typed(visit: Visit, box: str) -> Typed:
    if box not in BOXES:
        raise Missing(_("没有这种沟通。"), hint=_("请用页面上的表单。"))
    form = visit.request.POST
    seen, shared = form.get("seen", ""), form.get("shared", "")
    then: list[Tick] = []
    with suppress(BadInput):
        then = ticks(ticked(form.getlist("then")))
    return Typed(
        box=box,
        body=form.get("body", "").replace("\r\n", "\n"),
        key=form.get("key", "")[:64].replace("\x00", ""),
        seen=min(int(seen), INTEGER_MOST) if seen.isdecimal() else 0,
        then=then,
        shared=int(shared) if shared.isdecimal() and len(shared) <= DIGITS_MOST else None,
    )


def _page(visit: Visit, number: str) -> str:
    query = visit.request.GET.urlencode()
    return reverse("desk_case", args=[number]) + (f"?{query}" if query else "") + "#talk"
