"""Texts as terms: what is kept of a text for searching, and what is asked of it.

Chinese has no spaces, so a run of its characters is kept as its single characters and its pairs of
neighbours (bigrams): a word of two characters is found exactly, a longer one by its pairs, and looked at
once more in the text itself. Other words are kept whole, and with their beginnings of PREFIX characters,
so that the word that is still being typed is found. Numbers written in groups are kept joined as well.

A term of an index entry begins with a letter that says what it is: `w` a word, `p` a beginning; `W` and
`P` the same from an internal note, which a merchant's search never asks for; `m` the merchant, `e` the era
(see `search.walk`), `n` the case's serial number. Pure: no database.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

WORD, BEGINNING, NOTE_WORD, NOTE_BEGINNING = "w", "p", "W", "P"
SERIAL, OF_MERCHANT = "n", "m"
PREFIX = range(2, 9)
"""Lengths of the beginnings of words that are kept."""
TERM_MOST = 40
"""Characters of a word; of a longer one its beginning counts."""
TERMS_MOST = 6000
"""Terms of one entry; what is beyond is not found by words. A case with 20,000 characters has some 5,000."""

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af\U00020000-\U0003ffff"
_RUNS = re.compile(rf"([{_HAN}]+)|((?:(?![{_HAN}])[^\W_])+)")
_HAN_RUN = re.compile(rf"[{_HAN}]+")
# What is written in groups: a phone number, a reference, the parts of a name with hyphens.
_GROUPS = rf"(?:(?![{_HAN}])[^\W_])+(?:[-._/](?:(?![{_HAN}])[^\W_])+)+"
_JOINED = re.compile(_GROUPS)
_SPACED = re.compile(rf"{_GROUPS}|\d{{2,}}(?:[ ]\d{{2,}})+")
_MARKS = re.compile(r"[-._/ ]")


def fold(text: str) -> str:
    """Full-width and half-width, upper and lower case are the same to whoever searches."""
    return unicodedata.normalize("NFKC", text).casefold()


def words_of(text: str) -> set[str]:
    """Every single word, character and pair of a text."""
    found: set[str] = set()
    folded = fold(text)
    for han, word in _RUNS.findall(folded):
        if han:
            found.update(han)
            found.update(pairs(han))
        else:
            found.add(word[:TERM_MOST])
    found.update(_MARKS.sub("", joined)[:TERM_MOST] for joined in _SPACED.findall(folded))
    return found


def pairs(run: str) -> list[str]:
    return [run[n : n + 2] for n in range(len(run) - 1)]


def is_han(word: str) -> bool:
    return bool(_HAN_RUN.fullmatch(word))


def _beginnings(words: Iterable[str]) -> Iterator[str]:
    for word in words:
        if not is_han(word):
            yield from (word[:n] for n in PREFIX if n <= len(word))


def entry_terms(public: Iterable[str], notes: Iterable[str] = ()) -> list[str]:
    """The terms of public texts and of internal notes. What the public texts say too is not marked again."""
    said: set[str] = set().union(*map(words_of, public))
    noted: set[str] = set().union(*map(words_of, notes)) - said
    begun = set(_beginnings(said))
    terms = [WORD + one for one in sorted(said)] + [BEGINNING + one for one in sorted(begun)]
    terms += [NOTE_WORD + one for one in sorted(noted)]
    terms += [NOTE_BEGINNING + one for one in sorted(set(_beginnings(noted)) - begun)]
    return terms[:TERMS_MOST]


def as_vector(terms: Iterable[str]) -> str:
    """Terms as PostgreSQL reads a tsvector. They hold letters and digits only, so nothing needs escaping."""
    return " ".join(f"'{term}'" for term in terms)


@dataclass(frozen=True, slots=True)
class Needle:
    """One run of what is sought: characters, or a word; `begun` when more may follow it."""

    text: str
    begun: bool = False

    @property
    def han(self) -> bool:
        return is_han(self.text)

    @property
    def loose(self) -> bool:
        """The index cannot tell for sure: the text itself is asked."""
        most = 2 if self.han else PREFIX[-1] if self.begun else TERM_MOST
        return len(self.text) > most

    def within(self, folded: str) -> bool:
        """Whether a folded text has it, in groups or not."""
        return self.text in folded or (not self.han and self.text in _MARKS.sub("", folded))

    def query(self, *, notes: bool) -> str:
        """As a part of a tsquery; internal notes only where they are asked for."""
        kinds = (BEGINNING, NOTE_BEGINNING) if self.begun else (WORD, NOTE_WORD)
        asked = kinds if notes else kinds[:1]
        each = ["|".join(f"'{kind}{key}'" for kind in asked) for key in self._keys()]
        found = "&".join(f"({one})" for one in each)
        return f"({found}|'{SERIAL}{serial}')" if (serial := self._serial()) else found

    def _serial(self) -> str:
        """The number of a case, as its last digits are said."""
        return self.text.lstrip("0") if self.text.isascii() and self.text.isdigit() else ""

    def _keys(self) -> list[str]:
        """Index terms without their first letter; all of them must be there."""
        if self.han:
            return pairs(self.text) or [self.text]
        return [self.text[: PREFIX[-1] if self.begun else TERM_MOST]]


def needles_in(text: str) -> list[Needle]:
    """The runs of a text that is sought; the last word may be the beginning of one."""
    folded = fold(text).rstrip()
    found = [
        _needle(_MARKS.sub("", match[0]), last=match.end() == len(folded))
        for match in _JOINED.finditer(folded)
    ]
    rest = _JOINED.sub(lambda match: " " * len(match[0]), folded)
    found += [_needle(match[0], last=match.end() == len(folded)) for match in _RUNS.finditer(rest)]
    return list(dict.fromkeys(found))


def _needle(run: str, *, last: bool) -> Needle:
    return Needle(run, last and len(run) >= PREFIX[0] and not is_han(run))
