"""The package state machine: pure decisions about holding, confirming and releasing over lines.

No Django, no I/O, no clock, no randomness: rows and line answers come in as frozen values, `settle`
says what the package is now, which calls to make, when to look again and what people must be told.
"""

from guanjia.core.package.machine import settle
from guanjia.core.package.signals import (
    Accepted,
    Cancelled,
    Confirmed,
    Declined,
    HandSettled,
    Held,
    Pending,
    Refused,
    Rejected,
    Released,
    Signal,
    Submitted,
    Unreachable,
)
from guanjia.core.package.states import (
    ENDED,
    Call,
    CallKind,
    Decision,
    Item,
    ItemState,
    Mode,
    Notice,
    NoticeKind,
    Package,
    PackageState,
)

__all__ = [
    "ENDED",
    "Accepted",
    "Call",
    "CallKind",
    "Cancelled",
    "Confirmed",
    "Decision",
    "Declined",
    "HandSettled",
    "Held",
    "Item",
    "ItemState",
    "Mode",
    "Notice",
    "NoticeKind",
    "Package",
    "PackageState",
    "Pending",
    "Refused",
    "Rejected",
    "Released",
    "Signal",
    "Submitted",
    "Unreachable",
    "settle",
]
