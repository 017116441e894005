"""Marks in one form: a tag's name, and whom a text names with an @."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput
from guanjia.base.texts import clean
from guanjia.cases.colleagues import Colleague

TAG_MOST = 30
TAGS_MOST = 20
"""On one case."""
_BETWEEN = re.compile(r"[,，、;；\n]+")
_HANDLE_MOST = 80
_GOES_ON = re.compile(r"[A-Za-z0-9_.-]")


def tag_names(text: str) -> list[str]:
    """The tags in what was typed, each once, in one form. Raises BadInput."""
    parts = [part for part in _BETWEEN.split(text.replace("\x00", "")) if part.strip(" #＃\t\r")]
    return list(dict.fromkeys(tag_name(part) for part in parts))


def tag_name(text: str) -> str:
    """One form of all spellings: full width and half width, upper and lower case, any white space."""
    folded = unicodedata.normalize("NFKC", text).casefold().strip().lstrip("#")
    return clean(" ".join(folded.split()), field=_("标签"), most=TAG_MOST)


def require_few(count: int) -> None:
    """Raises BadInput for more tags than a case may have."""
    if count > TAGS_MOST:
        raise BadInput(
            _("一件事最多 %(most)d 个标签。") % {"most": TAGS_MOST}, hint=_("请先拿掉不用的标签。")
        )


def named_in(text: str, people: Iterable[Colleague]) -> list[Colleague]:
    """Whom the text names: `@` and a login name, a name, or the first part of one. The longest that fits
    counts, so that `@lina` is not Lin; whoever is not among `people` is nobody."""
    handles = _handles(people)
    found: dict[int, Colleague] = {}
    for at in re.finditer("[@＠]", text):
        who = _at(text[at.end() : at.end() + _HANDLE_MOST + 1].casefold(), handles)
        if who is not None:
            found.setdefault(who.pk, who)
    return list(found.values())


def _handles(people: Iterable[Colleague]) -> list[tuple[str, Colleague]]:
    """The longest first; a handle that two people share names neither."""
    whose: dict[str, list[Colleague]] = {}
    for one in people:
        for handle in {one.username.casefold(), one.name.casefold(), one.name.casefold().split(" ")[0]}:
            if handle:
                whose.setdefault(handle, []).append(one)
    alone = [(handle, who[0]) for handle, who in whose.items() if len(who) == 1]
    return sorted(alone, key=lambda pair: -len(pair[0]))


def _at(rest: str, handles: Sequence[tuple[str, Colleague]]) -> Colleague | None:
    for handle, who in handles:
        after = rest[len(handle) : len(handle) + 2]
        if rest.startswith(handle) and not _goes_on(handle, after):
            return who
    return None


def _goes_on(handle: str, after: str) -> bool:
    """A Latin handle ends where a Latin word does; a full stop may end a sentence."""
    if not (handle[-1].isascii() and after and _GOES_ON.match(after)):
        return False
    return after[0] not in ".-" or (len(after) > 1 and after[1].isascii() and after[1].isalnum())
