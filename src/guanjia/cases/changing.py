"""What shall be done with a case, as data: along with a macro's text, a held reply, or for many at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guanjia.base.errors import BadInput
from guanjia.cases.marking import require_few, tag_names
from guanjia.cases.models import CaseKind, Priority
from guanjia.cases.rules import WAIT_DAYS_MOST

GIVEN_KINDS = tuple(kind for kind in CaseKind if kind != CaseKind.MAJOR)
"""Kinds that somebody may set; a major case is made one by an action of its own."""


@dataclass(frozen=True, slots=True)
class Change:
    """Nothing where nothing is said. Waiting for the merchant and being done exclude each other."""

    priority: int | None = None
    kind: str = ""
    add_tags: tuple[str, ...] = field(default=())
    remove_tags: tuple[str, ...] = field(default=())
    wait_days: int | None = None
    solve: bool = False

    def __bool__(self) -> bool:
        return self != Change()

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value}

    def words(self) -> list[str]:
        """What it does, in the reader's language, one thing each."""
        said = []
        if self.priority is not None:
            said.append(_("优先级改为“%(name)s”") % {"name": _(Priority(self.priority).label)})
        if self.kind:
            said.append(_("类型改为“%(name)s”") % {"name": _(CaseKind(self.kind).label)})
        if self.add_tags:
            said.append(_("加标签 %(tags)s") % {"tags": _("、").join(self.add_tags)})
        if self.remove_tags:
            said.append(_("去掉标签 %(tags)s") % {"tags": _("、").join(self.remove_tags)})
        if self.wait_days is not None:
            days = self.wait_days
            said.append(ngettext("等商家 %(n)d 天", "等商家 %(n)d 天", days) % {"n": days})
        return [*said, _("办结")] if self.solve else said


def change_of(stored: Mapping[str, Any]) -> Change:
    """What `as_json` has written."""
    values: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in stored.items()}
    return Change(**values)


def read_change(given: Mapping[str, str]) -> Change:
    """From the fields of a form: priority, kind, tags, untag, wait, solve. Raises BadInput."""
    change = Change(
        priority=_priority(given.get("priority", "")),
        kind=_kind(given.get("kind", "")),
        add_tags=tuple(tag_names(given.get("tags", ""))),
        remove_tags=tuple(tag_names(given.get("untag", ""))),
        wait_days=_days(given.get("wait", "")),
        solve=bool(given.get("solve")),
    )
    require_few(len(change.add_tags))
    if change.solve and change.wait_days is not None:
        raise BadInput(_("不能既等商家又办结。"), hint=_("请只选一样。"))
    return change


def _priority(text: str) -> int | None:
    if not text:
        return None
    if text not in {str(value) for value in Priority.values}:
        raise BadInput(_("没有这种优先级。"), hint=_("请从列出的里面选。"))
    return int(text)


def _kind(text: str) -> str:
    if text and text not in GIVEN_KINDS:
        raise BadInput(_("没有这种类型。"), hint=_("请从列出的里面选。"))
    return text


def _days(text: str) -> int | None:
    if not text:
        return None
    if not (text.isdecimal() and len(text) < 4 and 1 <= int(text) <= WAIT_DAYS_MOST):
        raise BadInput(_("等商家的期限要在 1 到 %(most)d 天之间。") % {"most": WAIT_DAYS_MOST})
    return int(text)
