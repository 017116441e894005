"""A line of the chaos run: seats per slot, bookings, and a journal that is only ever appended to.

It is written as somebody would who trusts the fence: nothing here looks for duplicates. Serve one with
`python -m guanjia.demo.chaos.line PORT` and the environment of `environment`.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from guanjia.demo.chaos.trades import SEATS, by_slug
from guanjia.lines.sdk import Held, HoldRecord, HoldRequest, Line, Money, Refused

TABLES = """
    CREATE TABLE IF NOT EXISTS slot (
        code TEXT PRIMARY KEY, seats INTEGER NOT NULL, free INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS booking (
        id INTEGER PRIMARY KEY, hold_id TEXT NOT NULL, slot TEXT NOT NULL, wish TEXT NOT NULL,
        package TEXT NOT NULL, item INTEGER NOT NULL, size INTEGER NOT NULL, state TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS booking_hold ON booking (hold_id);
    CREATE TABLE IF NOT EXISTS journal (
        seq INTEGER PRIMARY KEY, at REAL NOT NULL, hold_id TEXT NOT NULL, event TEXT NOT NULL);
    CREATE TRIGGER IF NOT EXISTS journal_stays BEFORE UPDATE ON journal
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
    CREATE TRIGGER IF NOT EXISTS journal_is_kept BEFORE DELETE ON journal
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
"""
PARAMS = {
    "type": "object",
    "properties": {
        "slot": {"type": "string", "maxLength": 20},
        "wish": {"type": "string", "maxLength": 40},
        "size": {"type": "integer", "minimum": 1},
    },
    "required": ["slot", "wish", "size"],
    "additionalProperties": False,
}
SERVICE = "seat"


@dataclass(frozen=True, slots=True)
class LineSetting:
    """What a line's process must know. `callback` is Guanjia's address for decisions."""

    slug: str
    database: Path
    secret: str
    callback: str
    slots: int
    fenced: bool

    def environment(self) -> dict[str, str]:
        return {f"CHAOS_{name.upper()}": str(value) for name, value in asdict(self).items()}

    @classmethod
    def from_environment(cls) -> LineSetting:
        given = {name: os.environ[f"CHAOS_{name.upper()}"] for name in cls.__slots__}
        slug, database, secret, callback, slots, fenced = (given[name] for name in cls.__slots__)
        return cls(slug, Path(database), secret, callback, int(slots), fenced == "True")


def open_line(setting: LineSetting) -> Line:
    """The line over its database, whoever opens it: its own process, or the clerk who decides."""
    trade = by_slug(setting.slug)
    line = Line(
        trade.slug,
        titles=trade.titles,
        database=setting.database,
        secret=setting.secret,
        callback=setting.callback,
        tables=TABLES + _stock(setting.slots),
        unsafe_without_fence=not setting.fenced,
    )
    seat = line.service(
        SERVICE,
        titles={"zh-Hans": "席位", "en": "Seat"},
        schema=PARAMS,
        hold_ttl_seconds=trade.hold_ttl_seconds,
        price=Money(trade.price, "CNY") if trade.price else None,
        decision=trade.decision,
    )
    seat.hold(hold)
    seat.confirm(confirm)
    seat.release(release)
    return line


def _stock(slots: int) -> str:
    values = ", ".join(f"('{slot_code(number)}', {SEATS}, {SEATS})" for number in range(slots))
    return f"INSERT OR IGNORE INTO slot VALUES {values};"  # noqa: S608 - numbers of our own


def slot_code(number: int) -> str:
    return f"s{number:03}"


def hold(db: sqlite3.Connection, request: HoldRequest) -> Held | Refused:
    slot = str(request.params["slot"])
    if not db.execute("UPDATE slot SET free = free - 1 WHERE code = ? AND free > 0", (slot,)).rowcount:
        return Refused("sold_out", {"zh-Hans": f"{slot} 已订满", "en": f"{slot} is sold out"})
    params, hold_id = request.params, str(request.hold_id)
    about = (hold_id, slot, params["wish"], request.package_number, request.item, params["size"])
    db.execute(
        "INSERT INTO booking (hold_id, slot, wish, package, item, size, state)"
        " VALUES (?, ?, ?, ?, ?, ?, 'held')",
        about,
    )
    _note(db, hold_id, "held")
    return Held()


def confirm(db: sqlite3.Connection, record: HoldRecord) -> None:
    _end(db, record, "confirmed")


def release(db: sqlite3.Connection, record: HoldRecord) -> None:
    """Released by Guanjia, refused by a person, or lapsed: the record says which."""
    _end(db, record, record.state.value)
    assert record.request is not None
    db.execute("UPDATE slot SET free = free + 1 WHERE code = ?", (record.request.params["slot"],))


def _end(db: sqlite3.Connection, record: HoldRecord, state: str) -> None:
    db.execute("UPDATE booking SET state = ? WHERE hold_id = ?", (state, str(record.hold_id)))
    _note(db, str(record.hold_id), state)


def _note(db: sqlite3.Connection, hold_id: str, event: str) -> None:
    db.execute("INSERT INTO journal (at, hold_id, event) VALUES (?, ?, ?)", (time.time(), hold_id, event))


async def serve(port: int) -> None:
    from granian.constants import Interfaces
    from granian.server.embed import Server

    app = open_line(LineSetting.from_environment()).asgi()
    await Server(app, address="127.0.0.1", port=port, interface=Interfaces.ASGI, log_enabled=False).serve()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
