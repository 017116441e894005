"""Plots as SVG that fit any width: lengths are percentages, so text keeps its size and only bars stretch.

Every plot comes with the table of what it shows. Colours are classes (`ok`, `warn`, `bad`, `brand`) that
the style sheet fills from the theme; texts are escaped here. `key` makes the ids of one page unique.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

LABEL_MOST = 34
"""Widest label beside its numbers on a phone, in half-width characters; the table has it whole."""
ROW = 46  # pixels
PLOT = 132  # pixels


@dataclass(frozen=True, slots=True)
class Part:
    """What one colour stands for."""

    title: str
    tone: str


@dataclass(frozen=True, slots=True)
class Row:
    """One bar: a value per part, and the words at its end."""

    label: str
    values: tuple[int, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Point:
    """A share of 0 to 1 on a day, None where there is nothing to divide."""

    day: date
    share: float | None


@dataclass(frozen=True, slots=True)
class Chart:
    """The picture, its legend and its table; the first cell of a row names it."""

    key: str
    title: str
    svg: SafeString
    parts: tuple[Part, ...]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def bars(key: str, title: str, *, first: str, parts: Sequence[Part], rows: Sequence[Row]) -> Chart:
    """Horizontal bars, the longest as wide as the plot; several parts are stacked."""
    longest = max((sum(row.values) for row in rows), default=0) or 1
    drawn = format_html_join("", "{}", ((_bar(row, n, longest, parts),) for n, row in enumerate(rows)))
    told = "；".join(f"{row.label}: {row.text}" for row in rows[:5])
    table = tuple((row.label, *(str(value) for value in row.values)) for row in rows)
    head = (first, *(part.title for part in parts))
    svg = _svg(key, title, told, len(rows) * ROW, drawn)
    return Chart(key, title, svg, tuple(parts), head, table)


def _bar(row: Row, n: int, longest: int, parts: Sequence[Part]) -> SafeString:
    top = n * ROW
    return format_html(
        '<g><title>{}: {}</title><text y="{}">{}</text><text class="end" x="100%" y="{}">{}</text>'
        '<rect class="rest" y="{}" width="100%" height="10" rx="3"/>{}</g>',
        row.label,
        row.text,
        top + 16,
        short(row.label),
        top + 16,
        row.text,
        top + 24,
        format_html_join(
            "",
            '<rect class="{}" x="{}%" y="{}" width="{}%" height="10" rx="3"/>',
            (
                (parts[at].tone, _percent(sum(row.values[:at]), longest), top + 24, _percent(value, longest))
                for at, value in enumerate(row.values)
                if value
            ),
        ),
    )


def trend(key: str, title: str, *, first: str, part: Part, points: Sequence[Point]) -> Chart:
    """A line of shares by day, from 0 to 100 %; days without a value are gaps."""
    known = [point for point in points if point.share is not None]
    ends = (known[0], known[-1]) if known else ()
    told = " → ".join(f"{point.day:%m-%d} {_share(point.share)}" for point in ends)
    rows = tuple((f"{point.day:%Y-%m-%d}", _share(point.share)) for point in reversed(known))
    svg = _svg(key, title, told, PLOT + 36, _plot(part, points))
    return Chart(key, title, svg, (part,), (first, part.title), rows)


def _plot(part: Part, points: Sequence[Point]) -> SafeString:
    """The axis texts come last: they stay readable where the line passes."""
    heights = [(at * PLOT // 100 + 8, 100 - at) for at in (0, 50, 100)]
    texts = [("0", "", at - 4, f"{share}%") for at, share in heights]
    if points:
        first, last = points[0].day, points[-1].day
        texts += [("0", "", PLOT + 30, f"{first:%m-%d}"), ("100%", " end", PLOT + 30, f"{last:%m-%d}")]
    return format_html(
        '{}<svg y="8" width="100%" height="{}" viewBox="0 0 {} 100" preserveAspectRatio="none">'
        '<path class="{}" d="{}" vector-effect="non-scaling-stroke"/></svg>{}',
        format_html_join("", '<line x2="100%" y1="{0}" y2="{0}"/>', ((at,) for at, _ in heights)),
        PLOT,
        max(len(points) - 1, 1),
        part.tone,
        _path(points),
        format_html_join("", '<text x="{}" class="axis{}" y="{}">{}</text>', texts),
    )


def _path(points: Sequence[Point]) -> str:
    """A move where a run of days with values begins, a line to each next; a lone day is a dot."""
    steps, drawing = [], False
    for at, point in enumerate(points):
        if point.share is not None:
            place = f"{at} {100 - 100 * point.share:.1f}"
            steps.append(f"L{place}" if drawing else f"M{place}h0.01")
        drawing = point.share is not None
    return "".join(steps)


def _svg(key: str, title: str, told: str, height: int, drawn: SafeString) -> SafeString:
    return format_html(
        '<svg class="plot" role="img" width="100%" height="{}" aria-labelledby="{}-title {}-desc">'
        '<title id="{}-title">{}</title><desc id="{}-desc">{}</desc>{}</svg>',
        height,
        key,
        key,
        key,
        title,
        key,
        told,
        drawn,
    )


def _percent(value: int, of: int) -> str:
    return f"{100 * value / of:.2f}"


def _share(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f}%"


def short(label: str, most: int = LABEL_MOST) -> str:
    """The label, cut with an ellipsis where it is wider than `most` half-width characters."""
    wide = 0
    for at, letter in enumerate(label):
        wide += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if wide > most:
            return label[:at].rstrip() + "…"
    return label
