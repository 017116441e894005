"""What happens next with a package or an item, and until when: one sentence, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from django.utils.translation import gettext as _

from guanjia.base.moments import moment, money, span
from guanjia.core.package import ItemState, Mode, PackageState
from guanjia.packages.models import Item, Package
from guanjia.packages.words import reason_word

RETRYING = 2
"""Calls without an answer after which we say so."""
TO_ACCEPT = (ItemState.DRAFTED, ItemState.HELD)


def to_accept(items: Sequence[Item]) -> int:
    """What the merchant's yes would be to, in minor units."""
    return sum(item.quote_amount or 0 for item in items if item.state in TO_ACCEPT)


def if_refused(mode: str) -> str:
    """What happens to the rest when one line says no, so that nobody has to find out."""
    words = {
        Mode.ALL_OR_NOTHING: _("如果其中一条业务线不同意，其余的也全部撤回，什么都不占用、不收费。"),
        Mode.CORE_AND_OPTIONAL: _(
            "如果核心条目里有一项没被同意，就全部撤回；可选的没被同意，只少那一项，其余照办。"
        ),
        Mode.BEST_EFFORT: _("如果其中一条业务线不同意，只少那一项，其余照办。"),
    }
    return words[Mode(mode)]


# --- an item ------------------------------------------------------------------------------------


def item_outlook(item: Item) -> str:
    """Empty where nothing more will happen."""
    say = _ITEM.get(item.state)
    return say(item) if say else ""


def _holding(item: Item) -> str:
    if item.attempts >= RETRYING and item.give_up_at:
        return _("业务线没有应答，正在重试；到 %(at)s 仍不通就放弃这一项。") % {"at": moment(item.give_up_at)}
    return _("正在请业务线预留。")


def _pending(item: Item) -> str:
    if item.decision_due_at is None:
        return _("等业务线答复。")
    values = {"due": moment(item.decision_due_at), "grace": span(timedelta(seconds=item.grace_seconds))}
    if item.silence_consents:
        return _("业务线最迟 %(due)s 答复；再过 %(grace)s 没有答复，视为同意。") % values
    return _("业务线最迟 %(due)s 答复；再过 %(grace)s 没有答复，视为拒绝。") % values


def _held(item: Item) -> str:
    if item.hold_expires_at is None:
        return _("已占住。")
    return _("已占住；预留到 %(at)s，到期前自动续。") % {"at": moment(item.hold_expires_at)}


_ITEM: Mapping[str, Callable[[Item], str]] = {
    ItemState.HOLDING: _holding,
    ItemState.PENDING_DECISION: _pending,
    ItemState.HELD: _held,
    ItemState.CONFIRMING: lambda _item: _("正在请业务线生效，直到成功为止。"),
    ItemState.RELEASING: lambda _item: _("正在还给业务线，直到成功为止。"),
    ItemState.FAILED_NEEDS_HAND: lambda _item: _("由业务线的负责人专门处理，结果会写在这里。"),
}


# --- the whole ----------------------------------------------------------------------------------


def package_outlook(package: Package, items: Sequence[Item]) -> str:
    return _PACKAGE[PackageState(package.state)](package, items)


def _price_wait(package: Package, items: Sequence[Item]) -> dict[str, str]:
    assert package.accept_due_at is not None
    return {"due": moment(package.accept_due_at), "total": money(to_accept(items), package.currency)}


def _submitted(package: Package, items: Sequence[Item]) -> str:
    return _("请商家在 %(due)s 前确认总价 %(total)s；确认之前不占用任何业务线。") % _price_wait(
        package, items
    )


def _deciding(package: Package, items: Sequence[Item]) -> str:
    if package.accept_due_at:
        words = _("各业务线都已答复。请商家在 %(due)s 前确认总价 %(total)s；到点没有确认就全部撤回。")
        return words % _price_wait(package, items)
    pending = [item for item in items if item.state == ItemState.PENDING_DECISION]
    due = [item.decision_due_at for item in pending if item.decision_due_at]
    if not due:
        by_hand = any(item.state == ItemState.FAILED_NEEDS_HAND for item in items)
        return _("要先由专人处理，其余条目占着等。") if by_hand else _("各业务线都已答复，正在续预留。")
    values = {"count": len(due), "due": moment(max(due))}
    return _("等 %(count)d 项的业务线答复，最迟 %(due)s；逾期自动升级给其负责人。") % values


def _confirming(_package: Package, items: Sequence[Item]) -> str:
    by_hand = sum(item.state == ItemState.FAILED_NEEDS_HAND for item in items)
    if by_hand:
        return _("有 %(count)d 项由专人处理；其余只会办完，不会撤回。") % {"count": by_hand}
    return _("全部占住，正在逐项生效；从这一步起只会办完，不会撤回。")


def _done(_package: Package, items: Sequence[Item]) -> str:
    confirmed = sum(item.state == ItemState.CONFIRMED for item in items)
    wanted = sum(not item.declined for item in items)
    if confirmed == wanted:
        return _("全部 %(count)d 项都已生效。") % {"count": confirmed}
    values = {"count": confirmed, "rest": wanted - confirmed}
    return _("已生效 %(count)d 项，没有办成 %(rest)d 项。") % values


def _released(_package: Package, items: Sequence[Item]) -> str:
    return _("没有留下任何占用。原因：%(why)s。") % {"why": why_released(items)}


def why_released(items: Sequence[Item]) -> str:
    """The reason of the item that brought the others down, else the reason they share."""
    first = (ItemState.REFUSED, ItemState.EXPIRED)
    ordered = sorted(items, key=lambda item: (item.state not in first, item.declined, item.position))
    reasons = [reason_word(item.reason_code, item.reason) for item in ordered if item.reason_code]
    return reasons[0] if reasons else _("专人处理后不再办")


_PACKAGE: Mapping[PackageState, Callable[[Package, Sequence[Item]], str]] = {
    PackageState.DRAFTED: lambda _p, _i: _("还没有提交；提交之后才会去问业务线。"),
    PackageState.SUBMITTED: _submitted,
    PackageState.HOLDING: lambda _p, _i: _("正在同时请各业务线预留。"),
    PackageState.DECIDING: _deciding,
    PackageState.CONFIRMING: _confirming,
    PackageState.DONE: _done,
    PackageState.RELEASING: lambda _p, _i: _("正在逐项撤回，撤完不留占用。"),
    PackageState.RELEASED: _released,
}
