"""What the house does for a case, as far as its merchant is shown it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from guanjia.base.sql import prepared
from guanjia.base.texts import pick
from guanjia.cases.models import TaskState

STEPS_MOST = 60


@dataclass(frozen=True, slots=True)
class Step:
    """A task that the merchant may see: what, on which line, and by when; never its words."""

    title: str
    line: str
    state: str
    due_at: datetime
    done_at: datetime | None

    @property
    def waits(self) -> bool:
        return self.state == TaskState.BLOCKED


@dataclass(frozen=True, slots=True)
class Progress:
    steps: Sequence[Step]

    @property
    def done(self) -> int:
        return sum(1 for step in self.steps if step.done_at)


_STEPS = f"""
SELECT t.title, l.titles, t.state, t.due_at, t.done_at
FROM cases_task t LEFT JOIN lines_line l ON l.id = t.line_id
WHERE t.case_id = %(case)s AND t.visible AND t.state <> 'dropped'
ORDER BY t.done_at IS NULL, t.done_at, t.state = 'blocked', t.due_at, t.id LIMIT {STEPS_MOST}
"""  # noqa: S608 - our own text


def progress_of(case: int) -> Progress:
    """In the order of doing; one statement."""
    found = prepared(_STEPS, {"case": case})
    return Progress(
        [
            Step(title, pick(json.loads(titles)) if titles else "", state, due_at, done_at)
            for title, titles, state, due_at, done_at in found
        ]
    )
