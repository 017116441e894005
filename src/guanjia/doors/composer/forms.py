"""What the composer's form sends: a sheet with what was typed, and what to do with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self
from uuid import UUID, uuid4

from django.http import QueryDict

from guanjia.base.inputs import MAX_INTEGER
from guanjia.core.package import Mode
from guanjia.packages.composition import Chosen, Sheet

WORDS_MOST = 60
_ITEM = re.compile(r"(i[0-9]{1,4}) ([-a-zA-Z0-9_]{1,40})/([-a-zA-Z0-9_]{1,60})")
_SERVICE = re.compile(r"([-a-zA-Z0-9_]{1,40})/([-a-zA-Z0-9_]{1,60})")


@dataclass(frozen=True, slots=True)
class Asked:
    """`do` is save, autosave, add, remove, empty, submit or accept; `what` the service to add or the
    item to remove; `total` the price that was shown. What cannot be read is left out, never a fault."""

    do: str
    what: str
    sheet: Sheet
    words: str
    total: int | None

    @classmethod
    def read(cls, post: QueryDict) -> Self:
        do, _colon, what = clean(post.get("do", "save")).partition(":")
        sheet = Sheet(_key(post.get("key", "")), _mode(post.get("mode", "")), tuple(_items(post)))
        total = post.get("total", "")
        shown = int(total) if re.fullmatch(r"[0-9]{1,16}", total) and int(total) <= MAX_INTEGER else None
        return cls(do, what, sheet, clean(post.get("q", ""))[:WORDS_MOST], shown)

    def edited(self) -> Sheet:
        """The sheet after adding or removing."""
        if self.do == "remove":
            return self.sheet.without(self.what)
        service = _SERVICE.fullmatch(self.what) if self.do == "add" else None
        return self.sheet.with_service(service[1], service[2]) if service else self.sheet

    def renewed(self) -> Sheet:
        """The sheet under a new key: what was submitted under the old one stays submitted."""
        return replace(self.sheet, key=uuid4())


def clean(text: str) -> str:
    """PostgreSQL cannot store NUL characters; nobody types them."""
    return text.replace("\x00", "")


def _key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return uuid4()


def _mode(text: str) -> Mode:
    return Mode(text) if text in set(Mode) else Mode.ALL_OR_NOTHING


def _items(post: QueryDict) -> Iterator[Chosen]:
    seen = set()
    for item in post.getlist("item"):
        found = _ITEM.fullmatch(item)
        if found and found[1] not in seen:
            seen.add(found[1])
            yield Chosen(found[1], found[2], found[3], f"{found[1]}-core" in post, _typed(post, found[1]))


def _typed(post: QueryDict, item: str) -> dict[str, str | list[str]]:
    typed: dict[str, str | list[str]] = {}
    for name in post:
        if name.startswith(f"{item}:"):
            typed[clean(name[len(item) + 1 :])] = clean(str(post[name]))
        elif name.startswith(f"{item}*"):
            typed[clean(name[len(item) + 1 :])] = [clean(str(one)) for one in post.getlist(name) if one]
    return typed
