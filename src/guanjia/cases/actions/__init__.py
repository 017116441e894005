"""What people do with a case. One verb, one transaction, one event."""

from guanjia.cases.actions.clocks import AboutItem, start_clock, stop_clocks
from guanjia.cases.actions.closing import reopen_case, solve_case, stop_waiting, wait_for_merchant
from guanjia.cases.actions.intake import open_case
from guanjia.cases.actions.presence import be_present, save_draft
from guanjia.cases.actions.talk import say
from guanjia.cases.actions.tasks import finish_tasks, open_task
from guanjia.cases.actions.views import delete_view, rename_view, save_view

__all__ = [
    "AboutItem",
    "be_present",
    "delete_view",
    "finish_tasks",
    "open_case",
    "open_task",
    "rename_view",
    "reopen_case",
    "save_draft",
    "save_view",
    "say",
    "solve_case",
    "start_clock",
    "stop_clocks",
    "stop_waiting",
    "wait_for_merchant",
]
