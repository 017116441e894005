"""The flow that tells Guanjia what specialists decided: signed webhooks, as a remote line sends them.

A hosted line keeps to the door that every line has, so its decisions take effect at once and by the
same code. Retried until a 2xx, for three days (LP/1 §5.2).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import aiohttp
from django.conf import settings

from guanjia.base.flows import Turn
from guanjia.base.seal import unseal
from guanjia.lines.actions.hosted import DECISION_FLOW
from guanjia.lines.models import HostedDecision
from guanjia.lines.protocol.signing import webhook_headers

log = logging.getLogger(__name__)

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
_LONGEST_PAUSE: Final = timedelta(minutes=15)
GIVE_UP_AFTER: Final = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt at a webhook; `message_id` is the same on each."""

    url: str
    message_id: str
    body: bytes
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of it: `failure` is None after a 2xx."""

    failure: str | None


def session() -> aiohttp.ClientSession:
    """The HTTP client of a `DecisionFlow`, made in a running loop; the caller closes it."""
    return aiohttp.ClientSession(timeout=_TIMEOUT)


class DecisionFlow:
    """Implements `base.flows.engine.FlowKind`; keys are those of `HostedDecision`."""

    name = DECISION_FLOW

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    def settle(self, batch: Sequence[tuple[int, Sequence[Attempt]]], now: datetime) -> list[Turn[Delivery]]:
        waiting = HostedDecision.objects.select_related("hold__line").filter(told_at=None)
        found = waiting.in_bulk([key for key, _ in batch])
        return [
            _turn(found[key], attempts, now) if key in found else Turn(key, (), None)
            for key, attempts in batch
        ]

    async def perform(self, call: Delivery) -> Attempt:
        signed = webhook_headers(call.secret, call.body, datetime.now(UTC), call.message_id)
        headers = {**signed, "content-type": "application/json"}
        try:
            async with self._http.post(
                call.url, data=call.body, headers=headers, allow_redirects=False
            ) as answer:
                return Attempt(None if 200 <= answer.status < 300 else f"HTTP {answer.status}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Attempt(type(error).__name__)


def _turn(decision: HostedDecision, attempts: Sequence[Attempt], now: datetime) -> Turn[Delivery]:
    if not attempts:
        return Turn(decision.pk, (_delivery(decision),), None)
    failure = attempts[-1].failure
    decision.attempts += 1
    decision.told_at = None if failure else now
    decision.save(update_fields=["attempts", "told_at"])
    if failure is None:
        return Turn(decision.pk, (), None)
    log.warning("decision %s of line %s: %s", decision.hold.hold_id, decision.hold.line.slug, failure)
    if now - decision.decided_at > GIVE_UP_AFTER:  # Guanjia has polled since (5.3)
        log.error("decision %s was never taken; giving up", decision.hold.hold_id)
        return Turn(decision.pk, (), None)
    return Turn(decision.pk, (), now + pause_after(decision.attempts))


def pause_after(attempts: int) -> timedelta:
    """How long to wait after that many failures: doubling from a second to a quarter of an hour."""
    return min(timedelta(seconds=2 ** min(attempts - 1, 20)), _LONGEST_PAUSE)


def _delivery(decision: HostedDecision) -> Delivery:
    line = decision.hold.line
    return Delivery(
        url=f"{settings.BASE_URL}/hooks/lines/{line.slug}",
        message_id=f"dec_{decision.hold.hold_id.hex}",
        body=decision.body.encode(),
        secret=unseal(line.sealed_secret),
    )
