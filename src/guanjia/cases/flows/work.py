"""The flows that notice what has not been done: overdue tasks, and hand-overs that nobody has taken."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn

from guanjia.base.flows import Turn
from guanjia.cases.actions import handover, tasks


class OverdueTaskFlow:
    """Implements `base.flows.engine.FlowKind`; keys are tasks."""

    name = tasks.FLOW

    def settle(self, batch: Sequence[tuple[int, Sequence[None]]], now: datetime) -> list[Turn[None]]:
        again = tasks.escalate_tasks(tasks=[key for key, _ in batch], now=now)
        return [Turn(key, (), at) for key, at in again.items()]

    async def perform(self, call: None) -> NoReturn:
        raise NotImplementedError("a task calls nobody")


class HandoverFlow:
    """Implements `base.flows.engine.FlowKind`; keys are hand-overs."""

    name = handover.FLOW

    def settle(self, batch: Sequence[tuple[int, Sequence[None]]], now: datetime) -> list[Turn[None]]:
        again = handover.pull_back(handovers=[key for key, _ in batch], now=now)
        return [Turn(key, (), at) for key, at in again.items()]

    async def perform(self, call: None) -> NoReturn:
        raise NotImplementedError("a hand-over calls nobody")
