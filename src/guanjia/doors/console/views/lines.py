"""The way in: the lines somebody works on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from guanjia.base.texts import pick
from guanjia.doors.console.queries.lines import my_lines
from guanjia.lines.models import Line, LineKind
from guanjia.people.pages import Visit, page


@page()
def console(visit: Visit) -> HttpResponse:
    """Somebody with one line goes there at once."""
    lines = my_lines(visit.user, visit.now)
    if len(lines) == 1:
        return visit.go(reverse("console_line", args=[lines[0].slug]))
    return visit.render("doors/console/lines.html", {"lines": lines})


def show(
    visit: Visit, line: Line, section: str, content: Mapping[str, Any], *, part: str = "", status: int = 200
) -> HttpResponse:
    """A page of a line's console; htmx gets its `part` where there is one."""
    about = {
        "line": line,
        "line_title": pick(line.titles),
        "hosted": line.kind == LineKind.HOSTED,
        "section": section,
    }
    template = part if part and visit.partial else f"{section}.html"
    return visit.render(f"doors/console/{template}", {**about, **content}, status=status)
