"""Events of the work around a case: tasks, checklists, plans, hand-overs and promises."""

from dataclasses import dataclass
from typing import ClassVar

from guanjia.ledger.actions import Payload


@dataclass(frozen=True)
class TaskAsked(Payload):
    """Somebody has asked for work: of the assignee, or (`of`, as `line:4`) of anybody there."""

    kind: ClassVar[str] = "cases.task_asked"
    case: str
    task: int
    assignee: int
    of: str | None
    due_at: str
    holds: bool
    waits: bool


@dataclass(frozen=True)
class TaskGiven(Payload):
    """A task has another assignee."""

    kind: ClassVar[str] = "cases.task_given"
    case: str
    task: int
    assignee: int
    of: str | None


@dataclass(frozen=True)
class TaskHolds(Payload):
    """From now on the task holds the case open, or does not."""

    kind: ClassVar[str] = "cases.task_holds"
    case: str
    task: int
    holds: bool


@dataclass(frozen=True)
class TaskEnded(Payload):
    """`outcome` is done or dropped; `freed` are the tasks that waited for it alone."""

    kind: ClassVar[str] = "cases.task_ended"
    case: str
    task: int
    outcome: str
    assignee: int
    freed: list[int]


@dataclass(frozen=True)
class TaskFreed(Payload):
    """What it waited for has ended: its clock starts."""

    kind: ClassVar[str] = "cases.task_freed"
    case: str
    task: int
    assignee: int
    of: str | None
    due_at: str


@dataclass(frozen=True)
class TaskSaid(Payload):
    """A word about a task; `asks`: a question back from who does it."""

    kind: ClassVar[str] = "cases.task_said"
    case: str
    task: int
    word: int
    asks: bool
    asked_by: int | None
    assignee: int


@dataclass(frozen=True)
class TaskOverdue(Payload):
    """A task is not done in time: `to` answers for the case, or for whoever does."""

    kind: ClassVar[str] = "cases.task_overdue"
    case: str
    task: int
    assignee: int
    to: int


@dataclass(frozen=True)
class ChecklistAdded(Payload):
    kind: ClassVar[str] = "cases.checklist_added"
    case: str
    lines: int


@dataclass(frozen=True)
class ChecklistTicked(Payload):
    kind: ClassVar[str] = "cases.checklist_ticked"
    case: str
    line: int
    ticked: bool


@dataclass(frozen=True)
class ChecklistCut(Payload):
    kind: ClassVar[str] = "cases.checklist_cut"
    case: str
    line: int


@dataclass(frozen=True)
class PlanSaved(Payload):
    kind: ClassVar[str] = "cases.plan_saved"
    plan: int
    version: int
    steps: int


@dataclass(frozen=True)
class PlanRetired(Payload):
    """A plan is offered no more, or again."""

    kind: ClassVar[str] = "cases.plan_retired"
    plan: int
    retired: bool


@dataclass(frozen=True)
class PlanApplied(Payload):
    kind: ClassVar[str] = "cases.plan_applied"
    case: str
    plan: int
    version: int
    tasks: int


@dataclass(frozen=True)
class HandedOver(Payload):
    """The case has another owner, as `person:4`; the receiver may decline until `answer_by`."""

    kind: ClassVar[str] = "cases.handed_over"
    case: str
    handover: int
    giver: str
    receiver: str
    answerable: int
    answer_by: str


@dataclass(frozen=True)
class HandoverAnswered(Payload):
    """`outcome` is accepted, declined or pulled_back; the owner is then `owner`."""

    kind: ClassVar[str] = "cases.handover_answered"
    case: str
    handover: int
    outcome: str
    owner: str
    answerable: int
    by: int


@dataclass(frozen=True)
class Promised(Payload):
    kind: ClassVar[str] = "cases.promised"
    case: str
    follow_up: int
    by: int
    due_at: str


@dataclass(frozen=True)
class PromiseEnded(Payload):
    """Kept, or taken back."""

    kind: ClassVar[str] = "cases.promise_ended"
    case: str
    follow_up: int
    kept: bool
    late: bool


@dataclass(frozen=True)
class StoodIn(Payload):
    """The author of this message stood in for `absent`, whose case it is."""

    kind: ClassVar[str] = "cases.stood_in"
    case: str
    message: int
    absent: int
