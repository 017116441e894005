"""The conformance kit behind `guanjia line check`: a live line against every rule of LP/1."""

from guanjia.lines.conformance.report import CONFIRM_WARNING, Failure, Report, Result, Verdict
from guanjia.lines.conformance.run import check

__all__ = ["CONFIRM_WARNING", "Failure", "Report", "Result", "Verdict", "check"]
