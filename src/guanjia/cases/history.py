"""What has happened to a case, from the event log, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.moments import moment
from guanjia.cases.models import Case, TaskKind
from guanjia.ledger.models import Event
from guanjia.people.models import User

HISTORY_MOST = 100


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One event of a case: when, by whom (a person's name only where staff read it), and what."""

    at: datetime
    who: str
    text: str


def history(case: Case) -> list[CaseEvent]:
    """The last HISTORY_MOST events of a case that say something, the newest first, for staff; two
    statements."""
    found = list(Event.objects.filter(subject=f"case:{case.number}").order_by("-pk")[:HISTORY_MOST])
    names = _names(found)
    told = [CaseEvent(event.at, names.get(event.actor, _("管家")), _tell(event)) for event in found]
    return [event for event in told if event.text]


def _names(events: list[Event]) -> dict[str, str]:
    pks = {int(ref) for kind, _c, ref in (event.actor.partition(":") for event in events) if kind == "user"}
    return {f"user:{user.pk}": user.name for user in User.objects.filter(pk__in=pks)}


def _tell(event: Event) -> str:
    tell = _TELL.get(event.kind)
    return tell(event.payload) if tell else ""


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
