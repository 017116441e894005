"""The queue of flows in SQL: wake, claim, put back, and free what the dead have left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from guanjia.base.sql import rows, run

CHANNEL = "guanjia_flow"
LEASE = timedelta(seconds=90)
"""The last resort against a worker that hangs but lives; the dead are found by their lock."""
LOCK_CLASS = 0x6A71
"""First key of the advisory locks by which workers show that they live."""


def wake(name: str, keys: Sequence[int], at: datetime, now: datetime) -> None:
    """Have the flow looked at, at the latest at `at`; call it in the transaction of the change."""
    run(
        "INSERT INTO base_flow (name, key, due_at) SELECT %s, unnest(%s::bigint[]), %s"
        " ON CONFLICT (name, key) DO UPDATE SET due_at = LEAST(base_flow.due_at, excluded.due_at)",
        [name, sorted(keys), at],
    )
    if at <= now:
        run("SELECT pg_notify(%s, '')", [CHANNEL])


def claim(name: str, lease: int, most: int, now: datetime) -> list[int]:
    """Take up to `most` due flows for this lease, the longest overdue first."""
    found = rows(
        "UPDATE base_flow f SET lease = %s, lease_until = %s FROM ("
        "  SELECT name, key FROM base_flow"
        "  WHERE name = %s AND due_at <= %s AND lease IS NULL"
        "  ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED) due"
        " WHERE f.name = due.name AND f.key = due.key RETURNING f.key",
        [lease, now + LEASE, name, now, most],
    )
    return [key for (key,) in found]


def put_back(name: str, lease: int, wake_at: Mapping[int, datetime | None]) -> None:
    """Give claimed flows back with their next time, or end them (None).

    Only our own: a flow whose lease was lost meanwhile is looked after by somebody else.
    """
    ended = [key for key, at in wake_at.items() if at is None]
    waiting = {key: at for key, at in wake_at.items() if at is not None}
    if ended:
        run(
            "DELETE FROM base_flow WHERE name = %s AND lease = %s AND key = ANY(%s)",
            [name, lease, ended],
        )
    if waiting:
        run(
            "UPDATE base_flow f SET due_at = t.at, lease = NULL, lease_until = NULL"
            " FROM unnest(%s::bigint[], %s::timestamptz[]) t(key, at)"
            " WHERE f.name = %s AND f.lease = %s AND f.key = t.key",
            [list(waiting), list(waiting.values()), name, lease],
        )


def keep(name: str, lease: int, keys: Sequence[int], now: datetime) -> None:
    """Prolong the lease of what we still work on, and free what we hold but do not know of.

    The second happens when a claim committed but its answer was lost with the connection.
    """
    run(
        "UPDATE base_flow SET lease_until = %s WHERE name = %s AND lease = %s AND key = ANY(%s)",
        [now + LEASE, name, lease, list(keys)],
    )
    run(
        "UPDATE base_flow SET lease = NULL, lease_until = NULL"
        " WHERE name = %s AND lease = %s AND key <> ALL(%s)",
        [name, lease, list(keys)],
    )


def free_the_dead(now: datetime) -> int:
    """Free the flows of workers that no longer hold their lock, or whose lease ran out.

    A worker holds `pg_advisory_lock(LOCK_CLASS, lease)` on a session of its own; the server drops it
    when the session ends, however the worker died. Returns the number of flows freed.
    """
    return run(
        "UPDATE base_flow SET lease = NULL, lease_until = NULL WHERE lease IS NOT NULL AND ("
        " lease_until < %s OR lease NOT IN (SELECT objid::bigint FROM pg_locks WHERE"
        " locktype = 'advisory' AND classid = %s AND objsubid = 2 AND granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())))",
        [now, LOCK_CLASS],
    )
