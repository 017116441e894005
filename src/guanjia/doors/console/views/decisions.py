"""Decisions: what waits, the first clock first; one at a time, and on to the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import Refusal
from guanjia.doors.console.forms.decisions import ApproveForm, RefuseForm
from guanjia.doors.console.queries.decisions import Waiting, next_after, require_hold, settled, waiting_on
from guanjia.doors.console.views.lines import show
from guanjia.lines.actions.hosted import NotWaiting, decide_hold
from guanjia.lines.models import Line, LineKind
from guanjia.lines.protocol.messages import Money
from guanjia.lines.rules import access_line
from guanjia.people.pages import Visit, page


@page()
def line(visit: Visit, slug: str) -> HttpResponse:
    found = access_line(actor=visit.user, slug=slug)
    waiting = waiting_on(found, visit.now)
    return _board(visit, found, waiting, waiting[0] if waiting else None)


@page("GET", "POST")
def decision(visit: Visit, slug: str, key: UUID) -> HttpResponse:
    found = access_line(actor=visit.user, slug=slug)
    waiting = waiting_on(found, visit.now)
    picked = next((one for one in waiting if one.key == key), None)
    if found.kind == LineKind.HOSTED and picked is None:
        hold = require_hold(found, key)
        status = 409 if visit.request.method == "POST" else 200
        return _board(visit, found, waiting, None, status=status, gone=settled(hold, visit.now), chosen=True)
    if visit.request.method == "POST" and picked is not None and found.kind == LineKind.HOSTED:
        return _decide(visit, found, waiting, picked)
    return _board(visit, found, waiting, picked or next(iter(waiting), None), chosen=picked is not None)


def _decide(visit: Visit, line: Line, waiting: Sequence[Waiting], picked: Waiting) -> HttpResponse:
    approve = visit.request.POST.get("do") == "approve"
    form = (ApproveForm if approve else RefuseForm)(
        visit.request.POST, auto_id="yes_%s" if approve else "no_%s"
    )
    forms = {"yes" if approve else "no": form, "chosen": True}
    if not form.is_valid():
        return _board(visit, line, waiting, picked, status=422, **forms)
    try:
        decide_hold(
            actor=visit.user,
            hold_id=picked.key,
            approve=approve,
            reason=form.texts() if isinstance(form, RefuseForm) else None,
            quote=_quote(form.cleaned_data["quote"], picked) if approve else None,
            now=visit.now,
        )
    except NotWaiting as refusal:  # somebody was faster
        gone = settled(require_hold(line, picked.key), visit.now)
        rest = [one for one in waiting if one.key != picked.key]
        return _board(visit, line, rest, None, status=refusal.status, gone=gone, chosen=True)
    except Refusal as refusal:
        return _board(visit, line, waiting, picked, status=refusal.status, refusal=refusal, **forms)
    return visit.go(_next(line, waiting, picked), told=_told(picked, approve=approve))


def _quote(amount: int | None, picked: Waiting) -> Money | None:
    return None if amount is None else Money(amount, picked.currency)


def _told(picked: Waiting, *, approve: bool) -> str:
    about = {"merchant": picked.merchant, "service": picked.service}
    said = _("已同意：%(merchant)s · %(service)s。") if approve else _("已拒绝：%(merchant)s · %(service)s。")
    return said % about


def _next(line: Line, waiting: Sequence[Waiting], picked: Waiting) -> str:
    following = next_after(waiting, picked.key)
    if following is None:
        return reverse("console_line", args=[line.slug])
    return reverse("console_decision", args=[line.slug, following.key])


def _board(
    visit: Visit,
    line: Line,
    waiting: Sequence[Waiting],
    picked: Waiting | None,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    keys = [one.key for one in waiting]
    at = keys.index(picked.key) if picked else -1
    content = {
        "waiting": waiting,
        "picked": picked,
        "before": waiting[at - 1] if at > 0 else None,
        "after": waiting[at + 1] if 0 <= at < len(waiting) - 1 else None,
        **more,
    }
    if picked and line.kind == LineKind.HOSTED:
        quote = {"quote": picked.quote.amount} if picked.quote else {}
        content.setdefault("yes", ApproveForm(initial=quote, auto_id="yes_%s"))
        content.setdefault("no", RefuseForm(auto_id="no_%s"))
    return show(visit, line, "decisions", content, part="waiting.html", status=status)
