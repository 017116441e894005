"""Numbers of cases as people say, type and paste them.

`GJ-2026-000123` is read out in three breaths and has no check digit: a slip of the tongue finds no case, or
a case that only its own people are shown, with its title to compare (decision record 0010).
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

PREFIX = "GJ"
_SERIAL_LEAST, _SERIAL_MOST = 6, 12
_CHINESE = str.maketrans("〇零○一二三四五六七八九幺", "0001234567891")
# What is read for a digit in handwriting and on worn labels; there are no letters behind the prefix.
_LOOKALIKE = str.maketrans("OIL", "011")
_GAP = r"[\s\-_./\\:#,、，·年‐‑‒–—―−﹣]*"
_DIGIT = "[0-9OIL]"
_NUMBER = rf"{PREFIX}{_GAP}(2{_DIGIT}{{3}}){_GAP}({_DIGIT}{{1,{_SERIAL_MOST}}})"
_ALONE = re.compile(rf"[#\s]*{_NUMBER}\s*[号#]?\s*")
_BARE = re.compile(
    rf"[#\s]*(20[0-9]{{2}})(?:{_GAP[:-1]}+([0-9]{{1,{_SERIAL_MOST}}})|([0-9]{{6}}))\s*[号#]?\s*"
)
_WITHIN = re.compile(rf"(?<![A-Z0-9]){_NUMBER}(?![A-Z0-9])")
TYPED_MOST = 60
"""Longer than any number people type."""


def case_number(at: datetime, serial: int) -> str:
    """The number of the case that is the `serial`-th of all; the year is that of `at`."""
    return _canonical(str(at.year), str(serial))


def read_number(typed: str) -> str | None:
    """The case number that was meant, or None where nothing else than words was typed.

    Takes lower case, full-width and Chinese digits, any or no marks between the parts, missing zeros, O for
    0 and l for 1, and a missing prefix where the year is set apart (`2026 123`) or all digits are there.
    """
    if len(typed) > TYPED_MOST:
        return None
    text = _plain(typed)
    found = _ALONE.fullmatch(text)
    if found:
        return _canonical(found[1], found[2])
    bare = _BARE.fullmatch(text)
    return _canonical(bare[1], bare[2] or bare[3]) if bare else None


def numbers_in(text: str) -> list[str]:
    """The case numbers that a text names with their prefix, each once, in order."""
    found = (_canonical(year, serial) for year, serial in _WITHIN.findall(_plain(text)))
    return list(dict.fromkeys(found))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).translate(_CHINESE).upper()


def _canonical(year: str, serial: str) -> str:
    """Six digits of serial, or more once there are more than a million cases."""
    digits = serial.translate(_LOOKALIKE).lstrip("0").zfill(_SERIAL_LEAST)
    return f"{PREFIX}-{year.translate(_LOOKALIKE)}-{digits}"
