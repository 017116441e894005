"""淘抢购 flash sales: an hour on the clock; the evening hour is sold out from the start."""

from guanjia.demo.lines.places import choice, day, number, open_line, sell

HOURS = ["10:00", "15:00", "20:00"]

line = open_line(
    "flash-sales",
    {"zh-Hans": "淘抢购", "en": "Taobao flash sales"},
    {f"2026-11-{date:02} {hour}": 0 if hour == "20:00" else 8 for date in range(1, 31) for hour in HOURS},
)
sell(
    line,
    "hour",
    titles={"zh-Hans": "整点抢购场", "en": "Flash sale hour"},
    properties={
        "day": day(),
        "hour": choice(HOURS, "整点", "Hour"),
        "quantity": number(8, "商品数", "Products"),
    },
    key=lambda params: f"{params['day']} {params['hour']}",
)
app = line.asgi()
