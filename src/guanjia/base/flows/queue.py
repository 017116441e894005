"""The queue of flows in SQL: wake, claim, put back, and free what the dead have left.

While a flow is claimed its `due_at` is NEVER, so that a wake-up in the meantime shows: it is earlier.
Without that a settle that read its rows before a person's act, and puts back after it, would
overwrite that act's wake-up.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

from guanjia.base.sql import rows, run

CHANNEL = "guanjia_flow"
"""What is announced is the flow's name: only those who work on such flows wake up."""
LEASE = timedelta(seconds=90)
"""The last resort against a worker that hangs but lives; the dead are found by their lock."""
LOCK_CLASS = 0x6A71
"""First key of the advisory locks by which workers show that they live."""
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""The due time of a claimed flow that nobody has woken since."""


# What is freed is due at once: nobody knows how far its last holder came.
_FREE = """
UPDATE base_flow SET due_at = LEAST(due_at, %(now)s), lease = NULL, lease_until = NULL
WHERE (name, key) IN (SELECT name, key FROM base_flow WHERE {which} FOR UPDATE SKIP LOCKED)
"""
_FREE_UNKNOWN = _FREE.format(which="name = %(name)s AND lease = %(lease)s AND key <> ALL(%(keys)s)")
FREE_THE_DEAD = _FREE.format(
    which=f"""lease IS NOT NULL AND (lease_until < %(now)s OR lease NOT IN (
  SELECT objid::bigint FROM pg_locks
  WHERE locktype = 'advisory' AND classid = {LOCK_CLASS} AND objsubid = 2 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())))""",  # noqa: S608 - our own text
)
"""SQL that frees the flows of workers that no longer hold their lock, or whose lease ran out.

A worker holds `pg_advisory_lock(LOCK_CLASS, lease)` on a session of its own; the server drops it when the
session ends, however the worker died.
"""


def wake(name: str, keys: Collection[int], at: datetime, now: datetime) -> None:
    """Have the flow looked at, at the latest at `at`; call it in the transaction of the change.

    A flow that is being worked on is looked at once more after that.
    """
    run(
        "INSERT INTO base_flow (name, key, due_at) SELECT %s, unnest(%s::bigint[]), %s"
        " ON CONFLICT (name, key) DO UPDATE SET due_at = LEAST(base_flow.due_at, excluded.due_at)",
        [name, sorted(set(keys)), at],
    )
    if at <= now:
        run("SELECT pg_notify(%s, %s)", [CHANNEL, name])


def claim(name: str, lease: int, most: int, now: datetime) -> list[int]:
    """Take up to `most` due flows for this lease, the longest overdue first."""
    found = rows(
        "UPDATE base_flow f SET lease = %s, lease_until = %s, due_at = %s FROM ("
        "  SELECT name, key FROM base_flow"
        "  WHERE name = %s AND due_at <= %s AND lease IS NULL"
        "  ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED) due"
        " WHERE f.name = due.name AND f.key = due.key RETURNING f.key",
        [lease, now + LEASE, NEVER, name, now, most],
    )
    return [key for (key,) in found]


def put_back(name: str, lease: int, wake_at: Mapping[int, datetime | None]) -> None:
    """Give claimed flows back with their next time, or end them (None); a later wake-up wins.

    Only our own: a flow whose lease was lost meanwhile is looked after by somebody else.
    """
    ended = [key for key, at in wake_at.items() if at is None]
    waiting = {key: at for key, at in wake_at.items() if at is not None}
    if ended:
        gone = run(
            "DELETE FROM base_flow WHERE name = %s AND lease = %s AND key = ANY(%s) AND due_at = %s",
            [name, lease, ended, NEVER],
        )
        if gone < len(ended):  # the rest was woken, or is not ours any more
            waiting |= dict.fromkeys(ended, NEVER)
    if waiting:
        run(
            "UPDATE base_flow f SET due_at = LEAST(f.due_at, t.at), lease = NULL, lease_until = NULL"
            " FROM unnest(%s::bigint[], %s::timestamptz[]) t(key, at)"
            " WHERE f.name = %s AND f.lease = %s AND f.key = t.key",
            [list(waiting), list(waiting.values()), name, lease],
        )


def keep(name: str, lease: int, keys: Collection[int], now: datetime) -> None:
    """Prolong the lease of what we still work on, and free what we hold but do not know of.

    The second happens when a claim committed but its answer was lost with the connection. A row that
    is locked is being put back right now: it is left alone, since waiting for it could be a deadlock.
    """
    run(
        "UPDATE base_flow SET lease_until = %s WHERE (name, key) IN ("
        " SELECT name, key FROM base_flow WHERE name = %s AND lease = %s AND key = ANY(%s)"
        " FOR UPDATE SKIP LOCKED)",
        [now + LEASE, name, lease, list(keys)],
    )
    run(_FREE_UNKNOWN, {"now": now, "name": name, "lease": lease, "keys": list(keys)})
