"""Write a business line in an afternoon: `docs/line-sdk.md` shows a whole one."""

from guanjia.lines.protocol.errors import ProtocolError
from guanjia.lines.protocol.fence import Held, HoldRecord, NotPendingError, Pending, Refused
from guanjia.lines.protocol.messages import (
    DecisionRule,
    HoldRequest,
    HoldView,
    Money,
    Reason,
    Rule,
    Silence,
)
from guanjia.lines.sdk.line import Line, Service

__all__ = [
    "DecisionRule",
    "Held",
    "HoldRecord",
    "HoldRequest",
    "HoldView",
    "Line",
    "Money",
    "NotPendingError",
    "Pending",
    "ProtocolError",
    "Reason",
    "Refused",
    "Rule",
    "Service",
    "Silence",
]
