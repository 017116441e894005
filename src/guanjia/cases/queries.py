"""A case as programs read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from guanjia.base.sql import prepared
from guanjia.cases.models import Case, CaseState, ClockKind, Message

CLOCKS_MOST = 50


@dataclass(frozen=True, slots=True)
class ClockLook:
    """A wait: what for, since when, until when (None: it stands still), and when it ended (None: it has
    not)."""

    kind: str
    text: str
    status: str
    started_at: datetime
    due_at: datetime | None
    stopped_at: datetime | None


@dataclass(frozen=True, slots=True)
class CaseLook:
    """`owner` is who is accountable: a person, a team or a pool, as `owner_kind` says."""

    number: str
    merchant: str
    title: str
    state: str
    state_text: str
    owner_kind: str
    owner: str
    opened_at: datetime
    clocks: tuple[ClockLook, ...]


@dataclass(frozen=True, slots=True)
class MessageLook:
    case: str
    message: int
    internal: bool
    at: datetime


_LOOK = """
SELECT c.number, m.ref, c.title, c.state,
  CASE WHEN c.pool_id IS NOT NULL THEN 'pool' WHEN c.team_id IS NOT NULL THEN 'team' ELSE 'person' END,
  coalesce((SELECT name FROM people_user WHERE id = c.person_id),
           (SELECT name FROM people_team WHERE id = c.team_id),
           (SELECT name FROM people_pool WHERE id = c.pool_id)),
  c.opened_at, k.kind, k.status, k.started_at, k.due_at, k.stopped_at
FROM cases_case c JOIN merchants_merchant m ON m.id = c.merchant_id
  LEFT JOIN LATERAL (SELECT * FROM cases_clock WHERE case_id = c.id ORDER BY id LIMIT %(most)s) k ON true
WHERE c.id = %(case)s ORDER BY k.id
"""


def look(case: Case) -> CaseLook:
    """The case as it is now, in the reader's language, with its first CLOCKS_MOST clocks; one statement."""
    found = prepared(_LOOK, {"case": case.pk, "most": CLOCKS_MOST})
    number, merchant, title, state, owner_kind, owner, opened_at = found[0][:7]
    return CaseLook(
        number=number,
        merchant=merchant,
        title=title,
        state=state,
        state_text=_(CaseState(state).label),
        owner_kind=owner_kind,
        owner=owner,
        opened_at=opened_at,
        clocks=tuple(_clock_look(*row[7:]) for row in found if row[7] is not None),
    )


def _clock_look(
    kind: str, status: str, started_at: datetime, due_at: datetime | None, stopped_at: datetime | None
) -> ClockLook:
    return ClockLook(kind, _(ClockKind(kind).label), status, started_at, due_at, stopped_at)


def message_look(message: Message) -> MessageLook:
    return MessageLook(message.case.number, message.pk, message.internal, message.at)
