"""Reading a CSV file record by record, each with the line it begins on.

Needed where a file has quotes: a record may then span lines, and PostgreSQL takes a quote inside an
unquoted cell for the beginning of a quoted part, which would join records without a word.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Protocol

from django.utils.translation import gettext as _

from guanjia.merchants.importing.files import TableFile
from guanjia.merchants.importing.findings import BadRow, BadRows

BATCH = 512  # records; more would wake the garbage collector, at the price of half as much again
BREAK = re.compile(r"\r\n|\r|\n")

# Lines and cells, in parallel: a million little tuples would keep the garbage collector busy.
Batch = tuple[Sequence[int], list[list[str]]]


def records(table: TableFile, bad: BadRows) -> Iterator[Batch]:
    """The records below the header that have as many cells as the header, with their lines.

    Blank lines are passed over. A record that cannot be read is added to `bad`; reading goes on with
    the line after it.
    """
    with table.rows_of_text() as text:
        reader = csv.reader(text, strict=True)
        next(reader)
        ended = False
        while not ended:
            line = reader.line_num + 1
            batch, fault = _take(reader)
            ended = not fault and len(batch) < BATCH
            if fault:
                begun = line + sum(map(_lines, batch))
                bad.add([BadRow(begun, _unreadable(fault, begun, reader.line_num))])
            yield _sound(batch, line, reader.line_num, table, bad)


class _Rows(Protocol):
    """What `csv.reader` returns; its own type has no public name."""

    @property
    def line_num(self) -> int: ...
    def __iter__(self) -> Iterator[list[str]]: ...
    def __next__(self) -> list[str]: ...


def _take(reader: _Rows) -> tuple[list[list[str]], str]:
    """Up to BATCH rows, and what was wrong with the row after them. A list keeps what it got so far."""
    batch: list[list[str]] = []
    try:
        batch.extend(islice(reader, BATCH))
    except csv.Error as error:
        return batch, str(error)
    return batch, ""


def _sound(rows: list[list[str]], line: int, last: int, table: TableFile, bad: BadRows) -> Batch:
    width = len(table.header)
    if last - line + 1 == len(rows) and not table.controls and all(len(row) == width for row in rows):
        return range(line, last + 1), rows
    lines, sound = [], []
    for row in rows:
        fault = _fault(row, width)
        if fault:
            bad.add([BadRow(line, fault)])
        elif row:
            lines.append(line)
            sound.append(row)
        line += _lines(row)
    return lines, sound


def _fault(row: list[str], width: int) -> str:
    if row and len(row) != width:
        return _("有 %(got)d 列，表头有 %(width)d 列") % {"got": len(row), "width": width}
    return _("有空字符 (NUL)") if any("\x00" in cell for cell in row) else ""


def _lines(row: list[str]) -> int:
    return 1 + sum(len(BREAK.findall(cell)) for cell in row)


def _unreadable(fault: str, line: int, last: int) -> str:
    if last > line:
        return _("从这一行到第 %(last)d 行读不成一条记录，多半是引号没有成对：%(fault)s") % {
            "last": last,
            "fault": fault,
        }
    return _("这一行读不成一条记录：%(fault)s") % {"fault": fault}


def as_copy(batch: Batch) -> bytes:
    """A batch as CSV for COPY, each line as the last cell; the rows grow by it."""
    for line, row in zip(*batch, strict=True):
        row.append(line)  # type: ignore[arg-type] # the writer takes numbers
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(batch[1])
    return buffer.getvalue().encode()
