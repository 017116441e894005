"""Major cases: one cause for many merchants. Who it is about is looked at before anybody is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Missing, Refusal
from guanjia.cases.actions import major as acts
from guanjia.cases.recipients import Criteria, find_recipients, read_refs
from guanjia.doors.lead.majors import queries
from guanjia.doors.lead.rules import require_lead
from guanjia.people.pages import Visit, page

LAST = 2**63 - 1
DIGITS_MOST = 18
FILE_MOST = 2 * 1024 * 1024
WORD_MOST = 200


@page()
def majors(visit: Visit) -> HttpResponse:
    """All of them, the newest first."""
    require_lead(visit.user)
    rows, following = queries.majors(_whole(visit.request.GET.get("before", "")) or LAST)
    return visit.render("doors/lead/majors/list.html", {"rows": rows, "next": following})


@page("GET", "POST")
def new(visit: Visit) -> HttpResponse:
    """Say what has happened and to whom, look at who that is, and tell them."""
    require_lead(visit.user)
    form, refusal, found, refs = visit.request.POST, None, None, ""
    if visit.request.method == "POST":
        try:
            refs = _listed(visit)
            criteria = _criteria(form, refs)
            if "look" not in form:
                major = acts.open_major(actor=visit.user, criteria=criteria, now=visit.now, **_said(form))
                return visit.go(_page(major.number), told=_("已开始通知。"))
            found = find_recipients(criteria)
        except Refusal as caught:
            refusal = caught
    content = {"form": form, "refs": refs, "refusal": refusal, "found": found, **queries.choices()}
    return visit.render("doors/lead/majors/new.html", content, status=refusal.status if refusal else 200)


@page("GET", "POST")
def major(visit: Visit, number: str) -> HttpResponse:
    """How far it is; POST tells all children how things stand."""
    require_lead(visit.user)
    refusal, body = None, visit.request.POST.get("body", "")
    if visit.request.method == "POST":
        try:
            if "look" not in visit.request.POST:
                acts.update_major(actor=visit.user, number=number, body=body, now=visit.now)
                return visit.go(_page(number), told=_("更新正在送到每一件。"))
        except Missing:
            raise
        except Refusal as caught:
            refusal = caught
    return _show(visit, number, refusal, body)


@page("POST")
def act(visit: Visit, number: str, verb: str) -> HttpResponse:
    """Stop telling, go on, or solve it with its children."""
    require_lead(visit.user)
    if verb not in _ACTS:
        raise Missing(_("没有这个动作。"), hint=_("请从页面上的按钮里选。"))
    try:
        _ACTS[verb](actor=visit.user, number=number, now=visit.now)
    except Missing:
        raise
    except Refusal as refusal:
        return _show(visit, number, refusal, "")
    return visit.go(_page(number), told=_("已改。"))


_ACTS: Mapping[str, Callable[..., Any]] = {
    "stop": acts.stop_major,
    "resume": acts.resume_major,
    "solve": acts.solve_major,
}


def _show(visit: Visit, number: str, refusal: Refusal | None, body: str) -> HttpResponse:
    found = queries.major_numbered(number)
    updates = queries.updates_of(found)
    after = _whole(visit.request.GET.get("after", ""))
    children, following = queries.children(found, after)
    content = {
        "major": found,
        "state_text": _(found.get_state_display()),
        "chosen_by": queries.chosen_by(found.criteria),
        "progress": queries.progress(found, updates[0].n if updates else 0),
        "updates": updates,
        "children": children,
        "next": following,
        "after": after,
        "working": queries.working(found),
        "refusal": refusal,
        "body": body,
        "looking": visit.request.method == "POST" and bool(body.strip()) and refusal is None,
    }
    template = "doors/lead/majors/progress.html" if visit.partial else "doors/lead/majors/major.html"
    return visit.render(template, content, status=refusal.status if refusal else 200)


def _said(form: Any) -> dict[str, Any]:
    return {
        "title": form.get("title", ""),
        "said": form.get("said", ""),
        "days": _whole(form.get("days", "")),
    }


def _criteria(form: Any, refs: str) -> Criteria:
    given = {
        name: form.get(name, "").replace("\x00", "").strip()[:WORD_MOST]
        for name in ("line", "service", "state", "fact", "value")
    }
    return Criteria(**given, refs=read_refs(refs))


def _listed(visit: Visit) -> str:
    """References that were typed, and those in a file of text."""
    typed, file = visit.request.POST.get("refs", ""), visit.request.FILES.get("file")
    if file is None:
        return typed.replace("\x00", "")
    if file.size is None or file.size > FILE_MOST:
        raise BadInput(_("名单文件太大。"), hint=_("最多 2 MB 的文本，每行一个商家编号。"))
    try:
        return f"{typed}\n{file.read().decode('utf-8-sig')}".replace("\x00", "").strip()
    except UnicodeDecodeError:
        raise BadInput(_("名单文件不是 UTF-8 文本。"), hint=_("请另存为 UTF-8 的 TXT 或 CSV。")) from None


def _page(number: str) -> str:
    return reverse("lead_major", args=[number])


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS_MOST else 0
