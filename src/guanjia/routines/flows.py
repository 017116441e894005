"""What the worker does for routines: one flow for events that have been heard, one for schedules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NoReturn

from guanjia.base.flows import Turn
from guanjia.routines.actions import HOUSEKEEPING, RUN_FLOW, SCHEDULE_FLOW
from guanjia.routines.cleaning import clear_old_runs
from guanjia.routines.schedules import go_on
from guanjia.routines.triggers import look_at

AGAIN = timedelta(days=1)


class _Flow:
    async def perform(self, call: None) -> NoReturn:
        raise NotImplementedError("a routine calls nobody")


class TriggerFlow(_Flow):
    """Implements `base.flows.engine.FlowKind`; its keys are events."""

    name = RUN_FLOW

    def settle(self, batch: Sequence[tuple[int, Sequence[None]]], now: datetime) -> list[Turn[None]]:
        for event, _ in batch:
            look_at(event, now)
        return [Turn(event, (), None) for event, _ in batch]


class ScheduleFlow(_Flow):
    """Implements `base.flows.engine.FlowKind`; its keys are routines, and HOUSEKEEPING."""

    name = SCHEDULE_FLOW

    def settle(self, batch: Sequence[tuple[int, Sequence[None]]], now: datetime) -> list[Turn[None]]:
        return [Turn(key, (), self._turn(key, now)) for key, _ in batch]

    def _turn(self, key: int, now: datetime) -> datetime | None:
        if key != HOUSEKEEPING:
            return go_on(key, now)
        return now if clear_old_runs(now) else now + AGAIN
