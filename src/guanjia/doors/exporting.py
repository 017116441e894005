"""A file that a browser keeps, written while it is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from django.http import HttpResponse, QueryDict, StreamingHttpResponse
from django.utils.translation import gettext as _

from guanjia.cases.exporting import COLUMNS, NOTES
from guanjia.cases.models import CaseKind, CaseState, Priority
from guanjia.merchants.exporting import Export, Format

_TYPES = {Format.CSV: "text/csv; charset=utf-8", Format.JSON: "application/json"}
_MARK = "\ufeff"
"""Without it, spreadsheets read Chinese as another encoding."""


def as_file(export: Export, form: QueryDict, name: str) -> HttpResponse:
    """As CSV with titles in the reader's language, or as JSON with the names of the columns."""
    kind = Format.JSON if form.get("format") == Format.JSON else Format.CSV
    lines = _readable(export).lines(kind) if kind is Format.CSV else export.lines(kind)
    answer = StreamingHttpResponse(_marked(lines, kind), content_type=_TYPES[kind])
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind.value}"'
    answer.headers["Cache-Control"] = "no-store, private"
    return cast(HttpResponse, answer)  # what pages do with an answer, they can do with this one


def _marked(lines: Iterator[str], kind: Format) -> Iterator[str]:
    if kind is Format.CSV:
        yield _MARK
    yield from lines


def _readable(export: Export) -> Export:
    """Titles and words are looked up now: what is written later no longer knows the reader's language."""
    titles, known = _titles(), _words()
    places = {place: known[name] for place, name in enumerate(export.columns) if name in known}
    rows = (
        tuple(places[n].get(cell, cell) if n in places else cell for n, cell in enumerate(row))
        for row in export.rows
    )
    return Export(tuple(titles[name] for name in export.columns), rows)


def _titles() -> dict[str, str]:
    texts = (
        _("编号"),
        _("商家编号"),
        _("商家"),
        _("标题"),
        _("要办的事"),
        _("状态"),
        _("类型"),
        _("优先级"),
        _("负责人"),
        _("首次接待"),
        _("提出时间"),
        _("最迟"),
        _("办结时间"),
        _("关闭时间"),
        _("评分"),
        _("评价"),
        _("沟通"),
        _("内部备注"),
    )
    return dict(zip((*COLUMNS, NOTES), texts, strict=True))


def _words() -> dict[str, dict[object, str]]:
    return {
        "state": {state.value: _(state.label) for state in CaseState},
        "kind": {kind.value: _(kind.label) for kind in CaseKind},
        "priority": {priority.value: _(priority.label) for priority in Priority},
    }
