"""`guanjia replay incidents FILE`: a real desk's log, played by our actions on a database of its own."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from guanjia.cli.exits import Exit
from guanjia.cli.house import ready
from guanjia.cli.output import complain, say
from guanjia.demo.replay.promises import Comparison, Limits
from guanjia.demo.replay.records import BadLog, Incident, read_incidents
from guanjia.demo.replay.world import World, build_world, own_house

SLICE = 100
"""Incidents that a process plays at a time: as often is progress told."""
SHOWN = 20


@click.group(name="replay")
def replay_group() -> None:
    """Play real data again and compare."""


@replay_group.command(name="incidents")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--only", type=click.IntRange(1), help="Only the first so many incidents.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 16), help="Processes.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def incidents(file: Path, only: int | None, workers: int, as_json: bool) -> int:
    """Play the event log of UCI data set 498 through cases, tasks, clocks and routing.

    It is played on a temporary database, with the log's own times; nothing of the house is touched. The
    exit code is 1 if a state, a reassignment or a reopening of the log is not found in our rows.
    """
    try:
        log = read_incidents(file)[:only]
    except (BadLog, OSError, UnicodeDecodeError) as fault:
        complain(str(fault), hint="docs/cli.md says which file is meant", as_json=as_json)
        return Exit.USAGE
    with own_house():
        say(f"{len(log):,} incidents; the marketplace of their callers and departments is made")
        world = build_world(log)
        start = time.perf_counter()
        tally = _play(log, world, workers)
        seconds = time.perf_counter() - start
        report = _report(log, tally, seconds, workers)
    click.echo(json.dumps(report, indent=2, ensure_ascii=False) if as_json else "\n".join(_lines(report)))
    return Exit.OK if report["ok"] else Exit.REFUSED


def _play(log: Sequence[Incident], world: World, workers: int) -> Any:
    """In slices of one caller's incidents each, so that no two processes write about one merchant."""
    from guanjia.demo.replay.play import Tally

    whole, done = Tally(), 0
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=ready) as pool:
        futures = [pool.submit(_slice, part, world) for part in _slices(log)]
        for future in as_completed(futures):
            _add(whole, future.result())
            done += 1
            if done % 10 == 0 or done == len(futures):
                say(f"{whole.events:,} events, {done} of {len(futures)} slices")
    return whole


def _slice(part: list[Incident], world: World) -> Any:
    from guanjia.demo.replay.play import play_all

    return play_all(part, world)


def _slices(log: Iterable[Incident]) -> Iterator[list[Incident]]:
    part: list[Incident] = []
    for incident in sorted(log, key=lambda one: one.caller):
        if len(part) >= SLICE and incident.caller != part[-1].caller:
            yield part
            part = []
        part.append(incident)
    if part:
        yield part


def _add(whole: Any, part: Any) -> None:
    for name in ("events", "states", "reassignments", "reopenings"):
        setattr(whole, name, getattr(whole, name) + getattr(part, name))
    whole.refused += part.refused
    whole.different += part.different
    whole.kept |= part.kept


# --- the report ---------------------------------------------------------------------------------


def _report(log: Sequence[Incident], tally: Any, seconds: float, workers: int) -> dict[str, Any]:
    counted = _counted(log)
    limits, comparison = _promises(log, tally.kept)
    reproduced = {name: getattr(tally, name) for name in ("states", "reassignments", "reopenings")}
    return {
        "ok": all(reproduced[name] == counted[name] for name in reproduced),
        "incidents": len(log),
        "events": tally.events,
        "seconds": round(seconds, 1),
        "events_per_second": round(tally.events / seconds),
        "workers": workers,
        "load_before_and_after": [round(load, 1) for load in os.getloadavg()],
        "log": counted,
        "reproduced": reproduced,
        "refused": dict(Counter(tally.refused)),
        "different": sorted(tally.different)[:SHOWN],
        "promises": asdict(comparison),
        "limits_that_fit_the_log": asdict(limits),
    }


def _counted(log: Sequence[Incident]) -> dict[str, int]:
    """What the log says. A reassignment that leaves the department as it is cannot be seen in it."""
    pairs = [pair for one in log for pair in zip(one.events, one.events[1:], strict=False)]
    moved = sum(before.group != after.group for before, after in pairs)
    return {
        "states": sum(len(one.events) for one in log),
        "reassignments": moved,
        "reassignments_within_a_department": sum(one.events[-1].reassigned for one in log) - moved,
        "reopenings": sum(one.events[-1].reopened for one in log),
    }


def _promises(log: Sequence[Incident], kept: dict[str, bool]) -> tuple[Limits, Comparison]:
    from guanjia.cases.models import ClockKind
    from guanjia.cases.promises import About, book
    from guanjia.demo.replay.promises import compare, fit

    promise = book().promise(ClockKind.RESOLUTION, About(tier="pool"), log[0].opened_at)
    assert promise is not None
    limits = fit(log)
    schedule = book().counting(promise.calendar).schedule
    return limits, compare(log, kept, target=promise.seconds, schedule=schedule, limits=limits)


def _lines(report: dict[str, Any]) -> Iterator[str]:
    yield f"{report['incidents']:,} incidents, {report['events']:,} events in {report['seconds']:,} s:"
    yield f"  {report['events_per_second']:,} events a second, {report['workers']} processes"
    for name, count in report["reproduced"].items():
        yield f"  {name:<14} {count:>8,} of {report['log'][name]:,} reproduced"
    unseen = report["log"]["reassignments_within_a_department"]
    yield f"  {unseen:,} more reassignments stay within a department and cannot be seen in the log"
    for reason, count in report["refused"].items():
        yield f"  refused        {count:>8,} {reason}"
    promises = report["promises"]
    yield f"  promises       {promises['both']:,} kept by both, {promises['neither']:,} by neither,"
    yield f"                 {promises['only_ours']:,} by our clocks alone,"
    yield f"                 {promises['only_log']:,} by the log's flag alone, because"
    for reason, count in promises["because"].items():
        yield f"    {count:>8,} {reason}"
    for one in report["different"]:
        yield f"  different      {one}"
