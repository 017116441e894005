"""Cases and all that is on them."""

from guanjia.cases.models.approval import Apprentice, HeldReply, HeldState
from guanjia.cases.models.bulk import BulkChange, BulkRow
from guanjia.cases.models.calendars import CalendarVersion, PromiseVersion
from guanjia.cases.models.case import LIVE, Case, CaseKind, CaseState, Priority
from guanjia.cases.models.clocks import LIVE_CLOCKS, Clock, ClockKind, ClockStatus, PauseReason
from guanjia.cases.models.drafts import SharedDraft
from guanjia.cases.models.files import Attachment
from guanjia.cases.models.handover import FollowUp, FollowUpKind, Handover, HandoverState
from guanjia.cases.models.links import BY_HAND, CaseLink, LinkKind, Quote
from guanjia.cases.models.macros import Macro
from guanjia.cases.models.major import MajorCase, MajorState, MajorUpdate, Recipient
from guanjia.cases.models.marks import Mention, Tag, Tagging, Watch
from guanjia.cases.models.plans import AppliedPlan, Plan, PlanVersion
from guanjia.cases.models.rating import Rating, RatingTally, Score
from guanjia.cases.models.talk import Draft, Message, Presence
from guanjia.cases.models.tasks import ENDED, CheckLine, Task, TaskBlock, TaskKind, TaskState, TaskWord
from guanjia.cases.models.views import SavedView

__all__ = [
    "BY_HAND",
    "ENDED",
    "LIVE",
    "LIVE_CLOCKS",
    "AppliedPlan",
    "Apprentice",
    "Attachment",
    "BulkChange",
    "BulkRow",
    "CalendarVersion",
    "Case",
    "CaseKind",
    "CaseLink",
    "CaseState",
    "CheckLine",
    "Clock",
    "ClockKind",
    "ClockStatus",
    "Draft",
    "FollowUp",
    "FollowUpKind",
    "Handover",
    "HandoverState",
    "HeldReply",
    "HeldState",
    "LinkKind",
    "Macro",
    "MajorCase",
    "MajorState",
    "MajorUpdate",
    "Mention",
    "Message",
    "PauseReason",
    "Plan",
    "PlanVersion",
    "Presence",
    "Priority",
    "PromiseVersion",
    "Quote",
    "Rating",
    "RatingTally",
    "Recipient",
    "SavedView",
    "Score",
    "SharedDraft",
    "Tag",
    "Tagging",
    "Task",
    "TaskBlock",
    "TaskKind",
    "TaskState",
    "TaskWord",
    "Watch",
]
