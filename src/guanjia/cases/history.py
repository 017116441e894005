"""What has happened to a case, from the event log, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as n_

from guanjia.base.moments import moment
from guanjia.cases.mark_history import MARKS_TOLD
from guanjia.cases.models import ClockKind, LinkKind, TaskKind
from guanjia.cases.work_history import WORK_TOLD


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


def _clock(payload: Mapping[str, Any]) -> str:
    return _(ClockKind(payload["clock_kind"]).label)


def _linked(payload: Mapping[str, Any]) -> str:
    other, link = payload["other"], LinkKind(payload["link"])
    return _(SAID[link][0 if payload["outward"] else 1]) % {"other": other}


def _unlinked(payload: Mapping[str, Any]) -> str:
    return _("不再与 %(other)s 关联。") % {"other": payload["other"]}


SAID: Mapping[LinkKind, tuple[str, str]] = {
    LinkKind.RELATED: (n_("与 %(other)s 相关。"), n_("与 %(other)s 相关。")),
    LinkKind.DUPLICATE: (n_("与 %(other)s 重复。"), n_("%(other)s 与这件重复。")),
    LinkKind.PART: (n_("是 %(other)s 的一部分。"), n_("%(other)s 是这件的一部分。")),
    LinkKind.SPLIT: (n_("从 %(other)s 拆出。"), n_("拆出了 %(other)s。")),
    LinkKind.FOLLOWS: (n_("接着 %(other)s 办。"), n_("后来由 %(other)s 接着办。")),
    LinkKind.MERGED: (n_("并入 %(other)s。"), n_("%(other)s 并了进来。")),
}
"""What a link says on its source, and on its target."""


_TELL: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    **MARKS_TOLD,
    **WORK_TOLD,
    "cases.opened": _opened,
    "cases.message_sent": _said,
    "cases.file_added": lambda _p: _("附上一个文件。"),
    "cases.file_erased": lambda _p: _("删掉一个文件。"),
    "routines.acted": lambda payload: _("按规则 %(n)d 自动办理。") % {"n": payload["routine"]},
    "cases.solved": lambda _p: _("办结，时钟停止。"),
    "cases.reopened": lambda _p: _("重新打开，时钟重新开始。"),
    "cases.rated": lambda payload: _("商家评价 %(score)d 分。") % {"score": payload["score"]},
    "cases.wait_begun": _wait,
    "cases.wait_ended": lambda _p: _("不再等商家，接着办。"),
    "cases.linked": _linked,
    "cases.unlinked": _unlinked,
    "cases.merged": lambda payload: _("并入 %(other)s。") % {"other": payload["into"]},
    "cases.took_in": lambda payload: _("%(other)s 并了进来。") % {"other": payload["other"]},
    "cases.merge_undone": lambda payload: _("撤销与 %(other)s 的合并。") % {"other": payload["other"]},
    "cases.split": lambda payload: (
        _("带着 %(n)d 条话拆出 %(other)s。") % {"n": len(payload["messages"]), "other": payload["other"]}
    ),
    "cases.child_kept": lambda payload: (
        _("重大事项办结时，这件保留办理。") if payload["kept"] else _("重大事项办结时，这件一起办结。")
    ),
    "cases.closed": lambda _p: _("办结后没有人再回来，自动关闭。"),
    "cases.clock_warned": lambda payload: _("时钟提醒：%(clock)s快到时限。") % {"clock": _clock(payload)},
    "cases.clock_breached": lambda payload: _("时钟超时：%(clock)s。") % {"clock": _clock(payload)},
    "cases.task_opened": lambda payload: _("任务：%(task)s") % {"task": _task(payload)},
    "cases.task_done": lambda payload: _("任务完成：%(task)s") % {"task": _task(payload)},
}
