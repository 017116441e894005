"""Where our clocks and the log's own flag disagree about a promise, and why: the log's rules are put in
place of ours one after the other, until the two agree."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from guanjia.core.clock import Schedule
from guanjia.demo.replay.records import Incident, Stage

OVER = (Stage.RESOLVED, Stage.CLOSED)


@dataclass(frozen=True, slots=True)
class Limits:
    """The log does not say what was promised. `seconds` by priority are the limits that agree best with its
    flag when the time from opening to closing is counted day and night; `agree` of `incidents` do."""

    seconds: Mapping[int, int]
    agree: int
    incidents: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many incidents were kept by both, by neither, by ours or by the log's alone; of the last two,
    which of the log's rules explains how many."""

    both: int
    neither: int
    only_ours: int
    only_log: int
    because: Mapping[str, int]


def fit(incidents: Iterable[Incident]) -> Limits:
    """For each priority the limit with the fewest disagreements; ties go to the shortest."""
    by_priority: dict[int, list[tuple[int, bool]]] = defaultdict(list)
    for incident in incidents:
        if incident.closed_at is not None:
            by_priority[_priority(incident)].append((_wall(incident), incident.made_sla))
    found = {priority: _best(sorted(cases)) for priority, cases in by_priority.items()}
    return Limits(
        seconds={priority: limit for priority, (limit, _agree) in sorted(found.items())},
        agree=sum(agree for _limit, agree in found.values()),
        incidents=sum(map(len, by_priority.values())),
    )


def _best(cases: Sequence[tuple[int, bool]]) -> tuple[int, int]:
    """(limit, how many agree) for what is at most the limit being kept."""
    lasted = [seconds for seconds, _kept in cases]
    kept_before = [0]
    for _seconds, kept in cases:
        kept_before.append(kept_before[-1] + kept)
    broken = len(cases) - kept_before[-1]
    best = (0, broken)
    for limit in sorted(set(lasted)):
        within = bisect_right(lasted, limit)
        agree = kept_before[within] + broken - (within - kept_before[within])
        best = max(best, (limit, agree), key=lambda one: (one[1], -one[0]))
    return best


def compare(
    incidents: Iterable[Incident],
    kept: Mapping[str, bool],
    *,
    target: int,
    schedule: Schedule,
    limits: Limits,
) -> Comparison:
    """`kept` is what our clocks said in the end; `target` is our promise in open seconds of `schedule`."""
    table: Counter[tuple[bool, bool]] = Counter()
    because: Counter[str] = Counter()
    for incident in incidents:
        ours, log = kept[incident.number], incident.made_sla
        table[ours, log] += 1
        if ours != log:
            because[_reason(incident, target, schedule, limits)] += 1
    return Comparison(
        both=table[True, True],
        neither=table[False, False],
        only_ours=table[True, False],
        only_log=table[False, True],
        because=dict(because.most_common()),
    )


def _reason(incident: Incident, target: int, schedule: Schedule, limits: Limits) -> str:
    """The first of the log's rules with which our clock would have said what the log says."""
    waits, solved = _running(incident, waits=True), _running(incident, waits=False)
    variants = {
        "the log's clock goes on while the caller has to answer": _open(waits, schedule) <= target,
        "the log counts until it is closed, days after it was solved": _until_closed(incident, schedule)
        <= target,
        "the log counts day and night, with another limit": _wall(incident)
        <= limits.seconds.get(_priority(incident), 0),
        "a case that came back is one promise there, one for each time here": _open(solved, schedule)
        <= target,
    }
    for reason, kept in variants.items():
        if kept == incident.made_sla:
            return reason
    return "not explained"


def _running(incident: Incident, *, waits: bool) -> list[tuple[datetime, datetime]]:
    """When our clock would have run, with or without the time that the caller was waited for."""
    stands = OVER if waits else (*OVER, Stage.WAITING_USER)
    found, stage, since = [], Stage.OPEN, incident.opened_at
    for event in incident.events:
        if stage not in stands and since < event.at:
            found.append((since, event.at))
        since = max(since, event.at)
        stage = stage if event.stage is Stage.UNCHANGED else event.stage
    return found


def _open(stretches: Iterable[tuple[datetime, datetime]], schedule: Schedule) -> int:
    return sum(schedule.elapsed(start, end) for start, end in stretches)


def _until_closed(incident: Incident, schedule: Schedule) -> int:
    return schedule.elapsed(incident.opened_at, incident.closed_at or incident.events[-1].at)


def _wall(incident: Incident) -> int:
    return int(((incident.closed_at or incident.events[-1].at) - incident.opened_at).total_seconds())


def _priority(incident: Incident) -> int:
    return incident.events[-1].priority
