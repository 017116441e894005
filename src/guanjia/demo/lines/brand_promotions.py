"""天猫 brand promotions: a place in a themed promotion."""

from guanjia.demo.lines.places import choice, known, open_line, sell
from guanjia.lines.sdk import DecisionRule, Money, Rule, Silence

THEMES = ["autumn-new", "double-eleven", "winter-home"]

line = open_line(
    "brand-promotions",
    {"zh-Hans": "天猫品牌活动", "en": "Tmall brand promotions"},
    dict.fromkeys(THEMES, 20),
)
sell(
    line,
    "theme-place",
    titles={"zh-Hans": "主题活动席位", "en": "Place in a themed promotion"},
    properties={
        "theme": choice(THEMES, "主题", "Theme"),
        "shop": known("shop_name", "店铺名", "Shop name"),
    },
    key=lambda params: str(params["theme"]),
    list_price=Money(80_000, "CNY"),
    decision=DecisionRule(Rule.BEYOND_MANDATE, 4 * 3600, 3600, Silence.REFUSAL),
)
app = line.asgi()
