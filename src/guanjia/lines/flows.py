"""The flow that runs the conformance kit against a line and keeps the report."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import aiohttp

from guanjia.base.flows import Turn
from guanjia.lines.actions.conformance import CONFORMANCE_FLOW, finish_conformance
from guanjia.lines.client import LineEndpoint
from guanjia.lines.conformance import check
from guanjia.lines.models import Conformance
from guanjia.lines.queries import endpoint_of
from guanjia.lines.ssrf import DestinationRefused, Network, check_url, guarded_session

KIT_SECONDS: Final = 600.0
"""A few seconds for each service, for its holds to lapse; a line publishes a hundred at most."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the kit: where, and whether it may confirm for good."""

    endpoint: LineEndpoint
    may_confirm: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """`passed` None where the kit could not be run; the report then holds `error`."""

    passed: bool | None
    report: Mapping[str, Any]


class ConformanceFlow:
    """Implements `base.flows.engine.FlowKind`; keys are those of `Conformance`.

    A worker that dies in the middle leaves the run to the next, which begins it anew: the kit's holds
    have ids of their own and lapse.
    """

    name = CONFORMANCE_FLOW

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        self._allowed = tuple(allowed)

    def settle(self, batch: Sequence[tuple[int, Sequence[Outcome]]], now: datetime) -> list[Turn[Run]]:
        unfinished = Conformance.objects.select_related("line").filter(finished_at=None)
        found = unfinished.in_bulk([key for key, _ in batch])
        return [_turn(key, found.get(key), outcomes, now) for key, outcomes in batch]

    async def perform(self, call: Run) -> Outcome:
        try:
            check_url(call.endpoint.base_url, allowed=self._allowed)
            async with asyncio.timeout(KIT_SECONDS), guarded_session(self._allowed) as session:
                report = await check(call.endpoint, session, confirm=call.may_confirm)
        except TimeoutError:
            return Outcome(None, {"error": "timeout"})
        except DestinationRefused as refusal:
            return Outcome(None, {"error": str(refusal)})
        except (aiohttp.ClientError, OSError) as error:
            return Outcome(None, {"error": type(error).__name__})
        return Outcome(report.ok, report.to_json())


def _turn(key: int, asked: Conformance | None, outcomes: Sequence[Outcome], now: datetime) -> Turn[Run]:
    if asked is None:
        return Turn(key, (), None)
    if not outcomes:
        return Turn(key, (Run(endpoint_of(asked.line), asked.may_confirm),), None)
    [outcome] = outcomes
    finish_conformance(asked=asked, passed=outcome.passed, report=outcome.report, now=now)
    return Turn(key, (), None)
