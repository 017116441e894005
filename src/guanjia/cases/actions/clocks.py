"""Waits: they begin, and they end. One verb, one transaction, one event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from guanjia.cases.models import Case, Clock, ClockKind
from guanjia.lines.models import Line
from guanjia.people.models import User


def stop_clocks(case: Case, *, now: datetime, kinds: list[ClockKind]) -> None:
    """Stop the running clocks of these kinds; part of the action that ends the wait."""
    Clock.objects.filter(case=case, kind__in=kinds, stopped_at=None).update(stopped_at=now)


@dataclass(frozen=True, slots=True)
class AboutItem:
    """What a line's clock is about: a package's item, and the line that has to answer."""

    line: Line
    item: UUID


def start_clock(
    *,
    case: Case,
    kind: ClockKind,
    owner: User,
    now: datetime,
    due_at: datetime,
    about: AboutItem | None = None,
) -> Clock:
    """A wait begins: it has an owner and a deadline. One running clock per case, kind and item."""
    due_at = max(due_at, now + timedelta(seconds=1))
    clock, _new = Clock.objects.get_or_create(
        case=case,
        kind=kind,
        item=about.item if about else None,
        stopped_at=None,
        defaults={
            "owner": owner,
            "line": about.line if about else None,
            "started_at": now,
            "due_at": due_at,
        },
    )
    return clock
