"""What the API is asked for, read into the types that actions take."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from django.http import QueryDict
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput
from guanjia.base.inputs import Members
from guanjia.core.package import Mode
from guanjia.packages.composing import ItemDraft
from guanjia.packages.rules import ITEMS_MOST

PAGE, PAGE_MOST = 50, 100
_CURSOR = re.compile(r"([-a-zA-Z0-9_]{1,40})/([-a-zA-Z0-9_]{1,60})")


class ByHand(StrEnum):
    """How a named person has dealt with an item that could not be confirmed."""

    CONFIRMED = "confirmed"
    WAIVED = "waived"
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class PackageRequest:
    """`accept_total` in minor units: the merchant's yes to the listed price, or None."""

    mode: Mode
    items: tuple[ItemDraft, ...]
    accept_total: int | None

    @classmethod
    def read(cls, content: Members) -> Self:
        """Raises BadInput naming the first wrong member."""
        items = content.objects("items", most=ITEMS_MOST)
        return cls(
            mode=content.choice("mode", Mode),
            items=tuple(_draft(item) for item in items),
            accept_total=content.optional_integer("accept_total"),
        )


def _draft(item: Members) -> ItemDraft:
    return ItemDraft(
        line=item.text("line"),
        service=item.text("service"),
        params=item.mapping("params"),
        core=item.flag("core", default=True),
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """The positions of the items that the merchant does not want, and its yes to the rest in minor units."""

    declined: Sequence[int]
    total: int

    @classmethod
    def read(cls, content: Members) -> Self:
        """Raises BadInput naming the first wrong member."""
        return cls(content.integers("declined", most=ITEMS_MOST), content.integer("total"))


@dataclass(frozen=True, slots=True)
class CatalogueRequest:
    after: tuple[str, str] | None
    limit: int

    @classmethod
    def read(cls, query: QueryDict) -> Self:
        """`?after=line/service&limit=50`. Raises BadInput."""
        after, limit = query.get("after"), query.get("limit", str(PAGE))
        cursor = _CURSOR.fullmatch(after) if after else None
        if after and cursor is None:
            raise BadInput(_("“after”不对。"), hint=_("请用上一页给的 next。"))
        if not re.fullmatch(r"[0-9]{1,3}", limit) or not 1 <= int(limit) <= PAGE_MOST:
            raise BadInput(_("“limit”不对。"), hint=_("请用 1 到 %(most)d。") % {"most": PAGE_MOST})
        return cls((cursor[1], cursor[2]) if cursor else None, int(limit))
