"""Many deadlines at once: what a change of the calendar or of a promise means for every running clock."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from guanjia.core.clock.calendar import HORIZON, Schedule

Seconds = npt.NDArray[np.int64]
"""Seconds since 1970 in UTC, or open seconds; shape (n,)."""


def due_many(schedule: Schedule, starts: Seconds, targets: Seconds) -> Seconds:
    """`Schedule.due` for each pair, as seconds since 1970; equal to it to the second.

    1. The open spans between the first start and HORIZON after the last are laid out once.
    2. What has passed by an instant is one search among their starts.
    3. A deadline is one search for what has passed by the start plus the target.
    O((n + days) log days); about 40 bytes a clock. Raises OverflowError where the schedule has too little
    open time, ValueError for arrays of different shapes.
    """
    if starts.shape != targets.shape or starts.ndim != 1:
        raise ValueError(f"expected two arrays of one length, got {starts.shape} and {targets.shape}")
    if not len(starts):
        return starts.copy()
    first, before = _laid_out(schedule, int(starts.min()), int(starts.max()))
    index = np.maximum(np.searchsorted(first, starts, side="right") - 1, 0)
    inside = np.clip(starts - first[index], 0, before[index + 1] - before[index])
    wanted = before[index] + inside + targets
    if (wanted > before[-1]).any():
        raise OverflowError("the calendar has too little open time in the next five years")
    reached = np.searchsorted(before, wanted, side="left") - 1
    due = first[np.maximum(reached, 0)] + wanted - before[np.maximum(reached, 0)]
    return np.where(targets > 0, due, starts)


def _laid_out(schedule: Schedule, start: int, end: int) -> tuple[Seconds, Seconds]:
    """Starts of the open spans (m,); open seconds before each, and in all (m + 1,)."""
    horizon = datetime.fromtimestamp(end, UTC) + HORIZON
    spans = schedule.spans(datetime.fromtimestamp(start, UTC), horizon)
    pairs = np.array([(span.start, span.end) for span in spans] or [(start, start)], dtype=np.int64)
    before = np.concatenate([[0], np.cumsum(pairs[:, 1] - pairs[:, 0])])
    return pairs[:, 0], before
