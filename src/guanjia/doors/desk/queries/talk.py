"""What stands around the boxes of a case: shared drafts, replies that wait to be read, and macros."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from guanjia.base.sql import prepared
from guanjia.cases.changing import change_of
from guanjia.doors.desk.queries.case import Opened
from guanjia.people.models import User

MACROS_MOST = 100
HELD_MOST = 10


@dataclass(frozen=True, slots=True)
class Shared:
    """A draft that colleagues may go on with."""

    body: str
    version: int
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """A reply that waits for its approver, or came back to its author with a reason. `mine`: the reader
    wrote it; `decides`: the reader may send it or give it back."""

    pk: int
    body: str
    author: str
    approver: str
    due_at: datetime
    mine: bool
    decides: bool
    also: list[str]
    reason: str


@dataclass(frozen=True, slots=True)
class Around:
    """`macros` are ids and names by box; `approver` is who reads the reader's replies first."""

    shared: dict[str, Shared]
    held: list[Held]
    approver: str
    macros: dict[str, list[tuple[int, str]]]


_AROUND = f"""
SELECT
  (SELECT json_agg(json_build_array(d.internal, d.body, d.version, u.name, d.written_at))
   FROM cases_shareddraft d JOIN people_user u ON u.id = d.written_by_id WHERE d.case_id = %(case)s),
  (SELECT json_agg(x.one) FROM (
   SELECT json_build_array(h.id, h.body, a.name, p.name, h.due_at, h.author_id, h.approver_id, h."then",
     h.reason) AS one
   FROM cases_heldreply h JOIN people_user a ON a.id = h.author_id JOIN people_user p ON p.id = h.approver_id
   WHERE h.case_id = %(case)s AND (h.state = 'waiting' OR (h.state = 'returned' AND h.author_id = %(user)s
     AND NOT EXISTS (SELECT FROM cases_heldreply l WHERE l.case_id = h.case_id AND l.id > h.id
       AND l.author_id = h.author_id)
     AND NOT EXISTS (SELECT FROM cases_message s WHERE s.case_id = h.case_id AND s.at > h.decided_at
       AND s.author_id = h.author_id AND NOT s.internal)))
   ORDER BY h.id LIMIT {HELD_MOST}) x),
  (SELECT u.name FROM (
     SELECT 1 AS rank, a.approver_id FROM cases_apprentice a WHERE a.user_id = %(user)s
     UNION ALL
     SELECT 2, a.approver_id FROM people_team_members b JOIN people_team t ON t.id = b.team_id
       JOIN cases_apprentice a ON a.team_id = t.id
     WHERE b.user_id = %(user)s AND t.lead_id <> %(user)s AND a.approver_id <> %(user)s
     ORDER BY rank LIMIT 1) a JOIN people_user u ON u.id = a.approver_id),
  EXISTS (SELECT FROM people_rolegrant WHERE user_id = %(user)s AND role = 'service_lead'),
  (SELECT json_agg(json_build_array(m.id, m.name, m.internal)) FROM (
     SELECT * FROM (
       SELECT id, name, internal FROM cases_macro WHERE owner_id = %(user)s
       UNION SELECT id, name, internal FROM cases_macro WHERE everyone
       UNION SELECT id, name, internal FROM cases_macro WHERE team_id IN (
         SELECT team_id FROM people_team_members WHERE user_id = %(user)s
         UNION SELECT id FROM people_team WHERE lead_id = %(user)s)) m
     ORDER BY name, id LIMIT {MACROS_MOST}) m)
"""  # noqa: S608 - our own text


def around(case: Opened, user: User) -> Around:
    """One statement."""
    [(shared, held, approver, leads, macros)] = prepared(_AROUND, {"case": case.pk, "user": user.pk})
    boxes: dict[str, list[tuple[int, str]]] = {"reply": [], "note": []}
    for pk, name, internal in macros or ():
        boxes["note" if internal else "reply"].append((pk, name))
    drafts = {_box(internal): _shared(*rest) for internal, *rest in shared or ()}
    return Around(drafts, [_held(user, leads, one) for one in held or ()], approver or "", boxes)


def _box(internal: bool) -> str:
    return "note" if internal else "reply"


def _shared(body: str, version: int, by: str, at: str) -> Shared:
    return Shared(body, version, by, datetime.fromisoformat(at))


def _held(user: User, leads: bool, row: Sequence[Any]) -> Held:
    pk, body, author, approver, due_at, author_pk, approver_pk, then, reason = row
    mine = author_pk == user.pk
    decides = not mine and (leads or approver_pk == user.pk)
    also, due = change_of(then).words(), datetime.fromisoformat(due_at)
    return Held(pk, body, author, approver, due, mine, decides, also, reason)
