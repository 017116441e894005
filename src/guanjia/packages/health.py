"""How the lines are doing, as far as the house's own rows tell: no line is called for it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from guanjia.base.sql import rows
from guanjia.base.texts import pick
from guanjia.cases.models import TaskKind
from guanjia.lines.models import Line
from guanjia.packages.settle import FLOW

RETRYING = 3
"""Calls in a row without an answer after which a line counts as slow."""
SAMPLE = 500

_TASKS = (
    "SELECT s.line_id, bool_or(t.kind <> %s) FROM cases_task t"
    " JOIN packages_item i ON i.uid = t.item JOIN lines_service s ON s.id = i.service_id"
    " WHERE t.done_at IS NULL GROUP BY 1"
)
# Items of the flows that are due first: those that are being retried are among them.
_RETRIES = (
    "SELECT DISTINCT s.line_id FROM (SELECT key FROM base_flow WHERE name = %s AND lease IS NULL"
    "  ORDER BY due_at LIMIT %s) f"
    " JOIN packages_item i ON i.package_id = f.key JOIN lines_service s ON s.id = i.service_id"
    " WHERE i.next_at IS NOT NULL AND i.attempts >= %s"
)


@dataclass(frozen=True, slots=True)
class LineHealth:
    """An open line: what it is called, how many services it offers, and how it is, in words and tone."""

    slug: str
    title: str
    services: int
    text: str
    tone: str


def open_lines() -> list[LineHealth]:
    """Lines in operation, by slug; three statements however many lines there are."""
    found = Line.objects.filter(active=True).order_by("slug")
    lines = found.annotate(offered=Count("services", filter=Q(services__active=True)))
    stuck = dict(rows(_TASKS, [TaskKind.OVERDUE_DECISION]))
    retried = {pk for (pk,) in rows(_RETRIES, [FLOW, SAMPLE, RETRYING])}
    return [
        LineHealth(line.slug, pick(line.titles), line.offered, *_word(line, stuck, retried)) for line in lines
    ]


def _word(line: Line, stuck: dict[int, bool], retried: set[int]) -> tuple[str, str]:
    if stuck.get(line.pk):
        return _("有事项卡住，专人处理中"), "bad"
    if line.pk in retried:
        return _("应答不稳，正在重试"), "warn"
    if line.pk in stuck:
        return _("有答复超时"), "warn"
    if line.checked_at is None:
        return _("还没有连通"), "plain"
    return _("正常"), "ok"
