"""Running the conformance kit against a line: asked for by its people, done by a worker."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.actors import SYSTEM
from guanjia.base.errors import Refusal
from guanjia.base.flows import wake
from guanjia.ledger.actions import Entry, record
from guanjia.lines.events import ConformanceAsked, ConformanceFinished
from guanjia.lines.models import Conformance, Line
from guanjia.lines.rules import require_specialist
from guanjia.people.actors import actor_of
from guanjia.people.models import User

CONFORMANCE_FLOW = "lines.conformance"
"""The name of the flow that runs the kit; its keys are `Conformance` ids. It never changes."""
RUN_AT_MOST = timedelta(minutes=15)
"""After that a run without an end no longer bars the next."""


class AlreadyRunning(Refusal):
    code = "already_running"


@transaction.atomic
def ask_conformance(*, actor: User, line: Line, may_confirm: bool, now: datetime) -> Conformance:
    """Have the kit run against the line; it places test holds, and with `may_confirm` confirms one per
    service for good. Raises NotYourLine, AlreadyRunning."""
    require_specialist(actor, line)
    Line.objects.select_for_update(no_key=True).get(pk=line.pk)  # two clicks are one run
    unfinished = line.conformance.filter(finished_at=None, asked_at__gt=now - RUN_AT_MOST)
    if unfinished.exists():
        raise AlreadyRunning(_("已有一次检查在运行。"), hint=_("请等它结束再开始下一次。"))
    asked = Conformance.objects.create(line=line, asked_by=actor, asked_at=now, may_confirm=may_confirm)
    wake(CONFORMANCE_FLOW, [asked.pk], now, now)
    event = ConformanceAsked(line.slug, asked.pk, may_confirm)
    record([Entry(now, actor_of(actor), f"line:{line.slug}", event)])
    return asked


@transaction.atomic
def finish_conformance(
    *, asked: Conformance, passed: bool | None, report: Mapping[str, Any], now: datetime
) -> None:
    """What the run found; `passed` None where it could not be made. Again changes nothing."""
    fields = {"finished_at": now, "passed": passed, "report": dict(report)}
    if not Conformance.objects.filter(pk=asked.pk, finished_at=None).update(**fields):
        return
    results = report.get("results", [])
    broken = sorted({result["rule"] for result in results if result["verdict"] == "failed"})
    event = ConformanceFinished(asked.line.slug, asked.pk, passed, broken)
    record([Entry(now, SYSTEM, f"line:{asked.line.slug}", event)])
