"""From what a line answers to what the core understands."""

from __future__ import annotations

from uuid import UUID

from guanjia.core.package import signals
from guanjia.lines.answers import Answered, HoldOutcome, Rejected
from guanjia.lines.protocol.messages import HoldState, HoldView


def signal_of(hold: HoldView, currency: str) -> signals.LineSignal:
    """The hold object of LP/1 §4.2 as a signal; a lapsed or released one is a hold that is lost.

    Nobody here converts: a quote in another currency than the package's is a breach.
    """
    if hold.quote and hold.quote.currency != currency:
        detail = f"a quote in {hold.quote.currency}, the package is in {currency}"
        return signals.Rejected(hold.hold_id, "contract_breach", detail)
    quote = hold.quote.amount if hold.quote else None
    match hold.state:
        case HoldState.HELD if hold.expires_at:
            return signals.Held(hold.hold_id, hold.expires_at, quote, hold.reference or "")
        case HoldState.PENDING if hold.expires_at and hold.decision_due_at:
            return signals.Pending(hold.hold_id, hold.expires_at, hold.decision_due_at, quote)
        case HoldState.REFUSED:
            code, texts = (hold.reason.code, hold.reason.message) if hold.reason else ("refused", {})
            return signals.Refused(hold.hold_id, code, texts)
        case HoldState.CONFIRMED:
            return signals.Confirmed(hold.hold_id, hold.reference or "", quote)
        case HoldState.LAPSED:
            return signals.Rejected(hold.hold_id, "hold_lapsed")
        case HoldState.RELEASED:
            return signals.Rejected(hold.hold_id, "hold_released")
    return signals.Rejected(hold.hold_id, "contract_breach", "a hold without expires_at")


def signal_from(outcome: HoldOutcome, hold_id: UUID, *, currency: str, releasing: bool) -> signals.LineSignal:
    """The outcome of a call as a signal about the hold it was for."""
    if isinstance(outcome, Answered):
        if releasing and outcome.hold.state is HoldState.RELEASED:
            return signals.Released(hold_id)
        return signal_of(outcome.hold, currency)
    if isinstance(outcome, Rejected):
        return signals.Rejected(hold_id, outcome.code, outcome.detail[:500])
    return signals.Unreachable(hold_id, outcome.why, outcome.retry_at)
