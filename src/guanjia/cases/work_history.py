"""What the events of tasks, plans, hand-overs and promises say in a case's history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.moments import moment

Said = Mapping[str, Any]


def _due(payload: Said, key: str = "due_at") -> dict[str, str]:
    return {"due": moment(datetime.fromisoformat(payload[key]))}


def _asked(payload: Said) -> str:
    if payload["waits"]:
        return _("派了一项任务，等前面的做完再开始。")
    return _("派了一项任务，最迟 %(due)s。") % _due(payload)


def _ended(payload: Said) -> str:
    return _("一项任务做完了。") if payload["outcome"] == "done" else _("一项任务不做了。")


def _answered(payload: Said) -> str:
    return {
        "accepted": _("接手了。"),
        "declined": _("没有接，转回去了。"),
        "pulled_back": _("没有人接手，按时收回了。"),
    }[payload["outcome"]]


def _promise_ended(payload: Said) -> str:
    if not payload["kept"]:
        return _("收回了一个约定。")
    return _("约定兑现了，晚了。") if payload["late"] else _("约定按时兑现了。")


WORK_TOLD: Mapping[str, Callable[[Said], str]] = {
    "cases.task_asked": _asked,
    "cases.task_given": lambda _p: _("任务换了经办人。"),
    "cases.task_holds": lambda payload: (
        _("一项任务要在办结前完成。") if payload["holds"] else _("一项任务不再影响办结。")
    ),
    "cases.task_ended": _ended,
    "cases.task_freed": lambda payload: _("下一项任务可以开始，最迟 %(due)s。") % _due(payload),
    "cases.task_said": lambda payload: _("就任务反问。") if payload["asks"] else _("就任务说了一句。"),
    "cases.task_overdue": lambda _p: _("任务超时，已升级。"),
    "cases.checklist_added": lambda payload: _("清单加了 %(n)d 行。") % {"n": payload["lines"]},
    "cases.checklist_ticked": lambda payload: (
        _("清单勾掉一行。") if payload["ticked"] else _("清单退回一行。")
    ),
    "cases.checklist_cut": lambda _p: _("清单删掉一行。"),
    "cases.plan_applied": lambda payload: _("用了一份方案，%(n)d 项任务。") % {"n": payload["tasks"]},
    "cases.handed_over": lambda payload: _("转交给别人，%(due)s 前可以不接。") % _due(payload, "answer_by"),
    "cases.handover_answered": _answered,
    "cases.promised": lambda payload: _("答应商家，最迟 %(due)s。") % _due(payload),
    "cases.promise_ended": _promise_ended,
    "cases.stood_in": lambda _p: _("替不在的人答复。"),
}
