"""A case as programs read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from guanjia.cases.models import Case, Clock, Message
from guanjia.people.models import Pool, Team

CLOCKS_MOST = 50


@dataclass(frozen=True, slots=True)
class ClockLook:
    """A wait: what for, since when, until when, and when it ended (None: it runs)."""

    kind: str
    text: str
    started_at: datetime
    due_at: datetime
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


def look(case: Case) -> CaseLook:
    """The case as it is now, in the reader's language, with its first CLOCKS_MOST clocks."""
    return CaseLook(
        number=case.number,
        merchant=case.merchant.ref,
        title=case.title,
        state=case.state,
        state_text=_(case.get_state_display()),
        owner_kind=_kind(case),
        owner=str(case.holder),
        opened_at=case.opened_at,
        clocks=tuple(_clock_look(clock) for clock in case.clocks.order_by("pk")[:CLOCKS_MOST]),
    )


def _kind(case: Case) -> str:
    holder = case.holder
    return "pool" if isinstance(holder, Pool) else "team" if isinstance(holder, Team) else "person"


def _clock_look(clock: Clock) -> ClockLook:
    text = _(clock.get_kind_display())
    return ClockLook(clock.kind, text, clock.started_at, clock.due_at, clock.stopped_at)


def message_look(message: Message) -> MessageLook:
    return MessageLook(message.case.number, message.pk, message.internal, message.at)
