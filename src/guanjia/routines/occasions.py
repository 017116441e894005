"""What a trigger may wait for: kinds of events about cases, narrowed where one kind says several things.

`where` speaks of the event `e` and its case `c`. Every kind that a routine can wait for is listed here, so
the event of a routine's own work (`routines.acted`) wakes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_noop as n_

_FROM_MERCHANT = (
    "EXISTS (SELECT FROM merchants_member b WHERE b.merchant_id = c.merchant_id"
    " AND 'user:' || b.user_id = e.actor)"
)
_PUBLIC = "NOT (e.payload ->> 'internal')::boolean"


@dataclass(frozen=True, slots=True)
class Occasion:
    key: str
    words: str
    kind: str
    where: str = "true"


_ALL = (
    Occasion("opened", n_("提出一件事"), "cases.opened"),
    Occasion("merchant_spoke", n_("商家说话"), "cases.message_sent", f"{_PUBLIC} AND {_FROM_MERCHANT}"),
    Occasion("house_spoke", n_("我们答复"), "cases.message_sent", f"{_PUBLIC} AND NOT {_FROM_MERCHANT}"),
    Occasion("noted", n_("记下内部备注"), "cases.message_sent", "(e.payload ->> 'internal')::boolean"),
    Occasion("solved", n_("办结"), "cases.solved"),
    Occasion("reopened", n_("重新打开"), "cases.reopened"),
    Occasion("wait_begun", n_("开始等商家"), "cases.wait_begun"),
    Occasion("wait_ended", n_("不再等商家"), "cases.wait_ended"),
    Occasion("closed", n_("关闭"), "cases.closed"),
    Occasion("clock_warned", n_("时钟快到期"), "cases.clock_warned"),
    Occasion("clock_breached", n_("时钟超时"), "cases.clock_breached"),
    Occasion("priority_set", n_("优先级改了"), "cases.priority_set"),
    Occasion("tagged", n_("标签改了"), "cases.tagged"),
    Occasion("handed_over", n_("转交"), "cases.handed_over"),
    Occasion("task_asked", n_("有了新任务"), "cases.task_asked"),
    Occasion("task_ended", n_("一项任务结束"), "cases.task_ended"),
    Occasion("task_overdue", n_("任务到点没做完"), "cases.task_overdue"),
    Occasion("rated", n_("商家评价"), "cases.rated"),
    Occasion("submitted", n_("提交一揽子"), "packages.submitted"),
    Occasion(
        "package_done", n_("一揽子全部生效"), "packages.moved", "e.payload -> 'notices' ? 'package_done'"
    ),
    Occasion(
        "package_released",
        n_("一揽子没有办成"),
        "packages.moved",
        "e.payload -> 'notices' ? 'package_released'",
    ),
    Occasion(
        "line_late", n_("业务线超时未答复"), "packages.moved", "e.payload -> 'notices' ? 'decision_overdue'"
    ),
)
OCCASIONS: Mapping[str, Occasion] = {occasion.key: occasion for occasion in _ALL}
