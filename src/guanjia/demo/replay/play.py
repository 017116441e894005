"""An incident, played by the actions that people use: opened, routed, waiting, solved, back again.

The service desk's lead does all of it for the pool that answers for every caller; a department's stint is
a task of its team, which holds the case open. What a row says and our case cannot follow is counted, with
the reason. Needs Django.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from django.db import transaction

from guanjia.base.errors import Refusal
from guanjia.base.sql import prepared
from guanjia.cases.actions import (
    AboutItem,
    close_cases,
    open_case,
    reopen_case,
    say,
    set_priority,
    solve_case,
    start_clock,
    stop_item_clocks,
    stop_waiting,
    wait_for_merchant,
)
from guanjia.cases.actions.tasks import ask_task, drop_task, finish_task, give_task
from guanjia.cases.models import Case, CaseState, Clock, ClockKind
from guanjia.cases.rules import WAIT_DAYS_MOST
from guanjia.cases.timing import reading
from guanjia.core.clock import Status
from guanjia.demo.replay.records import Event, Incident, Stage
from guanjia.demo.replay.world import OUTSIDE, World, ref_of
from guanjia.lines.models import Line
from guanjia.people.models import User

OVER = (Stage.RESOLVED, Stage.CLOSED)
STATES = {
    Stage.OPEN: CaseState.OPEN,
    Stage.WAITING_USER: CaseState.WAITING_MERCHANT,
    Stage.WAITING_OTHERS: CaseState.WAITING_LINE,
    Stage.RESOLVED: CaseState.SOLVED,
    Stage.CLOSED: CaseState.CLOSED,
}


@dataclass(slots=True)
class Tally:
    """What became of the events of some incidents. `different` names rows whose state or department is
    not the log's afterwards; `refused` counts the reasons. `kept`: incident -> was our promise kept."""

    events: int = 0
    states: int = 0
    reassignments: int = 0
    reopenings: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    different: list[str] = field(default_factory=list)
    kept: dict[str, bool] = field(default_factory=dict)


def play_all(incidents: list[Incident], world: World) -> Tally:
    """One incident after the other; times are the log's."""
    tally = Tally()
    desk = User.objects.get(pk=world.desk)
    lines = {line.slug: line for line in Line.objects.all()}
    for incident in incidents:
        Play(incident, world, desk, lines, tally).play()
    return tally


@dataclass(slots=True)
class Play:
    """One incident. `stage`, `group` and `priority` are where the log was before the present row."""

    incident: Incident
    world: World
    desk: User
    lines: dict[str, Line]
    tally: Tally
    number: str = ""
    case: int = 0
    stage: Stage = Stage.OPEN
    group: str = ""
    priority: int = 3
    reopened: int = 0
    task: int | None = None
    stint: int | None = None
    """The last task, ended or not: its team is the department that has the case, or had it at the end."""
    waits_for: UUID | None = None

    def play(self) -> None:
        self._open()
        for event in self.incident.events:
            self._row(event)
        self.tally.kept[self.incident.number] = self._kept()

    def _open(self) -> None:
        at, caller = self.incident.opened_at, ref_of(self.incident.caller)
        case = open_case(actor=self.desk, merchant_ref=caller, need=self.incident.number, now=at)
        self.number, self.case = case.number, case.pk

    def _row(self, event: Event) -> None:
        """What the row changes, done; then our rows compared with it."""
        at, stage = event.at, self.stage if event.stage is Stage.UNCHANGED else event.stage
        before = (self.stage, self.group, self.priority)
        try:
            self._follow(event, stage, at)
        except Refusal as refusal:
            self.tally.refused[refusal.code] += 1
        if before == (stage, event.group, event.priority):
            body = f"updated: {event.state}"
            say(actor=self.desk, number=self.number, body=body, internal=True, now=at)
        self._compare(event, stage)
        self.stage, self.group, self.priority = stage, event.group, event.priority
        self.reopened = event.reopened

    def _follow(self, event: Event, stage: Stage, at: datetime) -> None:
        if stage is not self.stage:
            self._leave(stage, at)
        if event.priority != self.priority:
            set_priority(actor=self.desk, number=self.number, priority=event.priority, now=at)
        if event.group != self.group or (self.task is None and event.group and stage not in OVER):
            self._route(event.group, at)
        if stage is not self.stage:
            self._enter(event, stage, at)

    # --- states ---------------------------------------------------------------------------------

    def _leave(self, stage: Stage, at: datetime) -> None:
        if self.stage is Stage.WAITING_USER:
            stop_waiting(actor=self.desk, number=self.number, now=at)
        elif self.stage is Stage.WAITING_OTHERS:
            self._others_have_answered(at)
        elif self.stage in OVER and stage not in OVER:
            reopen_case(actor=self.desk, number=self.number, now=at)

    def _enter(self, event: Event, stage: Stage, at: datetime) -> None:
        if stage is Stage.WAITING_USER:
            wait_for_merchant(actor=self.desk, number=self.number, days=WAIT_DAYS_MOST, now=at)
        elif stage is Stage.WAITING_OTHERS:
            self._wait_for_others(event, at)
        elif stage in OVER:
            self._finish(stage, at)

    def _finish(self, stage: Stage, at: datetime) -> None:
        if self.stage not in OVER:
            if self.task is not None:
                finish_task(actor=self.desk, task=self.task, now=at)
                self.task = None
            solve_case(actor=self.desk, number=self.number, now=at)
        if stage is Stage.CLOSED:
            close_cases(cases=[self.case], now=at)

    @transaction.atomic
    def _wait_for_others(self, event: Event, at: datetime) -> None:
        self.waits_for = uuid4()
        line = self.lines[OUTSIDE[event.state]]
        case = Case.objects.select_for_update(no_key=True).get(pk=self.case)
        about, kind = AboutItem(line, self.waits_for), ClockKind.LINE_DECISION
        days = 5 * 9 * 3600  # what nobody promised: five workdays
        start_clock(case=case, kind=kind, owner=line.lead, now=at, seconds=days, about=about)

    @transaction.atomic
    def _others_have_answered(self, at: datetime) -> None:
        assert self.waits_for is not None
        stop_item_clocks([self.waits_for], now=at)
        self.waits_for = None

    # --- routing --------------------------------------------------------------------------------

    def _route(self, group: str, at: datetime) -> None:
        """To this department; to none: the service desk has it back."""
        if not group:
            if self.task is not None:
                drop_task(actor=self.desk, task=self.task, reason="back to the desk", now=at)
            self.task = self.stint = None
            return
        doer = f"team:{self.world.teams[group]}"
        if self.task is None:
            asked = ask_task(actor=self.desk, number=self.number, title=group, doer=doer, now=at, work_days=3)
            self.task = self.stint = asked.pk
        else:
            give_task(actor=self.desk, task=self.task, doer=doer, now=at)

    # --- what our rows say ----------------------------------------------------------------------

    def _compare(self, event: Event, stage: Stage) -> None:
        [(state, team)] = prepared(_STANDS, {"case": self.case, "task": self.stint})
        ours = state == STATES[stage]
        self.tally.events += 1
        self.tally.states += ours
        if not ours:
            self.tally.different.append(
                f"{self.incident.number} {event.at:%d/%m/%Y %H:%M} {event.state}: {state}"
            )
        if self._moved(event):
            wanted = self.world.teams.get(event.group)
            self.tally.reassignments += team == wanted
            if team != wanted:
                self.tally.different.append(f"{self.incident.number} {event.at:%d/%m/%Y %H:%M} {event.group}")
        if event.reopened > self.reopened:
            self.tally.reopenings += ours

    def _moved(self, event: Event) -> bool:
        return event.group != self.group and event is not self.incident.events[0]

    def _kept(self) -> bool:
        """Every promise to have it done, one for each time it was open."""
        ours = Clock.objects.filter(case_id=self.case, kind=ClockKind.RESOLUTION)
        end = self.incident.events[-1].at
        read = [reading(clock, end) for clock in ours]
        return all(one.kept if one.status == Status.STOPPED else one.left >= 0 for one in read)


_STANDS = """
SELECT c.state, (SELECT t.team_id FROM cases_task t WHERE t.id = %(task)s::bigint)
FROM cases_case c WHERE c.id = %(case)s
"""
