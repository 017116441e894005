"""The plans that the demo marketplace begins with."""

from __future__ import annotations

from datetime import datetime

from guanjia.cases.actions import save_plan
from guanjia.cases.models import Plan
from guanjia.cases.planning import PlanStep

FLAGSHIP = (
    PlanStep(1, "收齐商家资料和品牌授权", days=2, detail="执照、商标证、授权书；平台已有的不用再要。"),
    PlanStep(2, "品牌资质审核", doer="line:brand-promotions", days=3, after=(1,)),
    PlanStep(3, "首批货源到位", doer="line:wholesale", days=3, after=(1,)),
    PlanStep(4, "入仓", doer="line:warehousing", days=2, after=(3,), lag=1),
    PlanStep(5, "首页展位", doer="line:display-slots", days=2, after=(2,)),
    PlanStep(6, "开业聚划算", doer="line:group-buying", days=1, after=(4, 5)),
    PlanStep(7, "开业当天值守", days=0, after=(6,), lag=1, visible=False),
    PlanStep(8, "开业一周回访", days=1, after=(7,), lag=5, holds=False),
)
BIG_SALE = (
    PlanStep(1, "定活动货品和价格", days=2),
    PlanStep(2, "报品牌活动", doer="line:brand-promotions", days=2, after=(1,)),
    PlanStep(3, "排抢购场次", doer="line:flash-sales", days=2, after=(1,)),
    PlanStep(4, "分仓备货", doer="line:warehousing", days=3, after=(1,)),
    PlanStep(5, "活动展位", doer="line:display-slots", days=2, after=(2,)),
    PlanStep(
        6, "活动前总检查", days=1, after=(3, 4, 5), visible=False, detail="价格、库存、展位、客服排班。"
    ),
)
_PLANS = (
    ("开一家旗舰店", "商家要新开旗舰店，五条线一起办。", FLAGSHIP),
    ("大促备战", "双十一、年货节这样的大促前三周用。", BIG_SALE),
)


def make_plans(now: datetime) -> None:
    """Both, unless they are there; their lines must be."""
    for name, about, steps in _PLANS:
        if not Plan.objects.filter(name=name).exists():
            save_plan(actor=None, name=name, about=about, steps=steps, now=now)
