"""Child processes: start, watch, measure, end."""

from guanjia.base.processes.measure import memory
from guanjia.base.processes.probes import answers, at_once, listens
from guanjia.base.processes.records import Record, kill, records
from guanjia.base.processes.supervisor import (
    AlreadyRunningError,
    Program,
    ProgramError,
    Supervisor,
    command,
)

__all__ = [
    "AlreadyRunningError",
    "Program",
    "ProgramError",
    "Record",
    "Supervisor",
    "answers",
    "at_once",
    "command",
    "kill",
    "listens",
    "memory",
    "records",
]
