"""The packages' flow: what the worker does for packages, turn by turn."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from guanjia.base.flows import Turn
from guanjia.core.package import Call, CallKind
from guanjia.core.package.signals import LineSignal
from guanjia.lines.answers import HoldOutcome
from guanjia.lines.client import LineClient, LineEndpoint
from guanjia.lines.protocol.messages import Authority, ConfirmAuthority, HoldRequest
from guanjia.lines.queries import endpoints
from guanjia.packages.rows import ItemRow, PackageRow
from guanjia.packages.settle import FLOW, Outcome, settle
from guanjia.packages.signals import signal_from

FRESH_SECONDS = 5.0
"""How long a line's address and secret are remembered: a moved line is followed this soon."""


@dataclass(frozen=True, slots=True)
class LineCall:
    """One call to one line, with everything it needs: performing it reads no database."""

    call: Call
    endpoint: LineEndpoint
    request: HoldRequest | None
    currency: str


class PackageFlow:
    """Implements `base.flows.engine.FlowKind` for packages."""

    name = FLOW

    def __init__(self, client: LineClient) -> None:
        self._client = client
        self._endpoints: dict[int, LineEndpoint] = {}
        self._fresh_until = 0.0

    def settle(
        self, batch: Sequence[tuple[int, Sequence[LineSignal]]], now: datetime
    ) -> list[Turn[LineCall]]:
        outcomes = settle(batch, now)
        self._know_lines({row.line_pk for o in outcomes.values() for row in o.row.items})
        return [
            self._turn(key, outcomes[key]) if key in outcomes else Turn(key, (), None) for key, _ in batch
        ]

    def _turn(self, key: int, outcome: Outcome) -> Turn[LineCall]:
        about = {
            item.uid: row for item, row in zip(outcome.row.package.items, outcome.row.items, strict=True)
        }
        calls = [self._line_call(outcome.row, about[call.item.uid], call) for call in outcome.decision.calls]
        return Turn(key, calls, outcome.decision.wake_at)

    def _line_call(self, package: PackageRow, row: ItemRow, call: Call) -> LineCall:
        request = _hold_request(package, row, call) if call.kind is CallKind.HOLD else None
        return LineCall(call, self._endpoints[row.line_pk], request, package.currency)

    def _know_lines(self, pks: set[int]) -> None:
        if time.monotonic() >= self._fresh_until or not pks <= self._endpoints.keys():
            self._endpoints |= endpoints(pks | self._endpoints.keys())
            self._fresh_until = time.monotonic() + FRESH_SECONDS

    async def perform(self, call: LineCall) -> LineSignal:
        outcome = await self._send(call)
        releasing = call.call.kind is CallKind.RELEASE
        return signal_from(outcome, call.call.item.hold_id, currency=call.currency, releasing=releasing)

    async def _send(self, line_call: LineCall) -> HoldOutcome:
        client, at, item = self._client, line_call.endpoint, line_call.call.item
        match line_call.call.kind:
            case CallKind.HOLD:
                assert line_call.request is not None
                return await client.hold(at, line_call.request)
            case CallKind.CONFIRM:
                authority = ConfirmAuthority.SILENCE if item.by_silence else ConfirmAuthority.ACCEPTED
                return await client.confirm(at, item.hold_id, authority)
            case CallKind.RELEASE:
                return await client.release(at, item.hold_id, item.reason_code or "released")
            case CallKind.RENEW:
                return await client.renew(at, item.hold_id, item.ttl_seconds)
            case CallKind.LOOK:
                return await client.look(at, item.hold_id)


def _hold_request(package: PackageRow, row: ItemRow, call: Call) -> HoldRequest:
    return HoldRequest(
        hold_id=call.item.hold_id,
        service=row.service_code,
        params=row.params,
        merchant_ref=package.merchant_ref,
        merchant_name=package.merchant_name,
        package_number=package.number,
        item=row.position,
        ttl_seconds=call.item.ttl_seconds,
        authority_kind=Authority.MANDATE if row.within_mandate else Authority.NONE,
        mandate=f"MD-{row.mandate_pk}" if row.within_mandate else None,
    )
