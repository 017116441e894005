"""The flows that close what was solved, and that carry a major case to its children."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn

from guanjia.base.flows import Turn
from guanjia.cases.actions.closing import CLOSE_FLOW, close_cases
from guanjia.cases.actions.fanout import advance_major
from guanjia.cases.actions.major import MAJOR_FLOW


class ClosingFlow:
    """Implements `base.flows.engine.FlowKind`; keys are cases."""

    name = CLOSE_FLOW

    def settle(self, batch: Sequence[tuple[int, Sequence[None]]], now: datetime) -> list[Turn[None]]:
        keys = [key for key, _ in batch]
        again = close_cases(cases=keys, now=now)
        return [Turn(key, (), again[key]) for key in keys]

    async def perform(self, call: None) -> NoReturn:
        raise NotImplementedError("closing calls nobody")


class MajorFlow:
    """Implements `base.flows.engine.FlowKind`; keys are major cases. A turn is one chunk."""

    name = MAJOR_FLOW

    def settle(self, batch: Sequence[tuple[int, Sequence[None]]], now: datetime) -> list[Turn[None]]:
        return [Turn(key, (), now if advance_major(major=key, now=now) else None) for key, _ in batch]

    async def perform(self, call: None) -> NoReturn:
        raise NotImplementedError("a major case calls nobody")
