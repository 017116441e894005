from dataclasses import dataclass
from typing import ClassVar

from guanjia.ledger.actions import Payload


@dataclass(frozen=True)
class CaseOpened(Payload):
    kind: ClassVar[str] = "cases.opened"
    case: str
    owner: str
    first_contact: int
    due_at: str


@dataclass(frozen=True)
class MessageSent(Payload):
    kind: ClassVar[str] = "cases.message_sent"
    case: str
    message: int
    internal: bool


@dataclass(frozen=True)
class TaskOpened(Payload):
    kind: ClassVar[str] = "cases.task_opened"
    case: str
    task_kind: str
    assignee: int
    item: str | None


@dataclass(frozen=True)
class TaskDone(Payload):
    kind: ClassVar[str] = "cases.task_done"
    case: str
    task_kind: str
    item: str | None


@dataclass(frozen=True)
class CaseSolved(Payload):
    kind: ClassVar[str] = "cases.solved"
    case: str


@dataclass(frozen=True)
class CaseReopened(Payload):
    kind: ClassVar[str] = "cases.reopened"
    case: str


@dataclass(frozen=True)
class WaitBegun(Payload):
    """The case waits for its merchant from now until `due_at`."""

    kind: ClassVar[str] = "cases.wait_begun"
    case: str
    due_at: str


@dataclass(frozen=True)
class WaitEnded(Payload):
    kind: ClassVar[str] = "cases.wait_ended"
    case: str


@dataclass(frozen=True)
class ViewSaved(Payload):
    """A list that somebody made for themselves or a team; its name and words stay out of the log."""

    kind: ClassVar[str] = "cases.view_saved"
    view: int
    base: str
    team: int | None


@dataclass(frozen=True)
class ViewRenamed(Payload):
    kind: ClassVar[str] = "cases.view_renamed"
    view: int


@dataclass(frozen=True)
class ViewDeleted(Payload):
    kind: ClassVar[str] = "cases.view_deleted"
    view: int
