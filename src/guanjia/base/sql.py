"""Set-based statements for the paths where one ORM call per row is too slow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection


def rows(statement: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def run(statement: str, params: Sequence[Any] = ()) -> int:
    """Execute and return the number of rows touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        touched: int = cursor.rowcount
        return touched


def numbers(sequence: str, count: int) -> list[int]:
    """The next `count` values of a sequence. Gaps are normal: a rollback does not give back."""
    found = rows("SELECT nextval(%s) FROM generate_series(1, %s)", [sequence, count])
    return [value for (value,) in found]
