"""The post's flows: telling people, delivering what leaves the house, and clearing away what is old."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from guanjia.base.flows import Turn
from guanjia.post import delivering, keeping
from guanjia.post.calls import Answer, Call, Caller
from guanjia.post.telling import DELIVER_FLOW, tell

TELL_FLOW = "post.tell"
SWEEP_FLOW = "post.sweep"
SWEEP_EVERY = timedelta(hours=1)


class TellFlow:
    """Implements `base.flows.engine.FlowKind`; keys are those of events, which a trigger wakes."""

    name = TELL_FLOW

    def settle(self, batch: Sequence[tuple[int, Sequence[None]]], now: datetime) -> list[Turn[None]]:
        keys = [key for key, _answers in batch]
        tell(keys, now)
        return [Turn(key, (), None) for key in keys]

    async def perform(self, call: None) -> None:
        """It calls nobody."""


class DeliverFlow:
    """Implements `base.flows.engine.FlowKind`; keys are those of deliveries."""

    name = DELIVER_FLOW

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def settle(self, batch: Sequence[tuple[int, Sequence[Answer]]], now: datetime) -> list[Turn[Call]]:
        return delivering.settle(batch, now)

    async def perform(self, call: Call) -> Answer:
        return await self._caller.make(call)


class SweepFlow:
    """Implements `base.flows.engine.FlowKind`; its one key is there from the first migration on."""

    name = SWEEP_FLOW

    def settle(self, batch: Sequence[tuple[int, Sequence[None]]], now: datetime) -> list[Turn[None]]:
        more = keeping.sweep(now)
        return [Turn(key, (), now if more else now + SWEEP_EVERY) for key, _answers in batch]

    async def perform(self, call: None) -> None:
        """It calls nobody."""
