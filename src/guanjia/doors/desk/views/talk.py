"""Words on a case: a reply to the merchant and an internal note are two forms with two addresses."""

from __future__ import annotations

from contextlib import suppress

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import Missing, Refusal
from guanjia.cases.actions import save_draft, say
from guanjia.cases.filing import uploads_of
from guanjia.doors.desk.showing import Typed, show_case
from guanjia.people.pages import Visit, page

BOXES = ("reply", "note")
INTEGER_MOST = 2**63 - 1


@page("POST")
def send(visit: Visit, number: str, box: str) -> HttpResponse:
    """Say it; what is refused stays in its box, and is kept as a draft."""
    typed = _typed(visit, box)
    try:
        say(
            actor=visit.user,
            number=number,
            body=typed.body,
            internal=box == "note",
            seen=typed.seen if box == "reply" else None,
            files=uploads_of(visit.request),
            idempotency_key=typed.key or None,
            now=visit.now,
        )
    except Missing:
        raise
    except Refusal as refusal:
        with suppress(Refusal):
            _keep(visit, number, typed)
        return show_case(visit, number, refusal=refusal, typed=typed)
    told = _("备注已记下，商家看不到。") if box == "note" else _("已发给商家。")
    return visit.go(_page(visit, number), told=told)


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
    seen = form.get("seen", "")
    read = min(int(seen), INTEGER_MOST) if seen.isdecimal() else 0
    return Typed(box, form.get("body", ""), form.get("key", "")[:64].replace("\x00", ""), read)


def _page(visit: Visit, number: str) -> str:
    query = visit.request.GET.urlencode()
    return reverse("desk_case", args=[number]) + (f"?{query}" if query else "") + "#talk"
