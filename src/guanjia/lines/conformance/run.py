"""Runs every check against one line and collects the report."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import aiohttp

from guanjia.lines.client import LineEndpoint
from guanjia.lines.conformance import endings, everywhere, final, holds
from guanjia.lines.conformance.manifest import read_manifest
from guanjia.lines.conformance.prober import Breach, Prober, Seal, Skip
from guanjia.lines.conformance.report import Report, Result, Trace, Verdict
from guanjia.lines.conformance.rules import TITLES, UNSEEN, both, order
from guanjia.lines.conformance.samples import fitting
from guanjia.lines.conformance.trial import Check, Sleep, Trial
from guanjia.lines.protocol.messages import MANIFEST_PATH, Manifest, ServiceSpec, Texts

Params = Mapping[str, Mapping[str, Any]]

_WATCHED = ("2.1", "2.2", "2.3", "2.4", "2.5", "2.6")
_ALL = (*holds.CHECKS, *endings.CHECKS, *final.CHECKS)
_WEIGHT = {Verdict.FAILED: 0, Verdict.OK: 1, Verdict.SKIPPED: 2}
_NOT_REACHED = both("没有可试的服务", "there was no service to try it on")
_NO_PARAMS = both("从模式造不出参数，请用 --params 给出", "no parameters could be made: use --params")
_BAD_SCHEMA = both("参数模式不可用（见 4.1.1）", "the schema cannot be used (4.1.1)")
_NO_MONEY = both("没有出现金额", "no money was seen")


async def check(
    endpoint: LineEndpoint,
    session: aiohttp.ClientSession,
    *,
    params: Params | None = None,
    confirm: bool = True,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Sleep = asyncio.sleep,
) -> Report:
    """Try the line at `endpoint` against every rule of LP/1.

    `session`: from `ssrf.guarded_session`. `params`: by service code, for services whose schema is
    not enough to make some. `confirm`: make one real, final confirm per service. Takes a few
    seconds per service, for holds to lapse. Raises nothing for what the line does.
    """
    prober = Prober(endpoint, session, now)
    answer = await prober.send("GET", MANIFEST_PATH, seal=Seal(absent=True))
    manifest, results = read_manifest(answer)
    trials = _trials(manifest, prober, params or {}, results, confirm=confirm, sleep=sleep)
    for number, trial in enumerate(trials):
        if number == 0:
            results += await _tried(everywhere.CHECKS, trial, None)
        results += await _tried(_ALL, trial, trial.spec.code)
    return Report(
        url=endpoint.base_url,
        line=manifest.line if manifest else None,
        results=_complete(_with_watched(results, prober, manifest)),
        confirmed=_traces(trial.confirmed for trial in trials),
        left_behind=_traces(trial.left_behind for trial in trials),
    )


def _trials(
    manifest: Manifest | None,
    prober: Prober,
    params: Params,
    results: list[Result],
    *,
    confirm: bool,
    sleep: Sleep,
) -> list[Trial]:
    """A trial for each service that can be tried; the others are written into `results`."""
    unusable = {result.service for result in results if result.verdict is Verdict.FAILED}
    trials = []
    for spec in manifest.services if manifest else ():
        given = None if spec.code in unusable else _params(spec, params, prober)
        if given is None:
            note = _BAD_SCHEMA if spec.code in unusable else _NO_PARAMS
            results += _skipped(_ALL, spec.code, note)
        else:
            trials.append(Trial(prober, spec, given, may_confirm=confirm, sleep=sleep))
    return trials


def _params(spec: ServiceSpec, params: Params, prober: Prober) -> Mapping[str, Any] | None:
    if spec.code in params:
        return params[spec.code]
    return fitting(spec.schema, prober.now().date())


def _skipped(checks: Iterable[Check], service: str | None, note: Texts) -> list[Result]:
    return [Result(one.rule, Verdict.SKIPPED, service, notes=(note,)) for one in checks]


async def _tried(checks: Iterable[Check], trial: Trial, service: str | None) -> list[Result]:
    return [await _one(check, trial, service) for check in checks]


async def _one(check: Check, trial: Trial, service: str | None) -> Result:
    try:
        await check.run(trial)
    except Breach as breach:
        return Result(check.rule, Verdict.FAILED, service, failure=breach.failure)
    except Skip as skip:
        return Result(check.rule, Verdict.SKIPPED, service, notes=(skip.note,))
    finally:
        await trial.tidy()
    return Result(check.rule, Verdict.OK, service)


def _merged(results: Iterable[Result]) -> Iterator[Result]:
    """One result for each rule and service: one failure breaks it, one success is enough.

    What could not be tried of a rule that passed stays with it as notes.
    """
    groups: dict[tuple[str, str | None], list[Result]] = {}
    for result in results:
        groups.setdefault((result.rule, result.service), []).append(result)
    for group in groups.values():
        worst = min(group, key=lambda result: _WEIGHT[result.verdict])
        texts = {note["en"]: note for result in group for note in result.notes}
        yield replace(worst, notes=tuple(texts.values()))


def _with_watched(results: list[Result], prober: Prober, manifest: Manifest | None) -> list[Result]:
    """Add the rules that were watched on every answer, unless a check of theirs failed already."""
    for rule in _WATCHED:
        mine = [result for result in results if result.rule == rule]
        if any(result.verdict is Verdict.FAILED for result in mine):
            continue
        if rule in prober.broken:
            failed = Result(rule, Verdict.FAILED, failure=prober.broken[rule])
            results = [*(result for result in results if result.rule != rule), failed]
        elif manifest and not mine:
            results = [*results, _unbroken(rule, prober, manifest)]
    return results


def _unbroken(rule: str, prober: Prober, manifest: Manifest) -> Result:
    priced = any(spec.price for spec in manifest.services)
    if rule == "2.3" and not priced and not prober.quoted:
        return Result(rule, Verdict.SKIPPED, notes=(_NO_MONEY,))
    return Result(rule, Verdict.OK)


def _complete(results: list[Result]) -> tuple[Result, ...]:
    """In the order of the page, with the rules that could not be tried and why."""
    tried = {result.rule for result in results}
    missing = [
        Result(rule, Verdict.SKIPPED, notes=(UNSEEN.get(rule, _NOT_REACHED),))
        for rule in TITLES
        if rule not in tried
    ]
    return tuple(sorted([*_merged(results), *missing], key=lambda result: order(result.rule)))


def _traces(groups: Iterable[list[Trace]]) -> tuple[Trace, ...]:
    return tuple(trace for group in groups for trace in group)
