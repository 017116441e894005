"""The circuit breaker, state by state."""

from dataclasses import replace
from random import Random

import pytest

from guanjia.lines.circuit import Circuit, Policy, Position

POLICY = Policy(failures=3, first=2.0, cap=10.0)


class Fixed:
    """A random number generator with one answer."""

    def __init__(self, value: float) -> None:
        self.value = value

    def random(self) -> float:
        return self.value


FULL = Fixed(1.0)  # not reachable with a real generator; makes the intervals round


def fail(circuit: Circuit, now: float, **more) -> Circuit:
    return circuit.failed(circuit.era, now, POLICY, more.pop("rng", FULL), **more)


def opened(times: int, now: float = 0.0) -> Circuit:
    """A circuit that has been opened `times` times in a row, the last time about `now`."""
    circuit = Circuit()
    for _ in range(POLICY.failures):
        circuit = fail(circuit, now)
    for _ in range(times - 1):
        probe = circuit.admit(circuit.until)
        assert probe is not None
        circuit = fail(probe, circuit.until)
    return circuit


def test_a_new_circuit_is_closed_and_lets_calls_through_unchanged():
    circuit = Circuit()
    assert circuit.position(0.0) is Position.CLOSED
    assert circuit.retry_at() is None
    assert circuit.admit(0.0) is circuit


def test_failures_below_the_threshold_keep_it_closed():
    circuit = fail(fail(Circuit(), 0.0), 1.0)
    assert circuit == Circuit(failures=2)
    assert circuit.admit(1.0) is circuit


def test_a_success_between_failures_starts_the_count_again():
    circuit = fail(fail(Circuit(), 0.0), 0.0)
    circuit = circuit.succeeded(circuit.era)
    assert circuit == Circuit()
    assert fail(fail(circuit, 0.0), 0.0).position(0.0) is Position.CLOSED


def test_a_success_of_a_quiet_circuit_changes_nothing():
    circuit = Circuit()
    assert circuit.succeeded(circuit.era) is circuit


def test_the_nth_failure_in_a_row_opens_it_for_the_first_interval():
    circuit = opened(1, now=100.0)
    assert circuit.position(101.9) is Position.OPEN
    assert circuit.retry_at() == 102.0
    assert circuit.admit(101.9) is None


def test_after_the_interval_exactly_one_probe_goes_out():
    circuit = opened(1)
    assert circuit.position(2.0) is Position.HALF_OPEN
    probing = circuit.admit(2.0)
    assert probing is not None
    assert probing.position(2.0) is Position.HALF_OPEN
    assert probing.admit(2.0) is None
    assert probing.admit(1000.0) is None


def test_an_answered_probe_closes_it():
    probing = opened(3).admit(1000.0)
    assert probing is not None
    closed = probing.succeeded(probing.era)
    assert closed.position(1000.0) is Position.CLOSED
    assert (closed.failures, closed.opened, closed.retry_at()) == (0, 0, None)
    assert closed.admit(1000.0) is closed


def test_the_count_starts_afresh_after_closing():
    probing = opened(1).admit(2.0)
    assert probing is not None
    closed = probing.succeeded(probing.era)
    assert fail(fail(closed, 3.0), 3.0).position(3.0) is Position.CLOSED
    reopened = fail(fail(fail(closed, 3.0), 3.0), 3.0)
    assert reopened.retry_at() == 5.0  # the first interval again


@pytest.mark.parametrize(("times", "interval"), [(1, 2.0), (2, 4.0), (3, 8.0), (4, 10.0), (9, 10.0)])
def test_each_failed_probe_doubles_the_interval_up_to_the_cap(times, interval):
    before = opened(times - 1).until if times > 1 else 0.0
    assert opened(times).until - before == interval


def test_a_very_long_outage_does_not_overflow():
    circuit = replace(opened(1), opened=5000, probing=True)
    assert fail(circuit, 0.0).until == POLICY.cap


@pytest.mark.parametrize(("draw", "until"), [(0.0, 1.0), (0.5, 1.5), (1.0, 2.0)])
def test_jitter_takes_up_to_half_of_the_interval_away(draw, until):
    circuit = replace(Circuit(), failures=2)
    assert fail(circuit, 0.0, rng=Fixed(draw)).until == until


def test_a_seeded_generator_gives_the_same_interval_twice():
    almost = replace(Circuit(), failures=2)
    assert fail(almost, 0.0, rng=Random(7)) == fail(almost, 0.0, rng=Random(7))


@pytest.mark.parametrize(("asked", "until"), [(1.0, 2.0), (30.0, 30.0), (None, 2.0)])
def test_the_lines_own_retry_after_can_only_lengthen_the_interval(asked, until):
    almost = replace(Circuit(), failures=2)
    assert fail(almost, 0.0, not_before=asked).until == until


def test_calls_that_fail_together_open_it_once():
    circuit = Circuit()
    era = circuit.era
    for _ in range(32):
        circuit = circuit.failed(era, 0.0, POLICY, FULL)
    assert circuit.opened == 1
    assert circuit.until == 2.0


def test_an_old_calls_success_does_not_close_an_open_circuit():
    circuit = opened(1)
    assert circuit.succeeded(era=0) is circuit


def test_an_old_calls_failure_does_not_count_against_the_probe():
    probing = opened(1).admit(2.0)
    assert probing is not None
    assert probing.failed(0, 2.0, POLICY, FULL) is probing
    assert probing.succeeded(0) is probing


def test_a_probe_without_outcome_makes_room_for_another():
    probing = opened(1).admit(2.0)
    assert probing is not None
    again = probing.abandoned(probing.era)
    assert again.position(2.0) is Position.HALF_OPEN
    assert again.admit(2.0) is not None


def test_only_the_probe_itself_can_be_abandoned():
    probing = opened(1).admit(2.0)
    assert probing is not None
    assert probing.abandoned(0) is probing
    closed = Circuit()
    assert closed.abandoned(closed.era) is closed
