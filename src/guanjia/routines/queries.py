"""The list of routines, one of them, and its log, as pages read them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from guanjia.base.errors import Missing
from guanjia.base.sql import rows
from guanjia.routines.models import Result, Routine, Run, Version
from guanjia.routines.rule import Rule, load

PAGE = 50


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run has done: how many cases changed, passed over, failed."""

    pk: int
    at: datetime
    ended_at: datetime | None
    version: int
    looked: int
    changed: int
    skipped: int
    failed: int
    case: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A routine in the list: its newest rule, what is on, and its last run."""

    pk: int
    name: str
    kind: str
    rule: Rule
    on: bool
    draft: bool
    off_reason: str
    next_at: datetime | None
    last: Ran | None


_LISTED = """
SELECT r.id, r.name, r.kind, v.content::text, r.live_id IS NOT NULL, v.id IS DISTINCT FROM r.live_id,
  r.off_reason, r.next_at, u.id, u.started_at, u.ended_at, u.number, u.looked, u.changed, u.skipped, u.failed
FROM routines_routine r
JOIN LATERAL (SELECT * FROM routines_version WHERE routine_id = r.id ORDER BY number DESC LIMIT 1) v ON true
LEFT JOIN LATERAL (
  SELECT n.*, w.number FROM routines_run n JOIN routines_version w ON w.id = n.version_id
  WHERE n.routine_id = r.id ORDER BY n.id DESC LIMIT 1
) u ON true
ORDER BY r.live_id IS NULL, r.name, r.id
"""


def listed() -> list[Listed]:
    """All routines, those that are on first; one statement."""
    return [
        Listed(
            pk,
            name,
            kind,
            load(json.loads(content)),
            on,
            draft,
            reason,
            next_at,
            Ran(*last) if last[0] else None,
        )
        for pk, name, kind, content, on, draft, reason, next_at, *last in rows(_LISTED)
    ]


def versions_of(routine: int) -> tuple[Routine, Version]:
    """A routine and its newest version. Raises Missing."""
    newest = (
        Version.objects.select_related("routine__live", "activated_by", "saved_by")
        .filter(routine=routine)
        .order_by("-number")
        .first()
    )
    if newest is None:
        raise Missing(_("没有这条规则。"), hint=_("请从列表里重新选。"))
    return newest.routine, newest


_LOG = """
SELECT u.id, u.started_at, u.ended_at, v.number, u.looked, u.changed, u.skipped, u.failed,
  coalesce(c.number, ''), coalesce(c.title, '')
FROM routines_run u JOIN routines_version v ON v.id = u.version_id
LEFT JOIN routines_outcome o ON u.event IS NOT NULL AND o.run_id = u.id
LEFT JOIN cases_case c ON c.id = o.case_id
WHERE u.routine_id = %(routine)s AND u.id < %(before)s ORDER BY u.id DESC LIMIT %(most)s
"""


def log_of(routine: int, before: int | None) -> tuple[list[Ran], int | None]:
    """The newest runs before one, and from where the next page goes on."""
    params = {"routine": routine, "before": before or 2**62, "most": PAGE + 1}
    found = [Ran(*row) for row in rows(_LOG, params)]
    return found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None


@dataclass(frozen=True, slots=True)
class OnCase:
    """What came of one case in a run: `did` are places in the rule's steps."""

    case_pk: int
    number: str
    title: str
    result: Result
    did: Sequence[int]
    why: str
    at: datetime


_OUTCOMES = """
SELECT c.id, c.number, c.title, o.result, o.did::text, o.why, o.at FROM routines_outcome o
JOIN cases_case c ON c.id = o.case_id
WHERE o.run_id = %(run)s AND o.case_id > %(after)s ORDER BY o.case_id LIMIT %(most)s
"""


def run_of(routine: int, run: int) -> tuple[Run, Rule]:
    """A run, with what it went by. Raises Missing."""
    found = Run.objects.select_related("routine", "version").filter(pk=run, routine=routine).first()
    if found is None:
        raise Missing(_("没有这次运行，或记录已过保存期。"), hint=_("请从运行记录里重新选。"))
    return found, load(found.version.content)


def outcomes_of(run: int, after: int | None) -> tuple[list[OnCase], int | None]:
    """What came of the run's cases, in order of the cases, and from where the next page goes on."""
    params = {"run": run, "after": after or 0, "most": PAGE + 1}
    found = [
        OnCase(pk, number, title, Result(result), json.loads(did), why, at)
        for pk, number, title, result, did, why, at in rows(_OUTCOMES, params)
    ]
    return found[:PAGE], found[PAGE - 1].case_pk if len(found) > PAGE else None
