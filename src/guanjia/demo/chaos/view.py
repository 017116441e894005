"""What Guanjia itself says about a run's packages, and whether the lines agree."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from guanjia.base.sql import rows
from guanjia.demo.chaos.audit import LIVE, Audit
from guanjia.demo.chaos.plan import Plan

ENDED = ("done", "released")


@dataclass(frozen=True, slots=True)
class PackageView:
    """`flow` says whether a worker still has something to do for it; `seconds` from asking to the end."""

    wish: str
    number: str
    state: str
    flow: bool
    seconds: float | None

    @property
    def ended(self) -> bool:
        return self.state in ENDED


_PACKAGES = (
    "SELECT i.params->>'wish', p.number, p.state, f.key IS NOT NULL,"
    " extract(epoch FROM p.ended_at - p.submitted_at)::float"
    " FROM packages_package p JOIN packages_item i ON i.package_id = p.id AND i.position = 1"
    " LEFT JOIN base_flow f ON f.name = 'packages.package' AND f.key = p.id"
    " WHERE i.params->>'wish' LIKE %s ORDER BY p.id"
)


def packages_of(plan: Plan) -> list[PackageView]:
    return [PackageView(*row) for row in rows(_PACKAGES, [f"{plan.name}-{plan.seed}-%"])]


_HISTORY = (
    "SELECT e.at::text, e.actor, e.kind, e.payload::text FROM ledger_event e"
    " WHERE e.subject = 'package:' || %s ORDER BY e.id"
)
_ITEMS = (
    "SELECT i.position, s.code, l.slug, i.state, i.generation, i.attempts, i.reason_code, i.by_silence"
    " FROM packages_item i JOIN packages_package p ON p.id = i.package_id"
    " JOIN lines_service s ON s.id = i.service_id JOIN lines_line l ON l.id = s.line_id"
    " WHERE p.number = %s ORDER BY i.position"
)


def histories(views: Collection[PackageView]) -> list[str]:
    """What happened to these packages, for whoever looks for the reason."""
    found = []
    for view in views:
        found.append(f"{view.number} {view.wish}: {view.state}")
        found += [" ".join(map(str, row)) for row in rows(_ITEMS, [view.number])]
        found += [" ".join(row) for row in rows(_HISTORY, [view.number])]
    return found


def waiting(plan: Plan) -> int:
    """How many packages are not over yet, those of a line that is down left out."""
    apart = apart_from(plan)
    return sum(not view.ended or view.flow for view in packages_of(plan) if view.wish not in apart)


def apart_from(plan: Plan) -> frozenset[str]:
    """The wishes that need the line that is down: they may wait."""
    return frozenset(wish.ref for wish in plan.wishes if plan.down in wish.lines)


def disagreements(
    plan: Plan, numbers: Mapping[str, str], views: list[PackageView], found: Audit
) -> list[str]:
    """Where Guanjia and the lines, or Guanjia and the merchants, say different things."""
    by_wish: dict[str, list[PackageView]] = defaultdict(list)
    for view in views:
        by_wish[view.wish].append(view)
    complaints = []
    for ref, number in sorted(numbers.items()):
        known = [view.number for view in by_wish[ref]]
        if known != [number]:
            complaints.append(f"{ref}: {number} was acknowledged, there is {known}")
    items = _items(found)
    apart = apart_from(plan)
    for view in views:
        if view.wish not in apart:
            complaints += _compare(view, items[view.number])
    return complaints


def _items(found: Audit) -> dict[str, Counter[str]]:
    """Live items by package and state, with the size of the package as `size`."""
    items: dict[str, Counter[str]] = defaultdict(Counter)
    for booking in found.bookings:
        if booking.state in LIVE:
            items[booking.package][booking.state] += 1
            items[booking.package]["size"] = booking.size
    return items


def _compare(view: PackageView, live: Counter[str]) -> list[str]:
    if view.flow:
        return [f"{view.number} ({view.wish}): {view.state}, and its flow is not over"]
    if view.state == "done":
        right = live["confirmed"] == live["size"] > 0 and not live["held"]
    else:
        right = view.state == "released" and not live["confirmed"] and not live["held"]
    return [] if right else [f"{view.number} ({view.wish}): {view.state} here, {dict(live)} on the lines"]
