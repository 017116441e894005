"""What workers know of the lines they call, written down now and then for people to read."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from django.db import DatabaseError, InterfaceError, connection

from guanjia.base.sql import as_json, run
from guanjia.lines.client import LineClient
from guanjia.lines.vitals import Reading

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 5.0

# Several workers may call a line: an older instant never replaces a newer one.
_WRITE = """
INSERT INTO lines_linevital AS v
  (line_id, circuit, retry_at, ok_at, fault_at, fault, calls, p50_ms, p95_ms, seen_at)
SELECT l.id, r.circuit, r.retry_at, r.ok_at, r.fault_at, r.fault, r.calls, r.p50_ms, r.p95_ms, %s
  FROM json_to_recordset(%s::json) AS r(line text, circuit text, retry_at timestamptz, ok_at timestamptz,
    fault_at timestamptz, fault text, calls int, p50_ms int, p95_ms int)
  JOIN lines_line l ON l.slug = r.line ORDER BY l.id
ON CONFLICT (line_id) DO UPDATE SET circuit = excluded.circuit, retry_at = excluded.retry_at,
  ok_at = GREATEST(v.ok_at, excluded.ok_at), calls = excluded.calls,
  fault = CASE WHEN excluded.fault_at >= COALESCE(v.fault_at, excluded.fault_at)
    THEN excluded.fault ELSE v.fault END,
  fault_at = GREATEST(v.fault_at, excluded.fault_at),
  p50_ms = excluded.p50_ms, p95_ms = excluded.p95_ms, seen_at = excluded.seen_at
"""


def write_vitals(readings: Sequence[Reading], now: datetime) -> None:
    """One statement for all lines; nothing where nobody was called."""
    if readings:
        plain = [{name: getattr(one, name) for name in Reading.__slots__} for one in readings]
        run(_WRITE, [now, as_json(plain)])


async def keep_vitals(client: LineClient, stop: asyncio.Event) -> None:
    """Write every few seconds what has changed, until `stop`. A lost database costs one reading."""
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), EVERY_SECONDS)
        if readings := client.readings():
            await asyncio.to_thread(_write, readings)


def _write(readings: Sequence[Reading]) -> None:
    try:
        write_vitals(readings, datetime.now(UTC))
    except (DatabaseError, InterfaceError) as fault:
        log.warning("line health not written: %s", type(fault).__name__)
    finally:
        connection.close()  # this thread may never be used again
