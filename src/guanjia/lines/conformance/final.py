"""Checks around the one real confirm of a service: the last ones, since it takes a place for good."""

from __future__ import annotations

from typing import Final

from guanjia.lines.conformance.trial import (
    ACCEPTED,
    BYE,
    CONFIRMED,
    Check,
    Trial,
    expect_problem,
    expect_same,
    expect_state,
)


async def confirm(trial: Trial) -> None:
    """4.4.1."""
    taken, answer = await trial.final()
    expect_state(answer, taken.hold_id, CONFIRMED)
    expect_state(await trial.look(taken.hold_id), taken.hold_id, CONFIRMED)


async def hold_again(trial: Trial) -> None:
    """4.3.1: a duplicate that arrives after the confirm."""
    taken, _ = await trial.confirmed_hold()
    expect_state(await trial.post(taken.request), taken.hold_id, CONFIRMED)


async def confirm_again(trial: Trial) -> None:
    """4.3.3."""
    taken, first = await trial.confirmed_hold()
    expect_same(await trial.on(taken.hold_id, "confirm", ACCEPTED), first)


async def release(trial: Trial) -> None:
    """4.5.4."""
    taken, _ = await trial.confirmed_hold()
    expect_problem(await trial.on(taken.hold_id, "release", BYE), "hold_confirmed")
    expect_state(await trial.look(taken.hold_id), taken.hold_id, CONFIRMED)


async def renew(trial: Trial) -> None:
    """4.6.2."""
    taken, confirmed = await trial.confirmed_hold()
    longer = {"ttl_seconds": trial.spec.hold_ttl_seconds}
    expect_same(await trial.on(taken.hold_id, "renew", longer), confirmed)


CHECKS: Final = (
    Check("4.4.1", confirm),
    Check("4.3.1", hold_again),
    Check("4.3.3", confirm_again),
    Check("4.6.2", renew),
    Check("4.5.4", release),
)
