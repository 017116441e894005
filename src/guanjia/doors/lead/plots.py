"""The board's figures as plots, each with its table."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from guanjia.base.charts import Chart, Part, Point, Row, bars, trend
from guanjia.doors.lead.queries import RECORD_DAYS, Board, LineLoad, Load, Record


def of_board(board: Board) -> dict[str, Chart]:
    """What is open, by line, by team and pool, by person."""
    return {
        "lines_chart": _open("by-line", _("各业务线待答复"), _("业务线"), board.lines),
        "groups_chart": _open("by-group", _("各专班与共享池在办"), _("专班或共享池"), board.groups),
        "people_chart": _open("by-person", _("客户经理的工作量"), _("客户经理"), board.people),
    }


def _open(key: str, title: str, first: str, loads: Sequence[Load | LineLoad]) -> Chart:
    parts = (Part(_("已超时"), "bad"), Part(_("时限内"), "brand"))
    rows = [
        Row(
            load.title if isinstance(load, LineLoad) else load.name,
            (load.overdue, load.open - load.overdue),
            _("%(open)d 件 · 超时 %(overdue)d") % {"open": load.open, "overdue": load.overdue},
        )
        for load in loads
    ]
    return bars(key, title, first=first, parts=parts, rows=rows)


def of_record(record: Record) -> Chart:
    points = [Point(day, share) for day, share in record.by_day()]
    title = _("近 %(days)d 天守时率，七日滚动") % {"days": RECORD_DAYS}
    return trend("by-day", title, first=_("日期"), part=Part(_("守时率"), "brand"), points=points)


def of_weeks(record: Record, slug: str) -> Chart:
    """One line's promises by week."""
    parts = (Part(_("守时"), "ok"), Part(_("未守时"), "bad"))
    rows = [
        Row(
            f"{week:%m-%d}",
            (kept, broken),
            _("守时 %(kept)d · 未守时 %(broken)d") % {"kept": kept, "broken": broken},
        )
        for week, kept, broken in record.by_week(slug)
    ]
    return bars("by-week", _("近十三周"), first=_("周一"), parts=parts, rows=rows)
