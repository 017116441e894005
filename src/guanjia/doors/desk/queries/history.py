"""All that has happened to a case, page by page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from guanjia.base.sql import prepared
from guanjia.cases.history import CaseEvent, told
from guanjia.cases.mark_history import named
from guanjia.doors.desk.queries.case import Opened, package_words

PAGE = 50


@dataclass(frozen=True, slots=True)
class Past:
    """A page, the newest first; `next` is the `before` of the following page, 0 at the end."""

    events: list[CaseEvent]
    next: int


# A case has few packages: each of their subjects is read from its own end of the index.
_EVENTS = f"""
SELECT e.id, e.at, e.kind, u.name, e.payload, e.package FROM (
  SELECT x.*, s.package FROM (
    SELECT 'case:' || %(number)s::text AS subject, NULL::text AS package
    UNION ALL SELECT 'package:' || number, number FROM packages_package WHERE case_id = %(case)s) s
  CROSS JOIN LATERAL (
    SELECT id, at, kind, actor, payload FROM ledger_event
    WHERE subject = s.subject AND id < %(before)s::bigint ORDER BY id DESC LIMIT {PAGE + 1}) x
  ORDER BY x.id DESC LIMIT {PAGE + 1}) e
LEFT JOIN people_user u
  ON u.id = CASE WHEN starts_with(e.actor, 'user:') THEN split_part(e.actor, ':', 2)::bigint END
ORDER BY e.id DESC
"""  # noqa: S608 - our own text
_NAMES = """
SELECT 'user', id, name FROM people_user WHERE id = ANY(%(users)s::bigint[])
UNION ALL SELECT 'tag', id, name FROM cases_tag WHERE id = ANY(%(tags)s::bigint[])
"""


def past(case: Opened, before: int) -> Past:
    """Two statements."""
    found = prepared(_EVENTS, {"case": case.pk, "number": case.number, "before": before})
    shown = [(row, _loaded(row[4])) for row in found[:PAGE]]
    names = _names([payload for _row, payload in shown])
    events = [_event(row, payload | {"names": names}) for row, payload in shown]
    return Past(events, found[PAGE - 1][0] if len(found) > PAGE else 0)


def _loaded(payload: Any) -> dict[str, Any]:
    """A plain statement returns JSON as text."""
    loaded: dict[str, Any] = json.loads(payload) if isinstance(payload, str) else payload
    return loaded


def _names(payloads: Sequence[dict[str, Any]]) -> dict[str, dict[int, str]]:
    asked = [named(payload) for payload in payloads]
    users, tags = (
        [pk for one in of for pk in one] for of in (zip(*asked, strict=True) if asked else ((), ()))
    )
    known: dict[str, dict[int, str]] = {"user": {}, "tag": {}}
    for kind, pk, name in prepared(_NAMES, {"users": users, "tags": tags}):
        known[kind][pk] = name
    return known


def _event(row: Sequence[Any], payload: dict[str, Any]) -> CaseEvent:
    """An event that no sentence is known for is named by its kind: a full history leaves nothing out."""
    _pk, at, kind, who, _payload, package = row
    if package:
        return CaseEvent(at, who or package, f"{package} {package_words(kind, payload) or kind}")
    event = told(at, kind, who, payload)
    return event if event.text else CaseEvent(event.at, event.who, kind)
