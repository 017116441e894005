"""States, reasons and steps of packages, in words and colours.

The words are translated where they are used, not here: `n_` only marks them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as n_

from guanjia.base.texts import pick
from guanjia.core.package import ItemState, PackageState
from guanjia.lines.models.line import DecisionRuleChoice
from guanjia.packages.models import Item

_S, _P = ItemState, PackageState

PACKAGE: Mapping[str, tuple[str, str]] = {
    _P.DRAFTED: (n_("草稿"), "plain"),
    _P.SUBMITTED: (n_("等商家确认价格"), "warn"),
    _P.HOLDING: (n_("正在预留"), "brand"),
    _P.DECIDING: (n_("等待答复"), "warn"),
    _P.CONFIRMING: (n_("正在生效"), "brand"),
    _P.DONE: (n_("已办成"), "ok"),
    _P.RELEASING: (n_("正在撤回"), "plain"),
    _P.RELEASED: (n_("没有办成，已全部撤回"), "bad"),
}
ITEM: Mapping[str, tuple[str, str]] = {
    _S.DRAFTED: (n_("还没开始"), "plain"),
    _S.HOLDING: (n_("正在预留"), "brand"),
    _S.HELD: (n_("已预留"), "brand"),
    _S.PENDING_DECISION: (n_("等业务线答复"), "warn"),
    _S.CONFIRMING: (n_("正在生效"), "brand"),
    _S.CONFIRMED: (n_("已生效"), "ok"),
    _S.REFUSED: (n_("没有同意"), "bad"),
    _S.RELEASING: (n_("正在撤回"), "plain"),
    _S.RELEASED: (n_("已撤回"), "plain"),
    _S.EXPIRED: (n_("逾期撤回"), "bad"),
    _S.FAILED_NEEDS_HAND: (n_("专人处理中"), "warn"),
}
ATTENTION = (
    _S.FAILED_NEEDS_HAND,
    _S.REFUSED,
    _S.EXPIRED,
    _S.PENDING_DECISION,
    _S.HOLDING,
    _S.RELEASING,
    _S.CONFIRMING,
    _S.DRAFTED,
    _S.HELD,
    _S.CONFIRMED,
    _S.RELEASED,
)
"""A line with several items shows the state that comes first here."""

REASONS: Mapping[str, str] = {
    "cancelled": n_("已按要求撤回"),
    "not_accepted": n_("到点没有确认价格"),
    "declined_by_merchant": n_("商家不要这一项"),
    "other_item_failed": n_("同一揽子里有别的条目没办成，一起撤回"),
    "nothing_held": n_("没有一项办得成"),
    "line_unreachable": n_("业务线一直没有应答"),
    "line_silent": n_("业务线逾期没有答复，按规则视为拒绝"),
    "refused_by_line": n_("业务线没有同意"),
    "hold_refused": n_("业务线没有同意"),
    "schema_violation": n_("业务线不接受这些参数"),
    "unknown_service": n_("业务线已不提供这项服务"),
    "hold_lapsed": n_("预留已失效，正在重新预留"),
    "hold_released": n_("预留已失效，正在重新预留"),
    "unknown_hold": n_("预留已失效，正在重新预留"),
    "hold_lost": n_("业务线的预留一再失效"),
    "decision_pending": n_("按业务线的时钟，答复期限还没到"),
    "quote_rose": n_("重新预留时价格涨了"),
    "confirmed_dearer": n_("业务线按更高的价格生效了，正在核对"),
    "confirmed_unasked": n_("业务线已先行生效，正在核对"),
    "hold_confirmed": n_("业务线已先行生效，正在核对"),
}
FAULT = n_("业务线接口异常，已通知其负责人")

STEPS: Mapping[str, tuple[str, str, str]] = {
    _S.DRAFTED: ("todo", "todo", "todo"),
    _S.HOLDING: ("now", "todo", "todo"),
    _S.PENDING_DECISION: ("done", "wait", "todo"),
    _S.HELD: ("done", "done", "todo"),
    _S.CONFIRMING: ("done", "done", "now"),
    _S.CONFIRMED: ("done", "done", "done"),
    _S.REFUSED: ("done", "bad", "off"),
    _S.RELEASING: ("off", "off", "off"),
    _S.RELEASED: ("off", "off", "off"),
    _S.EXPIRED: ("done", "bad", "off"),
    _S.FAILED_NEEDS_HAND: ("done", "done", "wait"),
}
STEP_NAMES = (("hold", n_("预留")), ("decide", n_("答复")), ("confirm", n_("生效")))
STATUSES: Mapping[str, str] = {
    "todo": n_("未开始"),
    "now": n_("进行中"),
    "wait": n_("等待中"),
    "done": n_("已完成"),
    "bad": n_("没有通过"),
    "off": n_("不再需要"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an item's track: `name` hold, decide or confirm; `status` a key of STATUSES."""

    name: str
    status: str
    text: str
    status_text: str


def package_word(state: str, *, asks: bool = False) -> tuple[str, str]:
    """The state in the reader's words, and its tone; `asks` when it waits for the merchant's yes."""
    text, tone = PACKAGE[_P.SUBMITTED if asks else state]
    return _(text), tone


def item_word(state: str) -> tuple[str, str]:
    text, tone = ITEM[state]
    return _(text), tone


def reason_word(code: str, texts: Mapping[str, str]) -> str:
    """Why, in the reader's language: the line's own words if it gave any; empty without a reason."""
    if texts.keys() & {"zh-Hans", "en"}:
        return pick(texts)
    return _(REASONS.get(code, FAULT)) if code else ""


def authority_word(item: Item) -> str:
    """By whose word the item is reserved: the mandate's, the line's, or nobody's."""
    if item.within_mandate:
        return _("授权内")
    if not _decides(item):
        return _("无需审批")
    return _("业务线决定，不答复视为同意") if item.silence_consents else _("业务线决定，不答复视为拒绝")


def steps(item: Item) -> tuple[Step, ...]:
    """The item's track; the step of deciding only where the line decides by hand."""
    pairs = zip(STEP_NAMES, _statuses(item), strict=True)
    return tuple(
        Step(name, status, _(text), _(STATUSES[status]))
        for (name, text), status in pairs
        if name != "decide" or _decides(item)
    )


def _statuses(item: Item) -> tuple[str, str, str]:
    failed = item.state in (ItemState.REFUSED, ItemState.EXPIRED)
    if failed and item.decision_due_at is None:  # it never came to a decision by hand
        return "bad", "off", "off"
    return STEPS[item.state]


def _decides(item: Item) -> bool:
    rule = item.service.decision_rule
    beyond = rule == DecisionRuleChoice.BEYOND_MANDATE and not item.within_mandate
    return beyond or item.decision_due_at is not None or rule == DecisionRuleChoice.ALWAYS
