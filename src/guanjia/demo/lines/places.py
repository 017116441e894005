"""Places to sell, the same for every demo line: so many of a kind, taken by bookings.

The business tables are the line's own; the fence keeps its record in the same transaction.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

from guanjia.lines.protocol.fence import HoldRecord
from guanjia.lines.protocol.messages import HoldRequest
from guanjia.lines.sdk import DecisionRule, Held, Line, Money, Refused
from guanjia.lines.sdk.line import Service

KeyOf = Callable[[Mapping[str, object]], str]


def open_line(slug: str, titles: Mapping[str, str], capacity: Mapping[str, int]) -> Line:
    """A line over the database and with the secret that its process was given."""
    stock = ", ".join(f"('{key}', {free})" for key, free in capacity.items())
    return Line(
        slug,
        titles=dict(titles),
        database=Path(os.environ["LINE_DATABASE"]),
        secret=os.environ["LINE_SECRET"],
        callback=os.environ.get("LINE_CALLBACK"),
        tables=f"""
            CREATE TABLE IF NOT EXISTS place (key TEXT PRIMARY KEY, free INTEGER NOT NULL CHECK (free >= 0));
            CREATE TABLE IF NOT EXISTS booking (
                hold_id TEXT PRIMARY KEY, key TEXT NOT NULL, quantity INTEGER NOT NULL,
                merchant TEXT NOT NULL, package TEXT NOT NULL, state TEXT NOT NULL);
            INSERT OR IGNORE INTO place VALUES {stock};
        """,  # noqa: S608 - the stock is written in this package, not given from outside
    )


def sell(
    line: Line,
    code: str,
    *,
    titles: Mapping[str, str],
    properties: Mapping[str, object],
    key: KeyOf,
    price: Callable[[Mapping[str, object]], Money] | None = None,
    list_price: Money | None = None,
    decision: DecisionRule | None = None,
) -> Service:
    """A service that books `quantity` (a parameter, 1 without it) of the place that `key` names."""
    schema = {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
    rule = {"decision": decision} if decision else {}
    service = line.service(
        code, titles=dict(titles), schema=schema, hold_ttl_seconds=900, price=list_price, **rule
    )

    @service.hold
    def hold(db: sqlite3.Connection, request: HoldRequest) -> Held | Refused:
        place, quantity = key(request.params), _quantity(request)
        taken = db.execute(
            "UPDATE place SET free = free - ? WHERE key = ? AND free >= ?", (quantity, place, quantity)
        )
        if not taken.rowcount:
            return Refused("sold_out", {"zh-Hans": f"{place} 已订满", "en": f"{place} is fully booked"})
        db.execute(
            "INSERT INTO booking VALUES (?, ?, ?, ?, ?, 'held')",
            (str(request.hold_id), place, quantity, request.merchant_ref, request.package_number),
        )
        return Held(quote=price(request.params) if price else None, reference=f"{code}-{place}")

    @service.confirm
    def confirm(db: sqlite3.Connection, record: HoldRecord) -> None:
        db.execute("UPDATE booking SET state = 'confirmed' WHERE hold_id = ?", (str(record.hold_id),))

    @service.release
    def release(db: sqlite3.Connection, record: HoldRecord) -> None:
        found = db.execute(
            "DELETE FROM booking WHERE hold_id = ? RETURNING key, quantity", (str(record.hold_id),)
        ).fetchone()
        if found:
            db.execute("UPDATE place SET free = free + ? WHERE key = ?", (found[1], found[0]))

    return service


def _quantity(request: HoldRequest) -> int:
    quantity = request.params.get("quantity", 1)
    assert isinstance(quantity, int)  # the schema has been checked
    return quantity


def day(titles: Mapping[str, str] | None = None) -> dict[str, object]:
    """The schema of a day."""
    return {
        "type": "string",
        "format": "date",
        "x-titles": titles or {"zh-Hans": "日期", "en": "Day"},
    }


def choice(options: list[str], zh: str, en: str) -> dict[str, object]:
    """The schema of one of several options."""
    return {"type": "string", "enum": options, "x-titles": {"zh-Hans": zh, "en": en}}


def number(most: int, zh: str, en: str) -> dict[str, object]:
    """The schema of a count from 1."""
    return {"type": "integer", "minimum": 1, "maximum": most, "x-titles": {"zh-Hans": zh, "en": en}}


def known(fact: str, zh: str, en: str) -> dict[str, object]:
    """The schema of a text that the marketplace already knows about the merchant."""
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": 80,
        "x-fact": fact,
        "x-titles": {"zh-Hans": zh, "en": en},
    }
