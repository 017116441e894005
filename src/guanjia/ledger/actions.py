"""Writing to the event log: an explicit call in the transaction of what it records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from guanjia.base.actors import Actor
from guanjia.base.sql import as_json, run


@dataclass(frozen=True)
class Payload:
    """The content of one kind of event: numbers, codes and states; never a person's words or name."""

    kind: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One event to write. `subject` is `room:number`, for example `package:PK-2026-000017`."""

    at: datetime
    actor: Actor
    subject: str
    payload: Payload
    merchant_id: int | None = None


APPEND = """
INSERT INTO ledger_event (at, kind, actor, merchant_id, subject, payload)
SELECT at, kind, actor, merchant_id, subject, payload FROM json_to_recordset(%(events)s::json)
  AS e(at timestamptz, kind text, actor text, merchant_id bigint, subject text, payload jsonb)
"""
"""`record`, as the last part of a statement that writes what the events tell of."""


def record(entries: Sequence[Entry]) -> None:
    """Append events, in the order given, in one statement."""
    if not entries:
        return
    run(APPEND, {"events": events(entries)})


def events(entries: Sequence[Entry]) -> str:
    """The value of `%(events)s` in APPEND."""
    return as_json([_columns(entry) for entry in entries])


def _columns(entry: Entry) -> dict[str, object]:
    return {
        "at": entry.at,
        "kind": entry.payload.kind,
        "actor": str(entry.actor),
        "merchant_id": entry.merchant_id,
        "subject": entry.subject,
        "payload": entry.payload,
    }
