"""What the lines' own databases say, read from outside: the story believes nothing else."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from guanjia.demo.market import Market
from guanjia.lines.models import HostedHold

LIVE = ("held", "pending", "confirmed")


@dataclass(frozen=True, slots=True)
class Booking:
    line: str
    package: str
    state: str


def bookings(market: Market, package: str) -> list[Booking]:
    """Everything any line holds or has confirmed for this package."""
    return [*_sdk_bookings(market, package), *_hosted_bookings(package)]


def _sdk_bookings(market: Market, package: str) -> list[Booking]:
    found = []
    for line in market.lines:
        if line.module is None:
            continue
        database = sqlite3.connect(f"file:{market.database_of(line)}?mode=ro", uri=True, timeout=5)
        try:
            states = database.execute("SELECT state FROM booking WHERE package = ?", (package,)).fetchall()
        finally:
            database.close()
        found += [Booking(line.slug, package, state) for (state,) in states]
    return found


def _hosted_bookings(package: str) -> list[Booking]:
    holds = HostedHold.objects.select_related("line").filter(state__in=LIVE)
    return [
        Booking(hold.line.slug, package, hold.state)
        for hold in holds.filter(record__request__package__number=package)[:100]
    ]
