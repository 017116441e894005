"""What people do with a case. One verb, one transaction, one event."""

from guanjia.cases.actions.approval import (
    approve_reply,
    ask_approval,
    end_apprentice,
    return_reply,
    set_apprentice,
)
from guanjia.cases.actions.bulk import BulkPlan, Outcome, ask_bulk, run_bulk, try_bulk, undo_bulk
from guanjia.cases.actions.changes import carry_out
from guanjia.cases.actions.clocks import (
    AboutItem,
    cancel_clocks,
    merchant_has_the_turn,
    pause_clocks,
    reown_clocks,
    reset_clocks,
    resume_clocks,
    retarget_clocks,
    start_clock,
    stop_clocks,
    stop_clocks_of,
    stop_item_clocks,
)
from guanjia.cases.actions.closing import (
    close_cases,
    reopen_case,
    solve_case,
    stop_waiting,
    wait_for_merchant,
)
from guanjia.cases.actions.intake import open_case
from guanjia.cases.actions.links import link_cases, unlink_cases
from guanjia.cases.actions.macros import Wording, delete_macro, save_macro
from guanjia.cases.actions.marks import set_kind, set_priority, set_tags, unwatch_case, watch_case
from guanjia.cases.actions.merging import merge_cases, split_case, unmerge_cases
from guanjia.cases.actions.presence import be_present, save_draft, share_draft
from guanjia.cases.actions.talk import say
from guanjia.cases.actions.tasks import finish_tasks, open_task
from guanjia.cases.actions.views import delete_view, rename_view, save_view

__all__ = [
    "AboutItem",
    "BulkPlan",
    "Outcome",
    "Wording",
    "approve_reply",
    "ask_approval",
    "ask_bulk",
    "be_present",
    "cancel_clocks",
    "carry_out",
    "close_cases",
    "delete_macro",
    "delete_view",
    "end_apprentice",
    "finish_tasks",
    "link_cases",
    "merchant_has_the_turn",
    "merge_cases",
    "open_case",
    "open_task",
    "pause_clocks",
    "rename_view",
    "reopen_case",
    "reown_clocks",
    "reset_clocks",
    "resume_clocks",
    "retarget_clocks",
    "return_reply",
    "run_bulk",
    "save_draft",
    "save_macro",
    "save_view",
    "say",
    "set_apprentice",
    "set_kind",
    "set_priority",
    "set_tags",
    "share_draft",
    "solve_case",
    "split_case",
    "start_clock",
    "stop_clocks",
    "stop_clocks_of",
    "stop_item_clocks",
    "stop_waiting",
    "try_bulk",
    "undo_bulk",
    "unlink_cases",
    "unmerge_cases",
    "unwatch_case",
    "wait_for_merchant",
    "watch_case",
]
