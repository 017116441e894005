"""The log of runs is kept for a while, and then it goes; what "once per case" goes by stays."""

from __future__ import annotations

from datetime import datetime, timedelta

from guanjia.base.sql import run

KEPT = timedelta(days=90)
AT_ONCE = 500


def clear_old_runs(now: datetime) -> bool:
    """Delete some runs that are over and older than KEPT; whether there may be more."""
    old = (
        "SELECT id FROM routines_run WHERE started_at < %s AND ended_at IS NOT NULL"
        " ORDER BY started_at LIMIT %s"
    )
    params = [now - KEPT, AT_ONCE]
    run(f"DELETE FROM routines_outcome WHERE run_id IN ({old})", params)  # noqa: S608 - our own text
    return run(f"DELETE FROM routines_run WHERE id IN ({old})", params) == AT_ONCE  # noqa: S608
