"""Cases and all that is on them."""

from guanjia.cases.models.approval import Apprentice, HeldReply, HeldState
from guanjia.cases.models.bulk import BulkChange, BulkRow
from guanjia.cases.models.case import LIVE, Case, CaseKind, CaseState, Priority
from guanjia.cases.models.clocks import Clock, ClockKind
from guanjia.cases.models.drafts import SharedDraft
from guanjia.cases.models.macros import Macro
from guanjia.cases.models.marks import Mention, Tag, Tagging, Watch
from guanjia.cases.models.talk import Draft, Message, Presence
from guanjia.cases.models.tasks import Task, TaskKind
from guanjia.cases.models.views import SavedView

__all__ = [
    "LIVE",
    "Apprentice",
    "BulkChange",
    "BulkRow",
    "Case",
    "CaseKind",
    "CaseState",
    "Clock",
    "ClockKind",
    "Draft",
    "HeldReply",
    "HeldState",
    "Macro",
    "Mention",
    "Message",
    "Presence",
    "Priority",
    "SavedView",
    "SharedDraft",
    "Tag",
    "Tagging",
    "Task",
    "TaskKind",
    "Watch",
]
