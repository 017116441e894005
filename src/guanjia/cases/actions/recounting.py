"""Deadlines follow their calendars: after an edit only those that it can move, by hand all from history.

In chunks, each a transaction: a clock that was counted carries the version's number, so that whoever
begins again finds only what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from django.db import transaction

from guanjia.base.actors import SYSTEM
from guanjia.base.sql import as_json, run
from guanjia.cases.clock_events import ClocksRecounted
from guanjia.cases.models import Case, Clock, ClockStatus
from guanjia.cases.promises import book, forget
from guanjia.cases.timing import count
from guanjia.core.clock.many import Seconds, due_many
from guanjia.ledger.actions import Entry, record

CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a recount has come: clocks after `at` are still to be looked at. `done`: none is left."""

    at: int
    seen: int
    moved: int
    done: bool


def recount_clocks(*, now: datetime, after: int = 0, most: int = CHUNK, everything: bool = False) -> Progress:
    """The next running clocks (by id, after `after`) that were counted with an older version of their
    calendar; with `everything`, all live ones, from their histories. One transaction."""
    if after == 0:
        forget()
    with transaction.atomic():
        found = _candidates(after, most, everything)
        _lock_cases(found)
        clocks = list(
            Clock.objects.filter(pk__in=[pk for pk, _case in found], stopped_at=None).order_by("pk")
        )
        was = {clock.pk: clock.due_at for clock in clocks}
        if everything:
            for clock in clocks:
                count(clock, max(now, clock.counted_at or now))
        else:
            _count_many([clock for clock in clocks if clock.status == ClockStatus.RUNNING])
        _write(clocks)
        moved = sum(clock.due_at != was[clock.pk] for clock in clocks)
        if moved:
            record([Entry(now, SYSTEM, "calendar:all", ClocksRecounted(moved))])
    last = found[-1][0] if found else after
    return Progress(last, len(clocks), moved, len(found) < most)


def _candidates(after: int, most: int, everything: bool) -> list[tuple[int, int]]:
    live = Clock.objects.filter(pk__gt=after, stopped_at=None).exclude(calendar="")
    if not everything:
        newest = {code: counting.newest for code, counting in book().calendars.items()}
        live = live.filter(status=ClockStatus.RUNNING, counted_with__lt=max(newest.values()))
    return list(live.order_by("pk").values_list("pk", "case_id")[:most])


def _lock_cases(found: Sequence[tuple[int, int]]) -> None:
    cases = Case.objects.select_for_update(no_key=True).filter(pk__in={case for _pk, case in found})
    list(cases.order_by("pk").values_list("pk"))


def _count_many(clocks: Sequence[Clock]) -> None:
    """Calendar by calendar, from what was left at the last event of each: it has not changed since."""
    by_calendar: dict[str, list[Clock]] = {}
    for clock in clocks:
        if clock.remaining > 0 and clock.counted_at is not None:
            by_calendar.setdefault(clock.calendar, []).append(clock)
    for code, group in by_calendar.items():
        counting = book().counting(code)
        starts = np.array([int(clock.counted_at.timestamp()) for clock in group if clock.counted_at])
        left = np.array([clock.remaining for clock in group])
        spare = np.array([clock.target * (100 - clock.warn_share) // 100 for clock in group])
        due = due_many(counting.schedule, starts, left)
        warn = due_many(counting.schedule, starts, np.maximum(left - spare, 0))
        _set(group, due, np.where(left > spare, warn, due + 1), counting.newest)


def _set(group: Sequence[Clock], due: Seconds, warn: Seconds, version: int) -> None:
    for clock, due_at, warn_at in zip(group, due.tolist(), warn.tolist(), strict=True):
        clock.due_at, clock.counted_with = datetime.fromtimestamp(due_at, UTC), version
        if clock.breached_at is None:
            early = clock.warned_at is None and 0 < clock.warn_share < 100
            clock.acts_at = datetime.fromtimestamp(warn_at if early else due_at + 1, UTC)


_WRITE = """
UPDATE cases_clock k SET due_at = c.due_at, acts_at = c.acts_at, counted_with = c.counted_with,
  target = c.target, remaining = c.remaining, counted_at = c.counted_at, breached_at = c.breached_at
FROM json_to_recordset(%(clocks)s::json) AS c(id bigint, due_at timestamptz, acts_at timestamptz,
  counted_with int, target int, remaining int, counted_at timestamptz, breached_at timestamptz)
WHERE k.id = c.id
"""
_WRITTEN = ("due_at", "acts_at", "counted_with", "target", "remaining", "counted_at", "breached_at")


def _write(clocks: Sequence[Clock]) -> None:
    values = [{"id": clock.pk, **{name: getattr(clock, name) for name in _WRITTEN}} for clock in clocks]
    run(_WRITE, {"clocks": as_json(values)})
