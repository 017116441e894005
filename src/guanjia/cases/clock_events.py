"""Events of clocks, of calendars and of promises."""

from dataclasses import dataclass
from typing import ClassVar

from guanjia.ledger.actions import Payload


@dataclass(frozen=True)
class ClockWarned(Payload):
    """Most of the promised time has passed. `line` is the slug of the line that has to answer."""

    kind: ClassVar[str] = "cases.clock_warned"
    case: str
    clock: int
    clock_kind: str
    owner: int
    line: str | None
    due_at: str


@dataclass(frozen=True)
class ClockBreached(Payload):
    """The promised time is over, and what it was promised for has not happened."""

    kind: ClassVar[str] = "cases.clock_breached"
    case: str
    clock: int
    clock_kind: str
    owner: int
    line: str | None
    due_at: str


@dataclass(frozen=True)
class CalendarChanged(Payload):
    """A calendar has another version, in force from `since` on."""

    kind: ClassVar[str] = "cases.calendar_changed"
    calendar: str
    version: int
    since: str


@dataclass(frozen=True)
class PromisesChanged(Payload):
    """The table of promises has another version, in force from `since` on."""

    kind: ClassVar[str] = "cases.promises_changed"
    version: int
    since: str


@dataclass(frozen=True)
class ClocksRecounted(Payload):
    """Deadlines have followed the newest versions of their calendars; how many of them moved."""

    kind: ClassVar[str] = "cases.clocks_recounted"
    moved: int
