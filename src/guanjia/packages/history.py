"""What has happened to a package, from the event log, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.moments import money
from guanjia.base.texts import pick
from guanjia.core.package import NoticeKind, PackageState
from guanjia.ledger.models import Event
from guanjia.lines.models import Line
from guanjia.packages.models import Package
from guanjia.packages.words import item_word, package_word

HISTORY_MOST = 100


@dataclass(frozen=True, slots=True)
class Happening:
    """One event: when, by whom (a role, never a person's name), and what."""

    at: datetime
    who: str
    text: str


def history(package: Package) -> list[Happening]:
    """The last HISTORY_MOST events that say something, the newest first."""
    found = Event.objects.filter(subject=f"package:{package.number}").order_by("-pk")[:HISTORY_MOST]
    teller = _Teller(package, list(found))
    told = [Happening(event.at, teller.who(event), teller.tell(event)) for event in teller.events]
    return [happening for happening in told if happening.text]


class _Teller:
    """Puts events into words; knows the package's services, its merchant's people and the lines."""

    def __init__(self, package: Package, events: Sequence[Event]) -> None:
        self.events = events
        self._currency = package.currency
        items = package.items.select_related("service__line")
        self._titles = {item.position: pick(item.service.titles) for item in items}
        self._members = {f"user:{pk}" for pk in package.merchant.members.values_list("user", flat=True)}
        slugs = {event.actor.partition(":")[2] for event in events if event.actor.startswith("line:")}
        self._lines = {line.slug: pick(line.titles) for line in Line.objects.filter(slug__in=slugs)}

    def who(self, event: Event) -> str:
        kind, _colon, ref = event.actor.partition(":")
        if kind == "line":
            return self._lines.get(ref, ref)
        if kind == "system":
            return _("管家")
        return _("商家") if event.actor in self._members else _("服务团队")

    def tell(self, event: Event) -> str:
        tell = _TELL.get(event.kind)
        return tell(self, event.payload) if tell else ""

    def composed(self, payload: Mapping[str, Any]) -> str:
        return _("拟好一揽子，共 %(count)d 项。") % {"count": len(payload["services"])}

    def submitted(self, payload: Mapping[str, Any]) -> str:
        total = money(payload["list_total"], self._currency)
        beyond = len(payload["needs_decision"])
        if beyond:
            words = _("提交，价目总额 %(total)s；%(count)d 项要业务线答复。")
            return words % {"total": total, "count": beyond}
        return _("提交，价目总额 %(total)s。") % {"total": total}

    def accepted(self, payload: Mapping[str, Any]) -> str:
        return _("确认总价 %(total)s。") % {"total": money(payload["total"], self._currency)}

    def answered(self, payload: Mapping[str, Any]) -> str:
        total = money(payload["total"], self._currency)
        if not payload["declined"]:
            return _("确认总价 %(total)s。") % {"total": total}
        declined = _("、").join(_("“%(item)s”") % {"item": self._title(n)} for n in payload["declined"])
        if len(payload["declined"]) == len(self._titles):
            return _("全部不要：%(items)s。") % {"items": declined}
        return _("不要%(items)s，其余确认总价 %(total)s。") % {"items": declined, "total": total}

    def cancelled(self, _payload: Mapping[str, Any]) -> str:
        return _("要求撤回。")

    def by_hand(self, payload: Mapping[str, Any]) -> str:
        outcomes = {"confirmed": _("已办成"), "waived": _("不再办"), "retry": _("再试一次")}
        values = {"item": self._title(payload["item"]), "outcome": outcomes.get(payload["outcome"], "")}
        return _("人工处理“%(item)s”：%(outcome)s。") % values

    def moved(self, payload: Mapping[str, Any]) -> str:
        said = [
            _("“%(item)s”%(state)s")
            % {"item": self._title(move["item"]), "state": item_word(move["after"])[0]}
            for move in payload["items"]
        ]
        said += [word for kind in payload["notices"] if (word := _notice(kind))]
        if payload["before"] != payload["after"]:
            state = package_word(PackageState(payload["after"]))[0]
            said.append(_("一揽子：%(state)s") % {"state": state})
        return _("；").join(said) + _("。") if said else ""

    def _title(self, position: int) -> str:
        return self._titles.get(position, str(position))


def _notice(kind: str) -> str:
    """What an item's new state does not already say."""
    words = {
        NoticeKind.DECISION_OVERDUE: _("业务线到点没有答复，已升级"),
        NoticeKind.SILENCE_CONSENTED: _("业务线逾期没有答复，视为同意"),
        NoticeKind.SILENCE_REFUSED: _("业务线逾期没有答复，视为拒绝"),
        NoticeKind.STUCK: _("反复不通，已交专人"),
    }
    return words.get(NoticeKind(kind), "")


_TELL: Mapping[str, Callable[[_Teller, Mapping[str, Any]], str]] = {
    "packages.composed": _Teller.composed,
    "packages.submitted": _Teller.submitted,
    "packages.accepted": _Teller.accepted,
    "packages.answered": _Teller.answered,
    "packages.cancelled": _Teller.cancelled,
    "packages.item_settled_by_hand": _Teller.by_hand,
    "packages.moved": _Teller.moved,
}
