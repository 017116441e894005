"""What people do with a case. One verb, one transaction, one event."""

from guanjia.cases.actions.clocks import AboutItem, start_clock, stop_clocks
from guanjia.cases.actions.intake import open_case
from guanjia.cases.actions.talk import say
from guanjia.cases.actions.tasks import finish_tasks, open_task

__all__ = ["AboutItem", "finish_tasks", "open_case", "open_task", "say", "start_clock", "stop_clocks"]
