"""A piece of a text around what was found in it, with the words marked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from guanjia.search.terms import fold

BEFORE, LONG = 28, 96
"""Characters before the first word that was found, and of the whole piece."""


@dataclass(frozen=True, slots=True)
class Piece:
    """`found` are the words it has."""

    html: SafeString
    found: frozenset[str]


def piece(text: str, words: Sequence[str], *, long: int = LONG) -> Piece:
    """The part of a text around the first of the words, escaped, each of them within `<mark>`."""
    text = " ".join(text.split())
    first = _first(text, words)
    begin = max(0, (first or 0) - BEFORE) if len(text) > long else 0
    cut = text[begin : begin + long]
    spans = list(_spans(cut, words))
    html = format_html(
        "{}{}{}",
        "…" if begin else "",
        format_html_join("", "{}{}", _parts(cut, spans)),
        "…" if begin + long < len(text) else "",
    )
    return Piece(html, frozenset(word for _begin, _end, word in spans))


def said_in(text: str, words: Iterable[str]) -> frozenset[str]:
    """Which of the words a text has, in whatever case; cheaper than a piece of it."""
    lower = text.lower()
    return frozenset(word for word in words if word in lower)


def _first(text: str, words: Iterable[str]) -> int | None:
    """Where the first word begins; nowhere if lower case moves the letters, as it does in few languages."""
    lower = text.lower()
    if len(lower) != len(text):
        return None
    return min((place for word in words if (place := lower.find(word)) >= 0), default=None)


def _spans(text: str, words: Sequence[str]) -> Iterable[tuple[int, int, str]]:
    """Begin, end and word of all that is found, from left to right, none over another."""
    if not words:
        return
    folded, place = _folded(text, words)
    pattern = re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)))
    for match in pattern.finditer(folded):
        yield place[match.start()], place[match.end() - 1] + 1, match[0]


def _folded(text: str, words: Sequence[str]) -> tuple[str, Sequence[int]]:
    """The text as it is compared, and where each of its characters comes from. Lower case does, where it
    finds all words and moves nothing; folding goes character by character."""
    lower = text.lower()
    if len(lower) == len(text) and all(word in lower for word in words):
        return lower, range(len(text))
    pairs = [(one, n) for n, character in enumerate(text) for one in fold(character)]
    return "".join(one for one, _n in pairs), [n for _one, n in pairs]


def _parts(text: str, spans: Sequence[tuple[int, int, str]]) -> Iterable[tuple[str, SafeString | str]]:
    """Plain text and marked text by turns."""
    at = 0
    for begin, end, _word in spans:
        if begin < at:
            continue
        yield text[at:begin], format_html("<mark>{}</mark>", text[begin:end])
        at = end
    yield text[at:], ""
