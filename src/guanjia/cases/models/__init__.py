"""Cases and all that is on them."""

from guanjia.cases.models.case import LIVE, Case, CaseKind, CaseState, Priority
from guanjia.cases.models.clocks import Clock, ClockKind
from guanjia.cases.models.talk import Draft, Message, Presence
from guanjia.cases.models.tasks import Task, TaskKind
from guanjia.cases.models.views import SavedView

__all__ = [
    "LIVE",
    "Case",
    "CaseKind",
    "CaseState",
    "Clock",
    "ClockKind",
    "Draft",
    "Message",
    "Presence",
    "Priority",
    "SavedView",
    "Task",
    "TaskKind",
]
