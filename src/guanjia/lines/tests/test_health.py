"""What a worker knows of a line: kept in memory per call, written down now and then."""

from datetime import timedelta

import pytest

from guanjia.lines.circuit import Circuit
from guanjia.lines.health import write_vitals
from guanjia.lines.models import LineVital
from guanjia.lines.vitals import Reading, Vitals

CLOSED = Circuit()


def test_a_reading_tells_percentiles_by_nearest_rank(noon):
    vitals = Vitals()
    for milliseconds in range(1, 101):
        vitals.note(milliseconds / 1000, "", noon)
    reading = vitals.read("moon", CLOSED, 0.0, noon)
    assert reading == Reading("moon", "closed", None, noon, None, "", 100, 50, 95)


def test_a_reading_remembers_the_last_fault_and_when_the_next_call_is(noon):
    vitals = Vitals()
    vitals.note(0.2, "status_503", noon)
    reading = vitals.read("moon", Circuit(failures=5, opened=1, until=107.0), 100.0, noon)
    assert (reading.circuit, reading.retry_at) == ("open", noon + timedelta(seconds=7))
    assert (reading.ok_at, reading.fault_at, reading.fault) == (None, noon, "status_503")


def test_only_what_was_called_since_is_fresh(noon):
    vitals = Vitals()
    assert not vitals.fresh
    vitals.note(0.1, "", noon)
    assert vitals.fresh
    vitals.read("moon", CLOSED, 0.0, noon)
    assert not vitals.fresh


def test_no_calls_have_no_percentiles(noon):
    assert Vitals().read("moon", CLOSED, 0.0, noon).p95_ms is None


def reading(line="display-slots", **changes):
    about = {"circuit": "closed", "retry_at": None, "ok_at": None, "fault_at": None, "fault": ""}
    return Reading(line=line, **about | {"calls": 1, "p50_ms": 4, "p95_ms": 9} | changes)


def test_readings_are_written_in_one_statement_and_for_known_lines_only(
    cast, noon, django_assert_num_queries
):
    with django_assert_num_queries(1):
        write_vitals([reading(ok_at=noon), reading("warehousing"), reading("nobody")], noon)
    found = LineVital.objects.order_by("line__slug").values_list("line__slug", "ok_at", "p50_ms", "seen_at")
    assert list(found) == [("display-slots", noon, 4, noon), ("warehousing", None, 4, noon)]


@pytest.mark.parametrize("first", ["fault", "calm"])
def test_of_two_workers_neither_hides_the_others_last_fault(cast, noon, first):
    later = noon + timedelta(seconds=5)
    fault = reading(fault="timeout", fault_at=noon, circuit="open")
    calm = reading(ok_at=later)
    for one in (fault, calm) if first == "fault" else (calm, fault):
        write_vitals([one], later)
    vital = LineVital.objects.get()
    assert (vital.fault, vital.fault_at, vital.ok_at) == ("timeout", noon, later)


def test_nothing_is_written_where_nobody_was_called(db, noon, django_assert_num_queries):
    with django_assert_num_queries(0):
        write_vitals([], noon)
