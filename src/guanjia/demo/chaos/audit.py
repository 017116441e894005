"""The auditor: reads the lines' own databases and nothing else. It knows no table of Guanjia's.

Each booking carries its merchant's own name for the package (`wish`), its position and how many items
the package has: that is enough to see a half package from the outside. The journal tells in which
order things happened to a hold.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

LIVE = ("held", "confirmed")


@dataclass(frozen=True, slots=True)
class Booking:
    line: str
    hold_id: str
    slot: str
    wish: str
    package: str
    item: int
    size: int
    state: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, about which wish (empty: about a line's slot)."""

    wish: str
    text: str


@dataclass(slots=True)
class Audit:
    """What the auditor found; the five lists must be empty once everything has settled.

    `lapsed` counts holds that came to nothing by their expiry: allowed, but worth a look.
    """

    half_packages: list[Finding] = field(default_factory=list)
    double_bookings: list[Finding] = field(default_factory=list)
    lost_holds: list[Finding] = field(default_factory=list)
    confirmed_too_late: list[Finding] = field(default_factory=list)
    seats_adrift: list[Finding] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    bookings: tuple[Booking, ...] = ()

    @property
    def wishes(self) -> frozenset[str]:
        """Those that something is wrong with."""
        about_wishes = (self.half_packages, self.double_bookings, self.lost_holds, self.confirmed_too_late)
        return frozenset(finding.wish for found in about_wishes for finding in found)


def audit(databases: Sequence[Path]) -> Audit:
    """Read the SQLite files, each named for its line, and look for what must not be."""
    found = Audit()
    for file in databases:
        if not file.exists():  # of a line that was down for the whole run: it has booked nothing
            continue
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
            found.bookings += tuple(_bookings(db, file.stem))
            found.confirmed_too_late += _late(db, file.stem)
            found.double_bookings += _overbooked(db, file.stem)
            found.seats_adrift += _adrift(db, file.stem)
    found.states.update(booking.state for booking in found.bookings)
    _examine(found)
    return found


def _bookings(db: sqlite3.Connection, line: str) -> Iterator[Booking]:
    for row in db.execute("SELECT hold_id, slot, wish, package, item, size, state FROM booking"):
        yield Booking(line, *row)


def _examine(found: Audit) -> None:
    by_wish: dict[str, list[Booking]] = defaultdict(list)
    for booking in found.bookings:
        if booking.state in LIVE:
            by_wish[booking.wish].append(booking)
    for wish, live in sorted(by_wish.items()):
        confirmed = {b.item for b in live if b.state == "confirmed"}
        if confirmed and confirmed != set(range(1, live[0].size + 1)):
            text = f"{sorted(confirmed)} of {live[0].size} items are confirmed"
            found.half_packages.append(Finding(wish, text))
        found.double_bookings += _doubles(wish, live)
        found.lost_holds += [
            Finding(wish, f"{b.line} {b.slot}: hold {b.hold_id} is still held")
            for b in live
            if b.state == "held"
        ]


def _doubles(wish: str, live: Sequence[Booking]) -> list[Finding]:
    times = Counter(booking.item for booking in live)
    return [Finding(wish, f"item {item} is booked {n} times") for item, n in sorted(times.items()) if n > 1]


def _overbooked(db: sqlite3.Connection, line: str) -> list[Finding]:
    rows = db.execute(
        "SELECT s.code, s.seats, count(b.id) FROM slot s JOIN booking b ON b.slot = s.code"
        " WHERE b.state IN ('held', 'confirmed') GROUP BY s.code HAVING count(b.id) > s.seats"
    )
    return [Finding("", f"{line} {slot}: {taken} seats taken of {seats}") for slot, seats, taken in rows]


def _adrift(db: sqlite3.Connection, line: str) -> list[Finding]:
    """Seats that are neither free nor taken, or both: a reservation given back never or twice."""
    rows = db.execute(
        "SELECT s.code, s.seats, s.free, count(b.id) FROM slot s LEFT JOIN booking b"
        " ON b.slot = s.code AND b.state IN ('held', 'confirmed')"
        " GROUP BY s.code HAVING s.free + count(b.id) <> s.seats"
    )
    return [
        Finding("", f"{line} {slot}: {free} free and {taken} taken of {seats}")
        for slot, seats, free, taken in rows
    ]


def _late(db: sqlite3.Connection, line: str) -> list[Finding]:
    """Confirmed after the end: the journal says in which order."""
    rows = db.execute(
        "SELECT DISTINCT b.wish, c.hold_id, o.event FROM journal c"
        " JOIN journal o ON o.hold_id = c.hold_id AND o.seq < c.seq JOIN booking b ON b.hold_id = c.hold_id"
        " WHERE c.event = 'confirmed' AND o.event IN ('released', 'lapsed', 'refused')"
    )
    return [Finding(wish, f"{line}: hold {hold} was confirmed after {event}") for wish, hold, event in rows]
