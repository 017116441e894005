"""Set-based statements for the paths where one ORM call per row is too slow."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection


def rows(statement: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def prepared(statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """`rows` for a statement that is asked all day: each connection has it parsed and planned once.

    Its values travel beside the statement and not in it, so it must say their types where PostgreSQL cannot
    tell them (`%(at)s::timestamptz`).
    """
    connection.ensure_connection()
    assert connection.connection is not None
    with connection.wrap_database_errors:
        raw = psycopg.Cursor(connection.connection)
    # Django's own wrapper, with what counts and logs statements.
    with connection._prepare_cursor(raw) as cursor:  # type: ignore[attr-defined]
        cursor.execute(statement, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def run(statement: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> int:
    """Execute and return the number of rows touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        touched: int = cursor.rowcount
        return touched


def as_json(value: object) -> str:
    """A set of rows as one parameter, for `json_to_recordset`: far cheaper than one array a column."""
    return json.dumps(value, default=_plain, ensure_ascii=False)


def _plain(value: object) -> object:
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.isoformat()
    return vars(value) if is_dataclass(value) else str(value)


def numbers(sequence: str, count: int) -> list[int]:
    """The next `count` values of a sequence. Gaps are normal: a rollback does not give back."""
    found = rows("SELECT nextval(%s) FROM generate_series(1, %s)", [sequence, count])
    return [value for (value,) in found]
