"""What the log says without being read."""

from __future__ import annotations

from guanjia.base.sql import rows

RECENT = 20


def pulse_of(merchant: int) -> str:
    """A short text that differs as soon as the log says anything new about this merchant.

    The newest id alone would miss an event whose transaction took its id earlier and committed later, so
    the sum of the RECENT newest goes with it. One index-only scan (`event_by_merchant`).
    """
    statement = (
        "SELECT coalesce(max(id), 0), coalesce(sum(id), 0) FROM"
        " (SELECT id FROM ledger_event WHERE merchant_id = %s ORDER BY id DESC LIMIT %s) newest"
    )
    [(newest, total)] = rows(statement, [merchant, RECENT])
    return f"{newest}.{total}"
