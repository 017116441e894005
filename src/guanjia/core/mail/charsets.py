"""Bytes to text, whatever a mail says that they are.

Steps: 1. the charset that is named, with GB 2312 and GBK read as GB 18030, which contains both (RFC 1842 §3
mailers say `gb2312` and send more); 2. UTF-8, which other bytes seldom are by chance; 3. GB 18030; 4. UTF-8
with what does not fit replaced. NUL, which a database cannot hold, is dropped. Linear.
"""

from __future__ import annotations

import codecs
import re
from email.errors import HeaderParseError
from email.header import decode_header
from typing import Final

WIDER: Final = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "cp936": "gb18030",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "iso-8859-1": "cp1252",
    "unicode-1-1-utf-7": "utf-7",
}
"""What a mailer says, and what to read it as: a charset that contains it."""
_KNOWN: Final = re.compile(
    r"(?i)(utf-?(7|8|16|16le|16be|32)|gb18030|big5|big5hkscs|hz|euc-\w+|shift_jis|iso-[\w-]+|cp\d+|windows-\d+|koi8-\w+)"
)


def decoded(content: bytes, charset: str = "") -> str:
    """The text of these bytes; never raises."""
    named = charset.strip().strip("\"'").lower()
    for encoding in (WIDER.get(named, named), "utf-8", "gb18030"):
        if text := _strictly(content, encoding):
            return text
    return content.decode("utf-8", "replace").replace("\x00", "")


def _strictly(content: bytes, encoding: str) -> str | None:
    """Only text encodings: Python also knows ones that unpack archives."""
    if not _KNOWN.fullmatch(encoding):
        return None
    try:
        text = codecs.decode(content, encoding)
    except (LookupError, ValueError):
        return None
    return text.replace("\x00", "") or None


def header_text(value: str) -> str:
    """A header in words (RFC 2047): adjacent parts of one charset are joined before they are decoded, since
    mailers cut through the middle of a character. Raw bytes come as surrogates. One line."""
    value = decoded(re.sub(r"\r?\n[ \t]*", " ", value).encode("utf-8", "surrogateescape"))
    try:
        parts = [_part(content, charset) for content, charset in decode_header(value)]
    except (HeaderParseError, ValueError):
        parts = [value]
    return re.sub(r"[\x00-\x1f\x7f\s]+", " ", "".join(parts)).strip()


def _part(content: bytes | str, charset: str | None) -> str:
    """What is not encoded comes as text, or, beside what is, in the one escape that holds every character."""
    if isinstance(content, str):
        return content
    return decoded(content, charset) if charset else content.decode("raw-unicode-escape", "replace")
