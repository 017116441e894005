"""Checks of how a hold ends without a confirm: release, renewal, lapse (4.4 to 4.8)."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from guanjia.lines.conformance.prober import Breach
from guanjia.lines.conformance.rules import both
from guanjia.lines.conformance.trial import (
    ACCEPTED,
    BYE,
    HELD,
    LAPSED,
    LONGER,
    PENDING,
    REFUSED,
    RELEASED,
    SILENCE,
    Check,
    Trial,
    expect_problem,
    expect_same,
    expect_state,
    instant,
)


async def confirm_of_pending(trial: Trial) -> None:
    """4.4.2: with acceptance nobody gave, and with silence before its time."""
    taken = await trial.pending()
    for body in (ACCEPTED, SILENCE):
        expect_problem(await trial.on(taken.hold_id, "confirm", body), "decision_pending")
    expect_state(await trial.look(taken.hold_id), taken.hold_id, PENDING)


async def confirm_released(trial: Trial) -> None:
    """4.4.4."""
    taken = await trial.released()
    expect_problem(await trial.on(taken.hold_id, "confirm", ACCEPTED), "hold_released")


async def confirm_refused(trial: Trial) -> None:
    """4.4.4."""
    taken = await trial.refused()
    expect_problem(await trial.on(taken.hold_id, "confirm", ACCEPTED), "hold_refused")


async def confirm_lapsed(trial: Trial) -> None:
    """4.4.4."""
    taken = await trial.lapsed()
    expect_problem(await trial.on(taken.hold_id, "confirm", ACCEPTED), "hold_lapsed")
    expect_state(await trial.look(taken.hold_id), taken.hold_id, LAPSED)


async def release_held(trial: Trial) -> None:
    """4.5.1: what earlier checks gave back is free, and what this one gives back."""
    if trial.had_place:
        await _place_is_free(trial)
        await trial.tidy()
    taken = await trial.held()
    expect_state(await trial.on(taken.hold_id, "release", BYE), taken.hold_id, RELEASED)
    await _place_is_free(trial)


async def release_pending(trial: Trial) -> None:
    """4.5.1."""
    taken = await trial.pending()
    expect_state(await trial.on(taken.hold_id, "release", BYE), taken.hold_id, RELEASED)
    await _place_is_free(trial)


async def release_lapsed(trial: Trial) -> None:
    """4.5.1."""
    taken = await trial.lapsed()
    expect_state(await trial.on(taken.hold_id, "release", BYE), taken.hold_id, RELEASED)


async def _place_is_free(trial: Trial) -> None:
    """The same parameters can be had again; shows a leak where there is one place only."""
    again = await trial.take()
    if again.answer.state == REFUSED:
        raise Breach(again.answer, both("名额已归还，可再预留", "the capacity is free: a reservation"))


async def release_of_refused(trial: Trial) -> None:
    """4.5.5."""
    taken = await trial.refused()
    expect_state(await trial.on(taken.hold_id, "release", BYE), taken.hold_id, RELEASED)


async def renew(trial: Trial) -> None:
    """4.6.1: for the service's whole time to live, then for a second."""
    taken = await trial.reserved()
    before = instant(taken.answer, "expires_at")
    for ttl in (trial.spec.hold_ttl_seconds, 1):
        answer = await trial.on(taken.hold_id, "renew", {"ttl_seconds": ttl})
        expect_state(answer, taken.hold_id, HELD, PENDING)
        if instant(answer, "expires_at") < before:
            raise Breach(answer, both("到期不早于原来", "an expiry that is not earlier than before"))
        before = instant(answer, "expires_at")


async def renew_unknown(trial: Trial) -> None:
    """4.6.2."""
    expect_problem(await trial.on(uuid4(), "renew", LONGER), "unknown_hold")


async def renew_released(trial: Trial) -> None:
    """4.6.2."""
    taken = await trial.released()
    expect_problem(await trial.on(taken.hold_id, "renew", LONGER), "hold_released")


async def renew_refused(trial: Trial) -> None:
    """4.6.2."""
    taken = await trial.refused()
    expect_problem(await trial.on(taken.hold_id, "renew", LONGER), "hold_refused")


async def renew_lapsed(trial: Trial) -> None:
    """4.6.2."""
    taken = await trial.lapsed()
    expect_problem(await trial.on(taken.hold_id, "renew", LONGER), "hold_lapsed")
    expect_state(await trial.look(taken.hold_id), taken.hold_id, LAPSED)


async def lapse(trial: Trial) -> None:
    """4.7.1."""
    taken, seen = await trial.outlived()
    expect_state(seen, taken.hold_id, LAPSED)
    await _place_is_free(trial)


async def look_at_unknown(trial: Trial) -> None:
    """4.8.1."""
    hold_id = uuid4()
    expect_problem(await trial.look(hold_id), "unknown_hold")
    expect_problem(await trial.look(hold_id), "unknown_hold")


async def look_at_known(trial: Trial) -> None:
    """4.8.1."""
    taken = await trial.reserved()
    for _ in range(2):
        seen = await trial.look(taken.hold_id)
        expect_same(seen, taken.answer)


CHECKS: Final = (
    Check("4.4.2", confirm_of_pending),
    Check("4.4.4", confirm_released),
    Check("4.4.4", confirm_refused),
    Check("4.4.4", confirm_lapsed),
    Check("4.5.1", release_held),
    Check("4.5.1", release_pending),
    Check("4.5.1", release_lapsed),
    Check("4.5.5", release_of_refused),
    Check("4.6.1", renew),
    Check("4.6.2", renew_unknown),
    Check("4.6.2", renew_released),
    Check("4.6.2", renew_refused),
    Check("4.6.2", renew_lapsed),
    Check("4.7.1", lapse),
    Check("4.8.1", look_at_unknown),
    Check("4.8.1", look_at_known),
)
