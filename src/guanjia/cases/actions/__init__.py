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
from guanjia.cases.actions.exporting import note_export
from guanjia.cases.actions.handover import accept_case, decline_case, hand_over, pull_back
from guanjia.cases.actions.intake import open_case
from guanjia.cases.actions.links import link_cases, unlink_cases
from guanjia.cases.actions.macros import Wording, delete_macro, save_macro
from guanjia.cases.actions.marks import set_kind, set_priority, set_tags, unwatch_case, watch_case
from guanjia.cases.actions.merging import merge_cases, split_case, unmerge_cases
from guanjia.cases.actions.plans import (
    add_to_checklist,
    apply_plan,
    cut_line,
    retire_plan,
    save_plan,
    tick_line,
)
from guanjia.cases.actions.presence import be_present, save_draft, share_draft
from guanjia.cases.actions.promises_made import end_promise, make_promise
from guanjia.cases.actions.rating import rate_case
from guanjia.cases.actions.talk import say
from guanjia.cases.actions.tasks import (
    ask_task,
    drop_task,
    escalate_tasks,
    finish_task,
    finish_tasks,
    give_task,
    hold_by_task,
    open_task,
    say_on_task,
    wait_for_task,
)
from guanjia.cases.actions.views import delete_view, rename_view, save_view

__all__ = [
    "AboutItem",
    "BulkPlan",
    "Outcome",
    "Wording",
    "accept_case",
    "add_to_checklist",
    "apply_plan",
    "approve_reply",
    "ask_approval",
    "ask_bulk",
    "ask_task",
    "be_present",
    "cancel_clocks",
    "carry_out",
    "close_cases",
    "cut_line",
    "decline_case",
    "delete_macro",
    "delete_view",
    "drop_task",
    "end_apprentice",
    "end_promise",
    "escalate_tasks",
    "finish_task",
    "finish_tasks",
    "give_task",
    "hand_over",
    "hold_by_task",
    "link_cases",
    "make_promise",
    "merchant_has_the_turn",
    "merge_cases",
    "note_export",
    "open_case",
    "open_task",
    "pause_clocks",
    "pull_back",
    "rate_case",
    "rename_view",
    "reopen_case",
    "reown_clocks",
    "reset_clocks",
    "resume_clocks",
    "retarget_clocks",
    "retire_plan",
    "return_reply",
    "run_bulk",
    "save_draft",
    "save_macro",
    "save_plan",
    "save_view",
    "say",
    "say_on_task",
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
    "tick_line",
    "try_bulk",
    "undo_bulk",
    "unlink_cases",
    "unmerge_cases",
    "unwatch_case",
    "wait_for_merchant",
    "wait_for_task",
    "watch_case",
]
