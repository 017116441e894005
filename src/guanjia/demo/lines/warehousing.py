"""菜鸟 warehousing: space in a regional warehouse; no list price, each hold gets a quote."""

from collections.abc import Mapping

from guanjia.demo.lines.places import choice, number, open_line, sell
from guanjia.lines.sdk import Money

REGIONS = ["east", "south", "south-west"]
PALLET = 4_500  # fen a month


def price(params: Mapping[str, object]) -> Money:
    pallets = params["quantity"]
    assert isinstance(pallets, int)  # the schema has been checked
    return Money(PALLET * pallets, "CNY")


line = open_line(
    "warehousing",
    {"zh-Hans": "菜鸟仓储", "en": "Cainiao warehousing"},
    dict.fromkeys(REGIONS, 400),
)
sell(
    line,
    "pallets",
    titles={"zh-Hans": "分仓托盘位", "en": "Pallet space"},
    properties={
        "region": choice(REGIONS, "区域仓", "Region"),
        "quantity": number(200, "托盘数", "Pallets"),
    },
    key=lambda params: str(params["region"]),
    price=price,
)
app = line.asgi()
