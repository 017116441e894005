"""Figures that are dear to compute: whoever asks first computes them, everybody sees them with their age.

At most one session computes a name at a time (an advisory lock that ends with its transaction, however
that ends), at most once in `fresh`, and each statement of it has a time limit. Everybody else gets what
was kept before, so a view costs one small read.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, transaction
from psycopg.errors import QueryCanceled

from guanjia.base.sql import as_json, rows, run

log = logging.getLogger("guanjia.figures")

LOCK_SEED = 731
STATEMENT_MOST = timedelta(seconds=8)

_KEPT = "SELECT content, computed_at, tried_at FROM base_figures WHERE name = %s"
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, %s))"
_LIMIT = "SELECT current_setting('statement_timeout'), set_config('statement_timeout', %s, true)"
_LIMIT_BACK = "SELECT set_config('statement_timeout', %s, true)"
_KEEP = (
    "INSERT INTO base_figures (name, content, computed_at, tried_at) VALUES (%s, %s, %s, %s)"
    " ON CONFLICT (name) DO UPDATE SET content = excluded.content, computed_at = excluded.computed_at,"
    " tried_at = excluded.tried_at"
)
_TRIED = (
    "INSERT INTO base_figures (name, tried_at) VALUES (%s, %s)"
    " ON CONFLICT (name) DO UPDATE SET tried_at = excluded.tried_at"
)


@dataclass(frozen=True, slots=True)
class Kept:
    """`content` as JSON gives it back, and the instant for which it was computed."""

    content: Any
    computed_at: datetime


def figures(
    name: str,
    compute: Callable[[], object],
    *,
    now: datetime,
    fresh: timedelta,
    most: timedelta = STATEMENT_MOST,
) -> Kept | None:
    """What is kept under `name`, computed anew where the latest attempt is older than `fresh`.

    `compute` only reads; what it returns must be JSON. None while there is nothing yet: another session
    computes it for the first time, or it took longer than `most` a statement.
    """
    kept, tried_at = _kept(name)
    if tried_at is not None and now - tried_at < fresh:
        return kept
    try:
        with transaction.atomic():
            return _computed(name, compute, now, fresh, most) or kept
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        log.warning("figures %s: not computed within %s a statement", name, most)
        run(_TRIED, [name, now])
        return kept


def _kept(name: str) -> tuple[Kept | None, datetime | None]:
    found = rows(_KEPT, [name])
    if not found:
        return None, None
    [(content, computed_at, tried_at)] = found
    return (Kept(_plain(content), computed_at) if computed_at else None), tried_at


def _plain(content: object) -> object:
    return json.loads(content) if isinstance(content, str) else content


def _computed(
    name: str, compute: Callable[[], object], now: datetime, fresh: timedelta, most: timedelta
) -> Kept | None:
    """None if another session is at it; what another has just done, if it has."""
    if rows(_LOCK, [name, LOCK_SEED]) == [(False,)]:
        return None
    kept, tried_at = _kept(name)
    if tried_at is not None and now - tried_at < fresh:
        return kept
    [(before, _now)] = rows(_LIMIT, [f"{int(most.total_seconds() * 1000)}ms"])
    content = as_json(compute())
    rows(_LIMIT_BACK, [before])
    run(_KEEP, [name, content, now, now])
    return Kept(json.loads(content), now)
