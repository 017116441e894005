"""How a remote line does: its calls, what is stuck at it, and what the conformance kit found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.errors import Missing
from guanjia.base.sql import rows
from guanjia.base.texts import pick
from guanjia.cases.models import TaskKind
from guanjia.lines.conformance.rules import SECTION_OF
from guanjia.lines.models import Conformance, Line, LineVital

STUCK_MOST = 50
RUNS_MOST = 10

_STUCK = (
    "SELECT t.kind, t.detail, t.created_at, t.due_at, p.number, i.position, s.titles FROM cases_task t"
    " JOIN packages_item i ON i.uid = t.item JOIN packages_package p ON p.id = i.package_id"
    " JOIN lines_service s ON s.id = i.service_id"
    " WHERE s.line_id = %s AND t.done_at IS NULL AND t.kind <> %s ORDER BY t.due_at, t.id LIMIT %s"
)


@dataclass(frozen=True, slots=True)
class Stuck:
    """An open task about an item that the line does not get on with."""

    kind: str
    detail: str
    since: datetime
    due_at: datetime
    package: str
    item: int
    service: str


def vital_of(line: Line) -> LineVital | None:
    return LineVital.objects.filter(line=line).first()


def circuit_word(vital: LineVital | None) -> tuple[str, str]:
    """The state of the circuit in words, and its tone."""
    if vital is None:
        return _("还没有调用过"), "plain"
    words = {
        "closed": (_("正常"), "ok"),
        "open": (_("暂停调用"), "bad"),
        "half_open": (_("正在试探"), "warn"),
    }
    return words.get(vital.circuit, (vital.circuit, "plain"))


def stuck_at(line: Line) -> list[Stuck]:
    """What a person has to look after, the first clock first."""
    found = rows(_STUCK, [line.pk, TaskKind.OVERDUE_DECISION, STUCK_MOST])
    return [
        Stuck(_(TaskKind(kind).label), detail, since, due_at, number, position, pick(json.loads(titles)))
        for kind, detail, since, due_at, number, position, titles in found
    ]


def runs_of(line: Line) -> list[Conformance]:
    """The last runs of the kit without their reports, the newest first."""
    found = Conformance.objects.select_related("asked_by").defer("report").filter(line=line)
    return list(found.order_by("-pk")[:RUNS_MOST])


def run_of(line: Line, pk: int) -> Conformance:
    """Raises Missing."""
    found = Conformance.objects.select_related("asked_by").filter(line=line, pk=pk).first()
    if found is None:
        raise Missing(_("没有这次检查。"), hint=_("请从最近的检查里选。"))
    return found


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule of LP/1 on one service: `verdict` ok, failed or skipped; the evidence where it failed."""

    rule: str
    section: str
    title: str
    service: str
    verdict: str
    text: str
    tone: str
    notes: tuple[str, ...]
    sent: str
    expected: str
    received: str


def findings(report: Mapping[str, Any] | None) -> list[Finding]:
    """The broken rules first, then what passed, then what could not be tried; within, by section."""
    results: Sequence[Mapping[str, Any]] = (report or {}).get("results", ())
    weight = {"failed": 0, "ok": 1, "skipped": 2}
    return sorted((_finding(one) for one in results), key=lambda one: weight.get(one.verdict, 3))


def _finding(result: Mapping[str, Any]) -> Finding:
    verdict, failure = result["verdict"], result.get("failure") or {}
    words = {"ok": (_("通过"), "ok"), "failed": (_("不符"), "bad"), "skipped": (_("未试"), "plain")}
    text, tone = words.get(verdict, (verdict, "plain"))
    sent, received = failure.get("sent", {}), failure.get("received", {})
    status = received.get("status")
    return Finding(
        rule=result["rule"],
        section=SECTION_OF.format(rule=result["rule"]),
        title=pick(result["titles"]),
        service=result.get("service") or "",
        verdict=verdict,
        text=text,
        tone=tone,
        notes=tuple(pick(note) for note in result.get("notes", ())),
        sent=" ".join(str(sent[name]) for name in ("method", "path", "body") if sent.get(name)),
        expected=pick(failure.get("expected", {})),
        received=f"HTTP {status} {received.get('body', '')}" if status else str(received.get("body", "")),
    )


def said_error(report: Mapping[str, Any] | None) -> str:
    """Why a run could not be made, in words."""
    error = str((report or {}).get("error", ""))
    return _("检查没有在限时内做完。") if error == "timeout" else error
