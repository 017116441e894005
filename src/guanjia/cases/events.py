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
