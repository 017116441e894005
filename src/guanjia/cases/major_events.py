"""What the log keeps of major cases."""

from dataclasses import dataclass
from typing import ClassVar

from guanjia.ledger.actions import Payload


@dataclass(frozen=True)
class MajorOpened(Payload):
    kind: ClassVar[str] = "cases.major_opened"
    major: str
    recipients: int
    due_at: str


@dataclass(frozen=True)
class MajorMoved(Payload):
    """Telling the recipients was stopped, goes on, or is done; or the children are being solved, or are."""

    kind: ClassVar[str] = "cases.major_moved"
    major: str
    before: str
    after: str


@dataclass(frozen=True)
class MajorUpdated(Payload):
    """The n-th update; its words stay out of the log."""

    kind: ClassVar[str] = "cases.major_updated"
    major: str
    n: int


@dataclass(frozen=True)
class ChildKept(Payload):
    """Solving the major case leaves this one of its children alone, or (`kept` off) no longer does."""

    kind: ClassVar[str] = "cases.child_kept"
    case: str
    kept: bool
