"""Exactly one account manager at every instant, whoever writes and however many at once."""

import itertools
import random
import threading
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from guanjia.base.sql import rows
from guanjia.coverage.actions import PlannedAlready, assign
from guanjia.coverage.models import Responsibility, ResponsibilityRole
from guanjia.coverage.queries import accountable_for
from guanjia.demo.cast import make_user
from guanjia.people.actors import actor_of

AM = ResponsibilityRole.ACCOUNT_MANAGER
AT_ONCE, EACH = 8, 15
MINUTE = timedelta(minutes=1)


def write(merchant, holder, since, until=None, role=AM):
    """Straight into the table: no lock, no rule, only the constraints."""
    with transaction.atomic():
        return Responsibility.objects.create(
            merchant=merchant, role=role, during=(since, until), reason="x", person=holder
        )


def test_two_account_managers_at_one_instant_are_refused(cast, noon, unchanged):
    for since, until in ((noon, None), (noon - MINUTE, noon + MINUTE), (noon + MINUTE, noon + 2 * MINUTE)):
        with unchanged(), pytest.raises(IntegrityError, match="one_account_manager_at_every_instant"):
            write(cast.mira_shop, cast.yan, since, until)


def test_one_may_begin_at_the_instant_the_other_ends(cast, noon):
    write(cast.mo_shop, cast.lin, noon, noon + MINUTE)
    write(cast.mo_shop, cast.yan, noon + MINUTE)
    write(cast.mo_shop, cast.yan, noon - MINUTE, noon)


def test_a_range_that_is_empty_or_has_no_beginning_is_refused(cast, noon, unchanged):
    for since, until in ((noon, noon), (None, noon)):
        with unchanged(), pytest.raises(IntegrityError, match="responsibility_not_empty"):
            write(cast.mo_shop, cast.lin, since, until)


def test_a_holder_is_exactly_one(cast, noon, unchanged):
    for holders in ({}, {"person": cast.lin, "pool": cast.pool}):
        with (
            unchanged(),
            pytest.raises(IntegrityError, match="responsibility_one_holder"),
            transaction.atomic(),
        ):
            Responsibility.objects.create(
                merchant=cast.mo_shop, role=AM, during=(noon, None), reason="x", **holders
            )


def at_once(work):
    """Run `work(i)` in AT_ONCE threads that begin together; returns what they raised."""
    faults, together = [], threading.Barrier(AT_ONCE)

    def one(i):
        try:
            together.wait(timeout=30)
            work(i)
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=[i]) for i in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return faults


def overlaps():
    return rows(
        "SELECT a.id, b.id FROM coverage_responsibility a JOIN coverage_responsibility b"
        " ON a.merchant_id = b.merchant_id AND a.id < b.id AND a.during && b.during"
        " WHERE a.role = 'account_manager' AND b.role = 'account_manager'"
    )


def write_at_random(cast, noon, refused):
    def work(i):
        chance = random.Random(i)
        for _time in range(EACH):
            since = noon + chance.randrange(60) * MINUTE
            try:
                write(cast.mo_shop, cast.lin, since, since + chance.randrange(1, 10) * MINUTE)
            except IntegrityError:
                refused.append(since)

    return work


@pytest.mark.django_db(transaction=True)
def test_writers_at_once_never_leave_two(cast, noon):
    refused: list[datetime] = []
    faults = at_once(write_at_random(cast, noon, refused))
    # A deadlock between two inserts that both wait for the other is an answer too: one is rolled back.
    assert [fault for fault in faults if "deadlock" not in str(fault)] == []
    assert refused != []
    assert overlaps() == []
    for minute in range(70):
        assert accountable_for(cast.mo_shop, at=noon + minute * MINUTE).answerable in (cast.lin, cast.wei)


@pytest.mark.django_db(transaction=True)
def test_without_the_constraint_the_same_writers_do_leave_two(cast, noon):
    """The control: it is the constraint that holds, not luck."""
    name = "one_account_manager_at_every_instant"
    [(definition,)] = rows("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [name])
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE coverage_responsibility DROP CONSTRAINT {name}")
        try:
            assert at_once(write_at_random(cast, noon, [])) == []
            assert overlaps() != []
        finally:
            cursor.execute("DELETE FROM coverage_responsibility")
            cursor.execute(f"ALTER TABLE coverage_responsibility ADD CONSTRAINT {name} {definition}")


@pytest.mark.django_db(transaction=True)
def test_handovers_at_once_follow_each_other_without_a_gap(cast, noon):
    holders = [make_user(f"am{i}", f"AM {i}") for i in range(AT_ONCE)]
    refused = []

    def work(i):
        for turn in range(EACH):
            try:
                assign(
                    actor=actor_of(cast.wei),
                    merchant=cast.mira_shop,
                    role=AM,
                    holder=holders[i],
                    reason="轮岗",
                    now=noon + (1 + turn * AT_ONCE + i) * MINUTE,
                )
            except PlannedAlready as refusal:  # somebody's later instant was faster
                refused.append(refusal)

    assert at_once(work) == []
    history = Responsibility.objects.filter(merchant=cast.mira_shop).order_by("during")
    bounds = [(one.during.lower, one.during.upper) for one in history]
    assert len(bounds) > 1
    assert bounds[0][0] == noon
    assert bounds[-1][1] is None
    assert all(before[1] == after[0] for before, after in itertools.pairwise(bounds))
