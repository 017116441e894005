from guanjia.lines.models.hosted import HostedDecision, HostedHold, HostedSlot
from guanjia.lines.models.line import Conformance, Line, LineKind, LineStaff, LineVital, Service
from guanjia.lines.models.mandate import Mandate, MandatePeriod, MandateSpend, MandateUse

__all__ = [
    "Conformance",
    "HostedDecision",
    "HostedHold",
    "HostedSlot",
    "Line",
    "LineKind",
    "LineStaff",
    "LineVital",
    "Mandate",
    "MandatePeriod",
    "MandateSpend",
    "MandateUse",
    "Service",
]
