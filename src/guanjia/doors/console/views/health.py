"""How a remote line does, and running the conformance kit against it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import Missing, Refusal
from guanjia.doors.console.queries.health import (
    circuit_word,
    findings,
    run_of,
    runs_of,
    said_error,
    stuck_at,
    vital_of,
)
from guanjia.doors.console.views.lines import show
from guanjia.lines.actions.conformance import ask_conformance
from guanjia.lines.models import Line, LineKind
from guanjia.lines.rules import access_line
from guanjia.people.pages import Visit, page


@page("GET", "POST")
def health(visit: Visit, slug: str) -> HttpResponse:
    line = _remote(visit, slug)
    if visit.request.method == "GET":
        return _health(visit, line)
    may_confirm = visit.request.POST.get("may_confirm") == "yes"
    try:
        asked = ask_conformance(actor=visit.user, line=line, may_confirm=may_confirm, now=visit.now)
    except Refusal as refusal:
        return _health(visit, line, status=refusal.status, refusal=refusal)
    return visit.go(reverse("console_run", args=[slug, asked.pk]))


def _health(visit: Visit, line: Line, *, status: int = 200, **more: Any) -> HttpResponse:
    vital = vital_of(line)
    word, tone = circuit_word(vital)
    content = {
        "vital": vital,
        "circuit": word,
        "tone": tone,
        "stuck": stuck_at(line),
        "runs": runs_of(line),
        **more,
    }
    return show(visit, line, "health", content, status=status)


@page()
def run(visit: Visit, slug: str, pk: int) -> HttpResponse:
    """One run: while it lasts htmx asks for it again."""
    line = _remote(visit, slug)
    found = run_of(line, pk)
    listed = findings(found.report)
    counts = {
        verdict: sum(one.verdict == verdict for one in listed) for verdict in ("ok", "failed", "skipped")
    }
    content = {"run": found, "findings": listed, "counts": counts, "error": said_error(found.report)}
    return show(visit, line, "run", content, part="run_result.html")


def _remote(visit: Visit, slug: str) -> Line:
    line = access_line(actor=visit.user, slug=slug)
    if line.kind != LineKind.REMOTE:
        raise Missing(_("这条业务线由管家托管，没有自己的系统。"), hint=_("请看它的名额和服务。"))
    return line
