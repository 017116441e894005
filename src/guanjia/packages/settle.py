"""The one writer of a package's state: load and lock, ask the core, write, tell, wake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from guanjia.base.actors import SYSTEM, Actor
from guanjia.base.flows import wake
from guanjia.cases.models import ClockKind
from guanjia.cases.promises import About, book
from guanjia.core.package import Decision, Signal
from guanjia.core.package import settle as decide
from guanjia.core.package.signals import Pending
from guanjia.packages import rows
from guanjia.packages.consequences import Settled, follow

FLOW = "packages.package"
"""The name of the packages' flow; its keys are package ids. It never changes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    row: rows.PackageRow
    decision: Decision


def settle(
    batch: Sequence[tuple[int, Sequence[Signal]]], now: datetime, *, actor: Actor = SYSTEM
) -> dict[int, Outcome]:
    """Apply signals to packages and write what follows, within the caller's transaction.

    A turn without signals that would change nothing takes no lock and writes nothing.
    """
    quiet = [key for key, signals in batch if not signals]
    outcomes = _look(quiet, now)
    rest = [(key, signals) for key, signals in batch if key not in outcomes]
    return outcomes | _settle(rest, now, actor)


def _look(keys: Sequence[int], now: datetime) -> dict[int, Outcome]:
    found = rows.load(keys, lock=False) if keys else {}
    outcomes = {key: Outcome(row, decide(row.package, (), now)) for key, row in found.items()}
    return {k: o for k, o in outcomes.items() if o.decision.package == o.row.package}


def _settle(batch: Sequence[tuple[int, Sequence[Signal]]], now: datetime, actor: Actor) -> dict[int, Outcome]:
    found = rows.load([key for key, _ in batch]) if batch else {}
    outcomes = {
        key: Outcome(found[key], decide(found[key].package, in_working_time(found[key], signals, now), now))
        for key, signals in batch
        if key in found
    }
    rows.save([rows.Change(o.row, o.decision.package) for o in outcomes.values()], now)
    follow([Settled(o.row, o.decision) for o in outcomes.values()], now, actor)
    return outcomes


def in_working_time(row: rows.PackageRow, signals: Sequence[Signal], now: datetime) -> list[Signal]:
    """A line for which the house has promised a time to decide has that time by its calendar; of any other,
    its own word counts. The deadline is set once, by the first answer that says "pending"."""
    lines = {item.hold_id: one.line_slug for item, one in zip(row.package.items, row.items, strict=True)}
    return [_promised(one, lines, now) if isinstance(one, Pending) else one for one in signals]


def _promised(signal: Pending, lines: Mapping[UUID, str], now: datetime) -> Pending:
    known = book()
    promise = known.promise(ClockKind.LINE_DECISION, About(line=lines.get(signal.hold_id) or "-"), now)
    if promise is None:
        return signal
    due_at = known.counting(promise.calendar).schedule.due(now, promise.seconds)
    return replace(signal, decision_due_at=due_at)


def settle_and_wake(key: int, signals: Sequence[Signal], now: datetime, *, actor: Actor) -> Outcome:
    """For people's acts: settle this one package and hand the calls to a worker."""
    outcome = settle([(key, signals)], now, actor=actor)[key]
    at = now if outcome.decision.calls else outcome.decision.wake_at
    if at is not None:
        wake(FLOW, [key], at, now)
    return outcome
