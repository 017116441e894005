"""Linking, merging and splitting a case: each has a page of its own that shows what will happen first."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Missing, Refusal
from guanjia.cases.actions import link_cases, merge_cases, split_case, unlink_cases, unmerge_cases
from guanjia.cases.actions.major import keep_child
from guanjia.cases.actions.merging import look_at_merge
from guanjia.cases.models import BY_HAND, LinkKind
from guanjia.doors.desk.queries.belonging import belonging, others_of
from guanjia.doors.desk.queries.case import Opened, Word, on_case, opened
from guanjia.doors.desk.queries.merchants import merchant_look
from guanjia.people.pages import Visit, page

NUMBER_MOST = 60
PK_MOST = 18
HOLDS_IT = "whole"
"""The other way round of "is a part of it": the form offers both."""


@page("GET", "POST")
def links(visit: Visit, number: str) -> HttpResponse:
    """What the case is linked to; link it to one more."""
    case = opened(visit.user, number, visit.now)
    asked, kind, refusal = _asked(visit, "other"), _given(visit).get("kind", ""), None
    if visit.request.method == "POST":
        try:
            _link(visit, case, asked, kind)
            return visit.go(_case(visit, number) + "#beside", told=_("已连在一起。"))
        except Refusal as caught:
            refusal = caught
    return _show_links(visit, case, refusal, asked=asked, kind=kind)


def _show_links(
    visit: Visit, case: Opened, refusal: Refusal | None, asked: str = "", kind: str = ""
) -> HttpResponse:
    kinds = [(one.value, _(one.label)) for one in BY_HAND] + [(HOLDS_IT, _("包含它"))]
    content = {"kinds": kinds, "kind": kind, "beside": belonging(case.pk, case.number).beside}
    return _show(visit, "doors/desk/links.html", case, refusal, asked=asked, **content)


def _link(visit: Visit, case: Opened, asked: str, kind: str) -> None:
    """Raises BadInput for a kind that is none."""
    about: dict[str, Any] = {"actor": visit.user, "now": visit.now}
    if kind == HOLDS_IT:
        link_cases(number=asked, other=case.number, kind=LinkKind.PART, **about)
        return
    if kind not in LinkKind.values:
        raise BadInput(_("没有这种关联。"), hint=_("请从列出的里面选。"))
    link_cases(number=case.number, other=asked, kind=LinkKind(kind), **about)


@page("POST")
def unlink(visit: Visit, number: str) -> HttpResponse:
    unlink_cases(actor=visit.user, number=number, other=_asked(visit, "other"), now=visit.now)
    return visit.go(reverse("desk_links", args=[number]), told=_("已解除关联。"))


@page("GET", "POST")
def merge(visit: Visit, number: str) -> HttpResponse:
    """Choose the case that this one goes into, see what that does, and do it."""
    case, into, other, refusal = opened(visit.user, number, visit.now), _asked(visit, "into"), None, None
    try:
        if visit.request.method == "POST":
            target = merge_cases(actor=visit.user, number=number, into=into, now=visit.now)
            told = _("%(number)s 已并入这件事。") % {"number": number}
            return visit.go(_case(visit, target.number), told=told)
        if into:
            found = look_at_merge(actor=visit.user, number=number, into=into, now=visit.now)
            other = opened(visit.user, found.number, visit.now)
    except Refusal as caught:
        refusal = caught
    return _show(visit, "doors/desk/merge.html", case, refusal, asked=into, other=other)


@page("POST")
def unmerge(visit: Visit, number: str) -> HttpResponse:
    """Take back that another case went into this one."""
    other = _asked(visit, "other")
    try:
        back = unmerge_cases(actor=visit.user, number=other, into=number, now=visit.now)
        return visit.go(_case(visit, back.number), told=_("合并已撤销，两件各自接着办。"))
    except Missing:
        raise
    except Refusal as refusal:
        return _show_links(visit, opened(visit.user, number, visit.now), refusal)


@page("GET", "POST")
def split(visit: Visit, number: str) -> HttpResponse:
    """Choose words, say what they are about, look at it, and make it a case of its own."""
    case, form = opened(visit.user, number, visit.now), visit.request.POST
    need, chosen, refusal = form.get("need", ""), _chosen(visit), None
    looking = visit.request.method == "POST" and "look" in form
    if visit.request.method == "POST" and not looking:
        try:
            new = split_case(actor=visit.user, number=number, messages=chosen, need=need, now=visit.now)
            return visit.go(_case(visit, new.number), told=_("新的一件已拆出，时钟开始。"))
        except Refusal as caught:
            refusal = caught
    side = merchant_look(case.merchant, visit.now)
    words = [word for word in on_case(case, visit.user, side.members, visit.now).words if _said(word)]
    content = {"words": words, "chosen": set(chosen), "need": need, "looking": looking and chosen and need}
    return _show(visit, "doors/desk/split.html", case, refusal, **content)


def _said(word: Word) -> bool:
    """A word of a person that can be taken along."""
    return word.pk > 0 and word.side != "house"


@page("POST")
def keep(visit: Visit, number: str) -> HttpResponse:
    """Whether a child of a major case stays open when that is solved."""
    kept = visit.request.POST.get("keep") == "1"
    keep_child(actor=visit.user, number=number, keep=kept, now=visit.now)
    return visit.go(_case(visit, number) + "#beside", told=_("已改。"))


def _given(visit: Visit) -> Any:
    return visit.request.POST if visit.request.method == "POST" else visit.request.GET


def _asked(visit: Visit, name: str) -> str:
    return str(_given(visit).get(name, "")).replace("\x00", "").strip()[:NUMBER_MOST]


def _chosen(visit: Visit) -> list[int]:
    given = visit.request.POST.getlist("word")
    return [int(one) for one in given if one.isascii() and one.isdecimal() and len(one) <= PK_MOST]


def _case(visit: Visit, number: str) -> str:
    query = "&".join(
        f"{name}={visit.request.GET[name]}" for name in ("view", "saved") if name in visit.request.GET
    )
    return reverse("desk_case", args=[number]) + (f"?{query}" if query else "")


def _show(visit: Visit, template: str, case: Opened, refusal: Refusal | None, **content: Any) -> HttpResponse:
    content |= {"case": case, "refusal": refusal, "section": "desk"}
    content["others"] = others_of(case.pk, case.merchant)
    content["may"] = {verb.value: True for verb in case.may}
    return visit.render(template, content, status=refusal.status if refusal else 200)
