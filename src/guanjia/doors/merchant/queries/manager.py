"""Who looks after a merchant, what they promised, and how well that was kept."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from guanjia.base.moments import span
from guanjia.base.sql import rows
from guanjia.cases.models import ClockKind
from guanjia.cases.rules import PROMISES
from guanjia.coverage.models import Responsibility, ResponsibilityRole
from guanjia.coverage.queries import accountable_for
from guanjia.merchants.models import Merchant

LAST = 20
"""First answers that the record counts."""
LOOKED_AT = 60
"""Newest cases among which they are found: one that is not due yet counts neither way."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Of the last `of` first answers, `kept` came in time; `usual` is the median, None without any."""

    kept: int
    of: int
    usual: timedelta | None


@dataclass(frozen=True, slots=True)
class ManagerCard:
    """`kind` is person, team or pool; `lead` answers for a team or a pool; `backup` steps in."""

    name: str
    kind: str
    lead: str
    backup: str
    promise: timedelta
    record: Kept

    @property
    def promise_text(self) -> str:
        return span(self.promise)

    @property
    def usual_text(self) -> str:
        return span(self.record.usual) if self.record.usual is not None else ""


def manager_of(merchant: Merchant, *, at: datetime) -> ManagerCard:
    held = accountable_for(merchant, at=at)
    holder = held.person or held.team or held.pool
    kind = "person" if held.person else "team" if held.team else "pool"
    lead = "" if held.person else held.answerable.name
    promise = PROMISES[ClockKind.FIRST_ANSWER]
    return ManagerCard(str(holder), kind, lead, _backup(merchant, at), promise, _record(merchant, at))


def _backup(merchant: Merchant, at: datetime) -> str:
    named = (
        Responsibility.objects.select_related("person", "team", "pool")
        .filter(merchant=merchant, role=ResponsibilityRole.BACKUP, during__contains=at)
        .order_by("pk")
        .first()
    )
    return str(named.holder) if named else merchant.home_pool.lead.name


def _record(merchant: Merchant, at: datetime) -> Kept:
    statement = (
        "SELECT k.started_at, k.due_at, k.stopped_at FROM"
        " (SELECT id FROM cases_case WHERE merchant_id = %s ORDER BY id DESC LIMIT %s) c"
        " JOIN cases_clock k ON k.case_id = c.id AND k.kind = %s"
        " WHERE k.stopped_at IS NOT NULL OR k.due_at < %s ORDER BY c.id DESC, k.id DESC LIMIT %s"
    )
    return _kept(rows(statement, [merchant.pk, LOOKED_AT, ClockKind.FIRST_ANSWER, at, LAST]))


def _kept(clocks: Sequence[tuple[datetime, datetime, datetime | None]]) -> Kept:
    took = [stopped - started for started, _due, stopped in clocks if stopped]
    kept = sum(stopped is not None and stopped <= due for _started, due, stopped in clocks)
    usual = timedelta(seconds=statistics.median(t.total_seconds() for t in took)) if took else None
    return Kept(kept, len(clocks), usual)
