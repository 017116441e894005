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


@dataclass(frozen=True)
class PrioritySet(Payload):
    kind: ClassVar[str] = "cases.priority_set"
    case: str
    before: int
    after: int


@dataclass(frozen=True)
class KindSet(Payload):
    kind: ClassVar[str] = "cases.kind_set"
    case: str
    before: str
    after: str


@dataclass(frozen=True)
class Tagged(Payload):
    """Tags by their ids: what people write on them stays out of the log."""

    kind: ClassVar[str] = "cases.tagged"
    case: str
    added: list[int]
    removed: list[int]


@dataclass(frozen=True)
class Watched(Payload):
    kind: ClassVar[str] = "cases.watched"
    case: str
    user: int


@dataclass(frozen=True)
class Unwatched(Payload):
    kind: ClassVar[str] = "cases.unwatched"
    case: str
    user: int


@dataclass(frozen=True)
class Mentioned(Payload):
    """`users` were named in a message; all of them could see the merchant then."""

    kind: ClassVar[str] = "cases.mentioned"
    case: str
    message: int
    users: list[int]
    internal: bool


@dataclass(frozen=True)
class ApprenticeSet(Payload):
    """From now on the public replies of this person, or of this team, are read by `approver` first."""

    kind: ClassVar[str] = "cases.apprentice_set"
    user: int | None
    team: int | None
    approver: int


@dataclass(frozen=True)
class ApprenticeEnded(Payload):
    kind: ClassVar[str] = "cases.apprentice_ended"
    user: int | None
    team: int | None


@dataclass(frozen=True)
class ApprovalAsked(Payload):
    kind: ClassVar[str] = "cases.approval_asked"
    case: str
    reply: int
    approver: int
    due_at: str


@dataclass(frozen=True)
class ApprovalGiven(Payload):
    """The reply was sent as `message`; `edited`: not in its author's words alone. What should have been done
    along with it and could not be is `left_out`, by the code of its refusal."""

    kind: ClassVar[str] = "cases.approval_given"
    case: str
    reply: int
    author: int
    message: int
    edited: bool
    left_out: str


@dataclass(frozen=True)
class ApprovalReturned(Payload):
    """The reply went back to its author; the reason stays out of the log."""

    kind: ClassVar[str] = "cases.approval_returned"
    case: str
    reply: int
    author: int


@dataclass(frozen=True)
class DraftShared(Payload):
    """A draft that colleagues may go on with; its words stay out of the log."""

    kind: ClassVar[str] = "cases.draft_shared"
    case: str
    internal: bool
    version: int


@dataclass(frozen=True)
class MacroSaved(Payload):
    kind: ClassVar[str] = "cases.macro_saved"
    macro: int
    team: int | None
    everyone: bool


@dataclass(frozen=True)
class MacroDeleted(Payload):
    kind: ClassVar[str] = "cases.macro_deleted"
    macro: int


@dataclass(frozen=True)
class BulkAsked(Payload):
    """Many cases at once: each change of a case has an event of its own besides."""

    kind: ClassVar[str] = "cases.bulk_asked"
    bulk: int
    cases: int


@dataclass(frozen=True)
class BulkUndone(Payload):
    kind: ClassVar[str] = "cases.bulk_undone"
    bulk: int
    cases: int


@dataclass(frozen=True)
class CaseRated(Payload):
    """The merchant's own rating, one to five; what they said with it stays out of the log."""

    kind: ClassVar[str] = "cases.rated"
    case: str
    score: int
    before: int | None


@dataclass(frozen=True)
class CaseLinked(Payload):
    """On each of the two cases: `outward` where the case is the source of the link."""

    kind: ClassVar[str] = "cases.linked"
    case: str
    other: str
    link: str
    outward: bool


@dataclass(frozen=True)
class CaseUnlinked(Payload):
    kind: ClassVar[str] = "cases.unlinked"
    case: str
    other: str
    link: str
    outward: bool


@dataclass(frozen=True)
class CaseMerged(Payload):
    """The case is closed and goes on as the other one."""

    kind: ClassVar[str] = "cases.merged"
    case: str
    into: str


@dataclass(frozen=True)
class CaseTookIn(Payload):
    """Another case has been merged into this one."""

    kind: ClassVar[str] = "cases.took_in"
    case: str
    other: str


@dataclass(frozen=True)
class MergeUndone(Payload):
    kind: ClassVar[str] = "cases.merge_undone"
    case: str
    other: str


@dataclass(frozen=True)
class CaseSplit(Payload):
    """`messages` of the case were taken along into a new one, where they are quoted."""

    kind: ClassVar[str] = "cases.split"
    case: str
    other: str
    messages: tuple[int, ...]


@dataclass(frozen=True)
class CaseClosed(Payload):
    """A solved case that nobody came back to."""

    kind: ClassVar[str] = "cases.closed"
    case: str


@dataclass(frozen=True)
class FileAdded(Payload):
    """Its name stays out of the log. `message` is None for a file that came with the need."""

    kind: ClassVar[str] = "cases.file_added"
    case: str
    file: int
    message: int | None
    internal: bool
    media_type: str
    size: int


@dataclass(frozen=True)
class FileErased(Payload):
    kind: ClassVar[str] = "cases.file_erased"
    case: str
    file: int


@dataclass(frozen=True)
class CasesExported(Payload):
    """Somebody has taken out a list of cases; with internal notes, if `notes`."""

    kind: ClassVar[str] = "cases.exported"
    what: str
    notes: bool
