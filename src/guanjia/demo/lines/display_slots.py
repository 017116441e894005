"""淘宝 display slots: a banner on a page, by the day."""

from guanjia.demo.lines.places import choice, day, known, open_line, sell
from guanjia.lines.sdk import DecisionRule, Money, Rule, Silence

PAGES = ["home", "womenswear", "kitchen"]

line = open_line(
    "display-slots",
    {"zh-Hans": "淘宝展位", "en": "Taobao display slots"},
    {f"{page} 2026-11-{date:02}": 6 for page in PAGES for date in range(1, 31)},
)
sell(
    line,
    "banner",
    titles={"zh-Hans": "页面展示位", "en": "Page banner"},
    properties={
        "page": choice(PAGES, "页面", "Page"),
        "day": day(),
        "shop": known("shop_name", "店铺名", "Shop name"),
    },
    key=lambda params: f"{params['page']} {params['day']}",
    list_price=Money(120_000, "CNY"),
    decision=DecisionRule(Rule.BEYOND_MANDATE, 4 * 3600, 3600, Silence.CONSENT),
)
app = line.asgi()
