"""What the events of marks, approvals and drafts say in a case's history.

A payload holds ids. Where the reader's page has looked up what they are called, it adds `names`: for
`user` and `tag` a mapping of ids to names; without it the sentence says what was done, and not to whom.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.moments import moment
from guanjia.cases.models import CaseKind, Priority

Said = Mapping[str, Any]


def _names(payload: Said, of: str, ids: Iterable[int]) -> str:
    known = payload.get("names", {}).get(of, {})
    return _("、").join(known[pk] for pk in ids if pk in known)


def _priority(payload: Said) -> str:
    labels = {"before": _(Priority(payload["before"]).label), "after": _(Priority(payload["after"]).label)}
    return _("优先级从“%(before)s”改为“%(after)s”。") % labels


def _kind(payload: Said) -> str:
    labels = {"before": _(CaseKind(payload["before"]).label), "after": _(CaseKind(payload["after"]).label)}
    return _("类型从“%(before)s”改为“%(after)s”。") % labels


def _tagged(payload: Said) -> str:
    added, removed = (_names(payload, "tag", payload[of]) for of in ("added", "removed"))
    said = [_("加标签 %(tags)s") % {"tags": added}] if added else []
    said += [_("去掉标签 %(tags)s") % {"tags": removed}] if removed else []
    return _("；").join(said) + _("。") if said else _("改了标签。")


def _watched(payload: Said) -> str:
    who = _names(payload, "user", [payload["user"]])
    return _("%(who)s 关注了这件事。") % {"who": who} if who else _("关注了这件事。")


def _unwatched(payload: Said) -> str:
    who = _names(payload, "user", [payload["user"]])
    return _("%(who)s 不再关注这件事。") % {"who": who} if who else _("不再关注这件事。")


def _mentioned(payload: Said) -> str:
    who = _names(payload, "user", payload["users"])
    return _("提到了 %(who)s。") % {"who": who} if who else _("提到了同事。")


def _asked(payload: Said) -> str:
    due = moment(datetime.fromisoformat(payload["due_at"]))
    if who := _names(payload, "user", [payload["approver"]]):
        return _("写好一条答复，请 %(who)s 审，最迟 %(due)s。") % {"who": who, "due": due}
    return _("写好一条答复，等人来审，最迟 %(due)s。") % {"due": due}


def _given(payload: Said) -> str:
    text = _("改过后发出了待审的答复。") if payload["edited"] else _("发出了待审的答复。")
    return text + _("（同时要做的事没有做成）") if payload["left_out"] else text


def _shared(payload: Said) -> str:
    if payload["internal"]:
        return _("共享备注的草稿，第 %(n)d 稿。") % {"n": payload["version"]}
    return _("共享答复的草稿，第 %(n)d 稿。") % {"n": payload["version"]}


MARKS_TOLD: Mapping[str, Callable[[Said], str]] = {
    "cases.priority_set": _priority,
    "cases.kind_set": _kind,
    "cases.tagged": _tagged,
    "cases.watched": _watched,
    "cases.unwatched": _unwatched,
    "cases.mentioned": _mentioned,
    "cases.approval_asked": _asked,
    "cases.approval_given": _given,
    "cases.approval_returned": lambda _p: _("退回了待审的答复。"),
    "cases.draft_shared": _shared,
}


def named(payload: Said) -> tuple[list[int], list[int]]:
    """The users and the tags whose names the sentence of this event needs."""
    users = [payload[key] for key in ("user", "approver") if isinstance(payload.get(key), int)]
    listed = payload.get("users")
    tags = [pk for key in ("added", "removed") for pk in payload.get(key) or () if isinstance(pk, int)]
    return users + [pk for pk in listed or () if isinstance(pk, int)], tags
