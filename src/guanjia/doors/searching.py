"""A search page's content, the same at every door: what was asked, what was found, and where to go on."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from django.http import QueryDict
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from guanjia.search.asking import Asked, read
from guanjia.search.queries import (
    CaseHits,
    MerchantHit,
    ServiceHit,
    catching_up,
    search_cases,
    search_merchants,
    search_services,
)
from guanjia.search.scope import Scope
from guanjia.search.walk import NEWEST

_CURSOR = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Tab:
    key: str
    title: str
    query: str


@dataclass(frozen=True, slots=True)
class Search:
    """`tabs` are what can be shown at this door; `next` is the query of the page behind this one."""

    asked: Asked
    show: str
    tabs: tuple[Tab, ...]
    cases: CaseHits = field(default_factory=lambda: CaseHits([], None, None))
    merchants: list[MerchantHit] = field(default_factory=list)
    services: list[ServiceHit] = field(default_factory=list)
    late: bool = False
    later: bool = False
    next: str = ""

    @property
    def anything(self) -> bool:
        return bool(self.cases.hits or self.merchants or self.services)

    @property
    def without(self) -> str:
        """The same words without the filters, where there are any."""
        if not (self.asked.state or self.asked.merchant or self.asked.odd):
            return ""
        words = [one for one in self.asked.typed.split() if not re.match(r"(is|from)[:：]", one, re.I)]
        return urlencode({"q": " ".join(words)}) if words else ""


def search(given: QueryDict, scope: Scope, now: datetime, *, merchants: bool) -> Search:
    """What the address asks for, within the scope. `merchants`: merchants are looked for, too."""
    asked, before = read(given.get("q", "")), given.get("before", "")
    titles = {"all": _("全部"), "cases": _("事项"), "merchants": _("商家"), "services": _("服务")}
    if not merchants:
        del titles["merchants"]
    show = given.get("show", "all") if given.get("show") in titles else "all"
    tabs = tuple(Tab(key, title, _query(asked, key)) for key, title in titles.items())
    if asked.nothing and not asked.merchant:
        return Search(asked, show, tabs)
    below = int(before) if _CURSOR.fullmatch(before) else NEWEST
    also = show != "cases" and below == NEWEST
    cases = search_cases(asked, scope, before=below) if show in ("all", "cases") else CaseHits([], None, None)
    return Search(
        asked,
        show,
        tabs,
        cases,
        search_merchants(asked, scope) if also and merchants and show != "services" else [],
        search_services(asked) if also and show != "merchants" else [],
        late=catching_up(now),
        later=below != NEWEST,
        next=f"{_query(asked, show)}&{urlencode({'before': cases.before})}" if cases.before else "",
    )


def _query(asked: Asked, show: str) -> str:
    return urlencode({"q": asked.typed} if show == "all" else {"q": asked.typed, "show": show})
