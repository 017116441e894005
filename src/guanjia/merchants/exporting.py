"""Writing merchants out, as a file that an import takes back without a change."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import connection, transaction
from psycopg.sql import SQL, Composable, Identifier, Literal

from guanjia.merchants.importing.mapping import FACT
from guanjia.merchants.queries import fact_keys
from guanjia.merchants.rules import guard

BATCH = 2000  # rows per round trip


class Format(StrEnum):
    CSV = "csv"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Export:
    """Column names, and rows that come from the server as they are asked for."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]

    def lines(self, format_: Format) -> Iterator[str]:
        """The file in pieces, each ending with a line end."""
        return _csv(self.columns, self.rows) if format_ is Format.CSV else _json(self.columns, self.rows)


def merchants_export() -> Export:
    """`ref`, `name`, `home_pool` and every defined fact, in the order of registration."""
    keys = fact_keys()
    facts: list[Composable] = [
        SQL("m.facts ->> {} AS {}").format(Literal(key), Identifier(f"{FACT}{key}")) for key in keys
    ]
    statement = SQL(
        "SELECT {} FROM merchants_merchant m JOIN people_pool p ON p.id = m.home_pool_id ORDER BY m.id"
    ).format(SQL(", ").join([SQL("m.ref"), SQL("m.name"), SQL("p.code AS home_pool"), *facts]))
    columns = ("ref", "name", "home_pool", *(f"{FACT}{key}" for key in keys))
    return Export(columns, stream(statement))


def stream(statement: Composable) -> Iterator[tuple[Any, ...]]:
    """Rows of one snapshot through a cursor on the server: memory does not grow with their number."""
    with transaction.atomic():
        connection.ensure_connection()
        with connection.connection.cursor(name="export") as cursor:
            cursor.itersize = BATCH
            cursor.execute(statement)
            yield from cursor


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow("" if cell is None else guard(str(cell)) for cell in row)
        if buffer.tell() > 1 << 16:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _json(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """One array, an object per line; what is not known is left out."""
    before = "[\n"
    for row in rows:
        known = {name: cell for name, cell in zip(columns, row, strict=True) if cell is not None}
        yield before + json.dumps(known, ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"
