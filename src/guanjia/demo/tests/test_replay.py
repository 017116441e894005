"""The replay: the log is read as it is meant, played as it says, and disagreements are explained."""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guanjia.base.sql import rows
from guanjia.cases.promises import ALWAYS
from guanjia.core.clock import Calendar, Hours, Schedule
from guanjia.demo.replay.play import play_all
from guanjia.demo.replay.promises import Limits, compare, fit
from guanjia.demo.replay.records import BadLog, Event, Incident, Stage, read_incidents
from guanjia.demo.replay.world import build_world, ref_of

REAL = Path(__file__).resolve().parents[5] / "shared" / "data" / "incident_events.csv.gz"
HEADER = (
    "number,incident_state,reassignment_count,reopen_count,made_sla,caller_id,opened_at,sys_updated_at,"
    "priority,assignment_group,assigned_to,resolved_at,closed_at"
)
MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def row(number, state, at, *, group="?", moved=0, back=0, sla="true", closed="9/3/2026 12:00"):
    stamp = f"{at.day}/{at.month}/{at.year} {at:%H:%M}"
    return (
        f"{number},{state},{moved},{back},{sla},Caller 7,2/3/2026 08:00,{stamp},3 - Moderate,"
        f"{group},?,{closed},{closed}"
    )


@pytest.fixture
def log(tmp_path):
    def write(*lines, header=HEADER, name="log.csv"):
        file = tmp_path / name
        file.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
        return file

    return write


def event(hours, stage, **more):
    given = {"state": stage, "group": "", "person": "", "reassigned": 0, "reopened": 0, "priority": 3}
    return Event(at=MONDAY + hours * HOUR, stage=Stage(stage), **(given | more))


def incident(*events, closed=24, kept=True, number="INC1"):
    return Incident(number, "Caller 7", MONDAY, MONDAY + closed * HOUR, kept, events)


# --- reading ------------------------------------------------------------------------------------


def test_rows_of_one_incident_belong_together_and_never_go_back_in_time(log):
    file = log(
        row("INC1", "New", MONDAY + HOUR, group="Group 5"),
        row("INC2", "New", MONDAY),
        row("INC1", "Active", MONDAY),
    )
    one, two = read_incidents(file)
    assert (one.number, [e.at for e in one.events]) == ("INC1", [MONDAY + HOUR, MONDAY + HOUR])
    assert [(e.stage, e.group) for e in one.events] == [("open", "Group 5"), ("open", "")]
    assert (two.number, two.caller, two.opened_at) == ("INC2", "Caller 7", MONDAY)


def test_a_packed_log_is_read_as_well(log, tmp_path):
    packed = tmp_path / "log.csv.gz"
    packed.write_bytes(gzip.compress(log(row("INC1", "New", MONDAY)).read_bytes()))
    assert [one.number for one in read_incidents(packed)] == ["INC1"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (row("INC1", "Lost", MONDAY), "row 2: no state 'Lost' is known"),
        (row("INC1", "New", MONDAY).replace(",2/3/2026 08:00,", ",2026-03-02,", 1), "opened_at '2026-03-02'"),
        (row("INC1", "New", MONDAY, moved="x"), "row 2: reassignment_count 'x' is not a number"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(log, line, says):
    with pytest.raises(BadLog, match=says):
        read_incidents(log(line))


def test_another_file_is_refused(log):
    with pytest.raises(BadLog, match="no column incident_state"):
        read_incidents(log("INC1", header="number"))


def test_callers_without_a_number_are_merchants_too():
    assert ref_of("Caller 2403") == "C-2403"
    assert ref_of("") != ref_of("somebody")


@pytest.fixture
def as_in_the_replay(settings):
    settings.CLOSE_AFTER, settings.REOPEN_WITHIN = timedelta(0), None


# --- playing ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("as_in_the_replay")
def test_states_departments_and_returns_are_what_the_log_says(db):
    played = incident(
        event(0, "open", group="Group 5"),
        event(1, "open", group="Group 9", reassigned=1),
        event(2, "waiting_user", group="Group 9", reassigned=1),
        event(4, "waiting_others", group="Group 9", reassigned=1, state="Awaiting Vendor"),
        event(5, "open", group="Group 9", reassigned=1, priority=1),
        event(5, "open", group="Group 9", reassigned=1, priority=1),
        event(6, "resolved", group="Group 5", reassigned=2, priority=1),
        event(7, "open", group="Group 5", reassigned=2, reopened=1, priority=1),
        event(8, "unchanged", group="", reassigned=3, reopened=1, priority=1),
        event(9, "closed", group="", reassigned=3, reopened=1, priority=1),
    )
    tally = play_all([played], build_world([played]))
    assert (tally.events, tally.states, tally.reassignments, tally.reopenings) == (10, 10, 3, 1)
    assert (tally.different, tally.refused, tally.kept) == ([], {}, {"INC1": True})
    assert rows("SELECT state, priority, opened_at FROM cases_case") == [("closed", 1, MONDAY)]
    told = [kind for (kind,) in rows("SELECT kind FROM ledger_event ORDER BY id")]
    assert told.count("cases.reopened") == 1
    assert told.count("cases.task_given") == 2


def test_what_our_case_does_not_follow_is_counted_with_the_reason(db):
    played = incident(event(0, "resolved"), event(1, "resolved", group="Group 5", reassigned=1))
    tally = play_all([played], build_world([played]))
    assert (tally.events, tally.states, tally.reassignments) == (2, 2, 0)
    assert tally.refused == {"already_solved": 1}
    assert tally.different == ["INC1 02/03/2026 09:00 Group 5"]


# --- comparing promises -------------------------------------------------------------------------

OFFICE = Schedule.of(Calendar("UTC", ((Hours(9 * 60, 18 * 60),),) * 5 + ((), ())))


def test_the_limit_that_fits_has_the_fewest_disagreements():
    lasted = [(10, True), (20, True), (30, False), (40, True), (50, False)]
    found = fit(incident(event(0, "open"), closed=hours, kept=kept) for hours, kept in lasted)
    assert found == Limits({3: 20 * 3600}, agree=4, incidents=5)


@pytest.mark.parametrize(
    ("events", "closed", "log", "because"),
    [
        (
            [event(0, "open"), event(2, "waiting_user"), event(8, "resolved")],
            9,
            False,
            "the log's clock goes on while the caller has to answer",
        ),
        (
            [event(0, "open"), event(2, "resolved"), event(120, "closed")],
            120,
            False,
            "the log counts until it is closed, days after it was solved",
        ),
        (
            [event(0, "open"), event(24, "resolved")],
            24,
            True,
            "the log counts day and night, with another limit",
        ),
    ],
)
def test_a_disagreement_is_explained_by_the_first_rule_that_removes_it(events, closed, log, because):
    ours = {"INC1": not log}
    one = incident(*events, closed=closed, kept=log)
    limits = Limits({3: 48 * 3600}, 1, 1)
    found = compare([one], ours, target=4 * 3600, schedule=OFFICE, limits=limits)
    assert found.because == {because: 1}
    assert (found.only_ours, found.only_log) == (int(not log), int(log))


def test_agreement_needs_no_reason():
    one = incident(event(0, "open"), event(1, "resolved"))
    found = compare([one], {"INC1": True}, target=3600, schedule=ALWAYS, limits=Limits({}, 0, 0))
    assert (found.both, found.neither, found.only_ours, found.only_log, found.because) == (1, 0, 0, 0, {})


@pytest.mark.slow
@pytest.mark.usefixtures("as_in_the_replay")
def test_real_incidents_are_reproduced(db):
    if not REAL.exists():
        pytest.skip("the incident log of UCI data set 498 is not there")
    log = read_incidents(REAL)
    assert (len(log), sum(len(one.events) for one in log)) == (20_769, 119_998)
    some = [one for one in log if one.events[-1].reopened or len(one.events) > 20][:12]
    tally = play_all(some, build_world(some))
    events = sum(len(one.events) for one in some)
    assert (tally.events, tally.states, tally.different) == (events, events, [])
    assert tally.reopenings == sum(one.events[-1].reopened for one in some) > 0
