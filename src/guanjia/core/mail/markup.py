"""HTML to plain text: what a reader would see, and nothing that a browser would do.

Steps: 1. what is not text (scripts, styles, heads, hidden parts) is skipped; 2. blocks and `<br>` become
line ends, list items a dash, cells a blank; 3. quotes (`blockquote`, and the containers that Gmail, QQ and
Outlook mark) become lines with `> `; 4. blanks are folded. At most `MOST` characters of markup are read:
the parser of the standard library is linear on what mailers write, not on all that can be written.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

MOST: Final = 300_000
_SKIPPED: Final = frozenset({"script", "style", "head", "title", "template", "svg", "object", "noscript"})
_BLOCKS: Final = frozenset(
    {"p", "div", "br", "tr", "table", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6"}
    | {"blockquote", "pre", "hr", "section", "article", "header", "footer", "form"}
)
_VOID: Final = frozenset(
    {"br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "track", "wbr"}
)
_HIDDEN: Final = re.compile(
    r"(?i)display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|mso-hide\s*:\s*all"
)
_QUOTED: Final = re.compile(r"(?i)\b(gmail_quote|gmail_extra|yahoo_quoted|moz-cite-prefix)\b")


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = [""]
        self._skips: list[str] = []
        self._quotes: list[tuple[str, int]] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _BLOCKS:
            self._break("- " if tag == "li" else "")
        if tag == "td":
            self._say(" ")
        if tag in _VOID:
            return
        self._depth += 1
        hidden = tag in _SKIPPED or "hidden" in given or _HIDDEN.search(given.get("style", ""))
        if self._skips or hidden:
            self._skips.append(tag)
        elif tag == "blockquote" or _QUOTED.search(given.get("class", "")):
            self._quotes.append((tag, self._depth))
            self._break()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self._break()

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if self._skips:
            if tag in self._skips:
                while self._skips.pop() != tag:
                    self._depth -= 1
                self._depth -= 1
            return
        if self._quotes and self._quotes[-1] == (tag, self._depth):
            self._quotes.pop()
        if tag in _BLOCKS and tag not in ("li", "tr"):
            self._break()
        self._depth = max(0, self._depth - 1)

    def handle_data(self, data: str) -> None:
        if not self._skips:
            self._say(data)

    def _say(self, data: str) -> None:
        self.lines[-1] += data

    def _break(self, begin: str = "") -> None:
        self.lines.append("> " * len(self._quotes) + begin)


def text_of(markup: str) -> str:
    """The text of an HTML mail; never raises."""
    reader = _Text()
    reader.feed(markup[:MOST])
    reader.close()
    lines = [re.sub(r"[\s\xa0\u200b\ufeff]+", " ", line).strip() for line in reader.lines]
    lines = ["" if re.fullmatch(r"[> ]+", line) else line for line in lines]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
