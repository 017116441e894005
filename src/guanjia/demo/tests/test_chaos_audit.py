"""The auditor of the chaos run sees each thing that must not be, and nothing where all is well."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from guanjia.demo.chaos.audit import audit
from guanjia.demo.chaos.line import TABLES
from guanjia.demo.chaos.plan import KILLED, make_plan

SEATS = 2


@pytest.fixture
def lines(tmp_path):
    """Two lines with one slot each."""
    files = [tmp_path / "stalls.db", tmp_path / "halls.db"]
    for file in files:
        with closing(sqlite3.connect(file)) as db:
            db.executescript(TABLES)
            db.execute("INSERT INTO slot VALUES ('s000', ?, ?)", (SEATS, SEATS))
            db.commit()
    return files


def book(file, hold, *events, wish="w1", item=1, size=2):
    """A booking with its journal; the state is the last event's, and a live one takes a seat."""
    with closing(sqlite3.connect(file)) as db:
        about = (hold, "s000", wish, "PK-1", item, size, events[-1])
        db.execute(
            "INSERT INTO booking (hold_id, slot, wish, package, item, size, state)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            about,
        )
        for event in events:
            db.execute("INSERT INTO journal (at, hold_id, event) VALUES (0, ?, ?)", (hold, event))
        if events[-1] in ("held", "confirmed"):
            db.execute("UPDATE slot SET free = free - 1")
        db.commit()


def kinds(found):
    counts = {
        "half": len(found.half_packages),
        "double": len(found.double_bookings),
        "lost": len(found.lost_holds),
        "late": len(found.confirmed_too_late),
        "adrift": len(found.seats_adrift),
    }
    return {kind: count for kind, count in counts.items() if count}


def test_whole_released_refused_and_lapsed_packages_are_in_order(lines):
    stalls, halls = lines
    book(stalls, "a", "held", "confirmed", wish="w1", item=1)
    book(halls, "b", "held", "confirmed", wish="w1", item=2)
    book(stalls, "c", "held", "released", wish="w2", item=1)
    book(halls, "d", "held", "refused", wish="w2", item=2)
    book(halls, "e", "held", "lapsed", wish="w3", item=1)
    found = audit(lines)
    assert kinds(found) == {}
    assert found.states == {"confirmed": 2, "released": 1, "refused": 1, "lapsed": 1}


def test_a_package_confirmed_on_one_line_only_is_half_also_when_the_other_never_heard_of_it(lines):
    book(lines[0], "a", "held", "confirmed")
    found = audit(lines)
    assert kinds(found) == {"half": 1}
    assert found.half_packages[0].wish == "w1"
    assert found.half_packages[0].text == "[1] of 2 items are confirmed"


def test_an_item_booked_twice_is_double(lines):
    book(lines[0], "a", "held", "confirmed", size=1)
    book(lines[0], "a", "held", "confirmed", size=1)
    assert kinds(audit(lines)) == {"double": 1}


def test_more_bookings_than_seats_are_double(lines):
    for number in range(SEATS + 1):
        book(lines[0], f"h{number}", "held", "confirmed", wish=f"w{number}", size=1)
    assert kinds(audit(lines)) == {"double": 1}


def test_a_hold_that_stays_is_lost(lines):
    book(lines[1], "a", "held")
    assert kinds(audit(lines)) == {"lost": 1}


@pytest.mark.parametrize("event", ["released", "refused", "lapsed"])
def test_a_confirm_after_the_end_is_too_late(lines, event):
    book(lines[0], "a", "held", event, "confirmed", size=1)
    assert kinds(audit(lines)) == {"late": 1}


def test_a_seat_given_back_twice_is_adrift(lines):
    with closing(sqlite3.connect(lines[0])) as db:
        db.execute("UPDATE slot SET free = free + 1")
        db.commit()
    assert kinds(audit(lines)) == {"adrift": 1}


def test_the_journal_cannot_be_rewritten(lines):
    book(lines[0], "a", "held")
    with closing(sqlite3.connect(lines[0])) as db:
        for statement in ("UPDATE journal SET event = 'confirmed'", "DELETE FROM journal"):
            with pytest.raises(sqlite3.IntegrityError):
                db.execute(statement)


def test_a_seed_makes_the_same_plan_again_and_everything_dies_at_least_once():
    plan = make_plan("storm", 7, packages=40, kills=10)
    assert plan == make_plan("storm", 7, packages=40, kills=10)
    assert plan != make_plan("storm", 8, packages=40, kills=10)
    assert {kill.name for kill in plan.kills} == set(KILLED)
    assert len({wish.ref for wish in plan.wishes}) == 40
