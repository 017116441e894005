"""A browser's name for people, from what it calls itself. Only for reading: anybody can send any text."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

BROWSERS = (
    ("wxwork", "WeCom"),
    ("MicroMessenger", "WeChat"),
    ("DingTalk", "DingTalk"),
    ("Lark|Feishu", "Feishu"),
    ("QQBrowser", "QQ Browser"),
    ("Edg/|EdgA/", "Edge"),
    ("Firefox|FxiOS", "Firefox"),
    ("Chrome|CriOS", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone|iPad", "iOS"),
    ("Android", "Android"),
    ("HarmonyOS", "HarmonyOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def name_of_browser(user_agent: str) -> str:
    """For example `Chrome · Windows`."""
    found = [_first(BROWSERS, user_agent), _first(SYSTEMS, user_agent)]
    return " · ".join(name for name in found if name) or _("未知的浏览器")


def _first(names: tuple[tuple[str, str], ...], user_agent: str) -> str | None:
    return next((name for pattern, name in names if re.search(pattern, user_agent)), None)
