"""The event log as it was published: one row an event, oldest first within an incident.

Source: UCI data set 498, "Incident management process enriched event log" (CC BY 4.0). Dates are
`D/M/YYYY HH:MM` without a zone, taken as UTC; `?` means unknown.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import IO

UNKNOWN = "?"
DATES = "%d/%m/%Y %H:%M"
COLUMNS = (
    "number",
    "incident_state",
    "reassignment_count",
    "reopen_count",
    "made_sla",
    "caller_id",
    "opened_at",
    "sys_updated_at",
    "priority",
    "assignment_group",
    "assigned_to",
    "resolved_at",
    "closed_at",
)
ROWS_MOST = 5_000_000


class BadLog(ValueError):  # noqa: N818 - what is bad is the file
    """The file cannot be played; the text names the row."""


class Stage(StrEnum):
    """What a state of the log is here. Nobody knows what the log means by "-100": nothing is changed."""

    OPEN = "open"
    WAITING_USER = "waiting_user"
    WAITING_OTHERS = "waiting_others"
    RESOLVED = "resolved"
    CLOSED = "closed"
    UNCHANGED = "unchanged"


STAGES: Mapping[str, Stage] = {
    "New": Stage.OPEN,
    "Active": Stage.OPEN,
    "Awaiting User Info": Stage.WAITING_USER,
    "Awaiting Vendor": Stage.WAITING_OTHERS,
    "Awaiting Problem": Stage.WAITING_OTHERS,
    "Awaiting Evidence": Stage.WAITING_OTHERS,
    "Resolved": Stage.RESOLVED,
    "Closed": Stage.CLOSED,
    "-100": Stage.UNCHANGED,
}


@dataclass(frozen=True, slots=True)
class Event:
    """A row: how the incident stood at `at`. `group` and `person` are empty where the log has none;
    `priority` counts from 1, the most urgent."""

    at: datetime
    state: str
    stage: Stage
    group: str
    person: str
    reassigned: int
    reopened: int
    priority: int


@dataclass(frozen=True, slots=True)
class Incident:
    """`made_sla` is the log's own last word on whether the promise was kept."""

    number: str
    caller: str
    opened_at: datetime
    closed_at: datetime | None
    made_sla: bool
    events: tuple[Event, ...]


def read_incidents(path: Path) -> list[Incident]:
    """All incidents, in the order of their first rows. Raises BadLog, OSError."""
    rows: dict[str, list[tuple[int, dict[str, str]]]] = {}
    for line, row in _rows(path):
        rows.setdefault(row["number"], []).append((line, row))
    return [_incident(number, found) for number, found in rows.items()]


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    with _text(path) as stream:
        reader = csv.DictReader(stream)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise BadLog(f"no column {', '.join(missing)}: expected the 18-column log of UCI data set 498")
        for line, row in enumerate(reader, start=2):
            if line > ROWS_MOST:
                raise BadLog(f"more than {ROWS_MOST:,} rows")
            yield line, row


def _text(path: Path) -> IO[str]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rt", encoding="utf-8") if packed else path.open(encoding="utf-8", newline="")


def _incident(number: str, rows: list[tuple[int, dict[str, str]]]) -> Incident:
    events = [_event(line, row) for line, row in rows]
    line, last = rows[-1]
    return Incident(
        number=number,
        caller=_known(last["caller_id"]),
        opened_at=_date(line, "opened_at", last["opened_at"]),
        closed_at=_date(line, "closed_at", last["closed_at"]) if _known(last["closed_at"]) else None,
        made_sla=last["made_sla"].lower() == "true",
        events=tuple(_in_order(events)),
    )


def _in_order(events: list[Event]) -> list[Event]:
    """In one incident of the log a row is stamped before the one above it: it counts as at the same time."""
    found: list[Event] = []
    for event in events:
        at = max(event.at, found[-1].at) if found else event.at
        found.append(Event(at, *(getattr(event, name) for name in Event.__slots__[1:])))
    return found


def _event(line: int, row: dict[str, str]) -> Event:
    state = row["incident_state"]
    if state not in STAGES:
        raise BadLog(f"row {line}: no state {state!r} is known")
    return Event(
        at=_date(line, "sys_updated_at", row["sys_updated_at"]),
        state=state,
        stage=STAGES[state],
        group=_known(row["assignment_group"]),
        person=_known(row["assigned_to"]),
        reassigned=_number(line, "reassignment_count", row["reassignment_count"]),
        reopened=_number(line, "reopen_count", row["reopen_count"]),
        priority=_number(line, "priority", row["priority"][:1]),
    )


def _known(text: str) -> str:
    return "" if text == UNKNOWN else text


def _date(line: int, column: str, text: str) -> datetime:
    try:
        return datetime.strptime(text, DATES).replace(tzinfo=UTC)
    except ValueError:
        raise BadLog(f"row {line}: {column} {text!r} is not a date like 29/2/2016 01:16") from None


def _number(line: int, column: str, text: str) -> int:
    if not text.isdecimal():
        raise BadLog(f"row {line}: {column} {text!r} is not a number")
    return int(text)
