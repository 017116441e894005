"""Writing to the event log: an explicit call in the transaction of what it records."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import ClassVar

from guanjia.base.actors import Actor
from guanjia.base.sql import run


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


def record(entries: Sequence[Entry]) -> None:
    """Append events, in the order given, in one statement."""
    if not entries:
        return
    run(
        "INSERT INTO ledger_event (at, kind, actor, merchant_id, subject, payload)"
        " SELECT * FROM unnest(%s::timestamptz[], %s::text[], %s::text[], %s::bigint[], %s::text[],"
        " %s::text[]::jsonb[])",
        [
            [entry.at for entry in entries],
            [entry.payload.kind for entry in entries],
            [str(entry.actor) for entry in entries],
            [entry.merchant_id for entry in entries],
            [entry.subject for entry in entries],
            [json.dumps(asdict(entry.payload), default=str) for entry in entries],
        ],
    )
