"""What has happened to a case, from the event log, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.moments import moment
from guanjia.cases.models import TaskKind


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One event of a case: when, by whom (a person's name only where staff read it), and what."""

    at: datetime
    who: str
    text: str


def told(at: datetime, kind: str, who: str | None, payload: Mapping[str, Any]) -> CaseEvent:
    """An event of a case for staff, without text where it says nothing. `who` is None for the house."""
    tell = _TELL.get(kind)
    return CaseEvent(at, who or _("管家"), tell(payload) if tell else "")


def _said(payload: Mapping[str, Any]) -> str:
    return _("记下内部备注。") if payload["internal"] else _("在沟通里说话。")


def _wait(payload: Mapping[str, Any]) -> str:
    return _("等商家答复，最迟 %(due)s。") % {"due": moment(datetime.fromisoformat(payload["due_at"]))}


def _opened(payload: Mapping[str, Any]) -> str:
    return _("提出事项，时钟开始，最迟 %(due)s 首次答复。") % {
        "due": moment(datetime.fromisoformat(payload["due_at"]))
    }


def _task(payload: Mapping[str, Any]) -> str:
    return _(TaskKind(payload["task_kind"]).label)


_TELL: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "cases.opened": _opened,
    "cases.message_sent": _said,
    "cases.solved": lambda _p: _("办结，时钟停止。"),
    "cases.reopened": lambda _p: _("重新打开，时钟重新开始。"),
    "cases.wait_begun": _wait,
    "cases.wait_ended": lambda _p: _("不再等商家，接着办。"),
    "cases.task_opened": lambda payload: _("任务：%(task)s") % {"task": _task(payload)},
    "cases.task_done": lambda payload: _("任务完成：%(task)s") % {"task": _task(payload)},
}
