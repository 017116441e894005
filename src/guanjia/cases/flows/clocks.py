"""The flow that wakes clocks at their warning and at their breach."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn

from guanjia.base.flows import Turn
from guanjia.cases.actions.acting import act_on_clocks
from guanjia.cases.actions.calendars import RECOUNT_FLOW
from guanjia.cases.actions.recounting import recount_clocks

CLOCKS_FLOW = "cases.clocks"
"""Its one key is 1: clocks know themselves when they act, so that a new one costs no wake-up."""


class ClocksFlow:
    """Implements `base.flows.engine.FlowKind`. It never ends: a migration has begun it."""

    name = CLOCKS_FLOW

    def settle(self, batch: Sequence[tuple[int, Sequence[None]]], now: datetime) -> list[Turn[None]]:
        return [Turn(key, (), act_on_clocks(now=now)) for key, _ in batch]

    async def perform(self, call: None) -> NoReturn:
        raise NotImplementedError("a clock calls nobody")


class RecountFlow:
    """After another version of a calendar, deadlines follow it: one chunk a turn. A worker that begins
    anew finds only what is left."""

    name = RECOUNT_FLOW

    def __init__(self) -> None:
        self._after = 0

    def settle(self, batch: Sequence[tuple[int, Sequence[None]]], now: datetime) -> list[Turn[None]]:
        progress = recount_clocks(now=now, after=self._after)
        self._after = 0 if progress.done else progress.at
        return [Turn(key, (), None if progress.done else now) for key, _ in batch]

    async def perform(self, call: None) -> NoReturn:
        raise NotImplementedError("a deadline calls nobody")
