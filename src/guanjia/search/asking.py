"""What somebody typed into a search box, taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from guanjia.cases.models import LIVE, CaseState
from guanjia.cases.numbers import read_number
from guanjia.search.terms import Needle, fold, needles_in

TYPED_MOST = 120
NEEDLES_MOST = 12
_QUOTED = re.compile(r"[\"“”「『＂]([^\"“”「」『』＂]+)[\"“”」』＂]")
_FILTER = re.compile(r"(?<!\S)(is|from)[:：](\S*)", re.IGNORECASE)
STATES: Mapping[str, Sequence[str]] = {
    "open": LIVE,
    "waiting": (CaseState.WAITING_LINE, CaseState.WAITING_MERCHANT),
    "solved": (CaseState.SOLVED, CaseState.CLOSED),
}
"""What may follow `is:`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Words that must all be there, phrases that must be there as they are, and two filters.

    `number` is the case whose number this is; `odd` are filters that we do not know.
    """

    typed: str
    needles: tuple[Needle, ...] = ()
    phrases: tuple[str, ...] = ()
    state: str = ""
    merchant: str = ""
    number: str = ""
    odd: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        return not self.needles

    @property
    def marked(self) -> list[str]:
        """What is shown as found."""
        return list(dict.fromkeys([*self.phrases, *(needle.text for needle in self.needles)]))

    def query(self, *, notes: bool) -> str:
        return "&".join(f"({needle.query(notes=notes)})" for needle in self.needles)


def read(typed: str) -> Asked:
    """Never refuses: what cannot be read as a filter or a phrase is looked for as words."""
    typed = typed.replace("\x00", "").strip()[:TYPED_MOST]
    filters = list(_filters(typed))
    words = _FILTER.sub(" ", typed)
    quoted = [text for text in _QUOTED.findall(words) if needles_in(text)]
    rest = _QUOTED.sub(" ", words)
    needles = [needle for text in quoted for needle in _whole(text)] + needles_in(rest)
    odd = [f"{name}:{value}" for name, value in filters if name == "is" and value not in STATES]
    known = {name: value for name, value in filters if f"{name}:{value}" not in odd}
    return Asked(
        typed=typed,
        needles=tuple(dict.fromkeys(needles))[:NEEDLES_MOST],
        phrases=tuple(" ".join(fold(text).split()) for text in quoted),
        state=known.get("is", ""),
        merchant=known.get("from", ""),
        number=read_number(typed) or "",
        odd=tuple(odd),
    )


def _filters(typed: str) -> Iterator[tuple[str, str]]:
    for name, value in _FILTER.findall(typed):
        if value:
            yield name.lower(), value if name.lower() == "from" else value.lower()


def _whole(text: str) -> list[Needle]:
    """In quotes nothing more follows the last word."""
    return [Needle(needle.text) for needle in needles_in(text)]
