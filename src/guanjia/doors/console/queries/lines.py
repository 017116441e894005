"""The lines somebody works on, and what waits on each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from guanjia.base.sql import rows
from guanjia.base.texts import pick
from guanjia.cases.models import ClockKind
from guanjia.lines.models import Line, LineKind, Service
from guanjia.people.models import User

LINES_MOST = 100
COUNT_MOST = 200
SERVICES_MOST = 300

# What waits on a hosted line are its holds; of a line with a system of its own, the packages' clocks.
_MINE = """
SELECT l.slug, l.titles, l.kind, w.waiting, w.due_at
FROM lines_linestaff s JOIN lines_line l ON l.id = s.line_id
CROSS JOIN LATERAL (SELECT count(*) AS waiting, min(due_at) AS due_at FROM (
  (SELECT decision_due_at AS due_at FROM lines_hostedhold
   WHERE line_id = l.id AND l.kind = %(hosted)s AND state = 'pending' AND expires_at > %(now)s
   ORDER BY decision_due_at LIMIT %(count)s)
  UNION ALL
  (SELECT due_at FROM cases_clock
   WHERE line_id = l.id AND l.kind <> %(hosted)s AND kind = %(clock)s AND stopped_at IS NULL
   ORDER BY due_at LIMIT %(count)s)) waits) w
WHERE s.user_id = %(user)s AND l.active ORDER BY w.due_at NULLS LAST, l.slug LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class MyLine:
    """A line of mine; `waiting` counts to COUNT_MOST, `due_at` is the first clock of those."""

    slug: str
    title: str
    hosted: bool
    waiting: int
    due_at: datetime | None

    @property
    def many(self) -> bool:
        return self.waiting >= COUNT_MOST


def my_lines(user: User, now: datetime) -> list[MyLine]:
    """Those in operation, the most urgent first; one statement."""
    wanted = {
        "user": user.pk,
        "hosted": LineKind.HOSTED,
        "now": now,
        "clock": ClockKind.LINE_DECISION,
        "count": COUNT_MOST,
        "most": LINES_MOST,
    }
    found = rows(_MINE, wanted)
    return [
        MyLine(slug, pick(json.loads(titles)), kind == LineKind.HOSTED, waiting, due_at)
        for slug, titles, kind, waiting, due_at in found
    ]


def services_of(line: Line, *, active: bool | None = None) -> list[Service]:
    """In the order of their codes, those on offer first; a manifest has a hundred at most."""
    found = line.services.all() if active is None else line.services.filter(active=active)
    return list(found.order_by("-active", "code")[:SERVICES_MOST])


def service_of(line: Line, code: str) -> Service | None:
    return line.services.select_related("line").filter(code=code).first()
