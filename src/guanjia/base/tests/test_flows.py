from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection, transaction

from guanjia.base.flows import Engine, Turn, crew, engine, pulse, queue, wake
from guanjia.base.sql import rows, run

pytestmark = pytest.mark.django_db(transaction=True)

LIMIT = 20.0  # seconds before a test gives up waiting
FLOW = "toy.flow"
NOW = datetime(2026, 11, 11, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINE, THEIRS = 17, 23


@pytest.fixture
def dsn():
    at = connection.settings_dict
    return f"postgresql://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


@pytest.fixture
def answers():
    """The room's own rows: what was settled, one row for each answer."""
    run("CREATE TABLE toy_answer (id bigserial PRIMARY KEY, key bigint, answer text NOT NULL)")
    yield
    run("DROP TABLE toy_answer")


@pytest.fixture
def brisk(monkeypatch):
    """Housekeeping without its patience."""
    monkeypatch.setattr(engine, "KEEP_SECONDS", 0.05)
    monkeypatch.setattr(pulse, "STEADY_SECONDS", 0.0)
    monkeypatch.setattr(pulse, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(pulse, "LOOK_SECONDS", 0.05)


def named(name):
    toy = Toy()
    toy.name = name
    return toy


class Toy:
    """Asks once per flow, writes the answer down and ends. `on_answer` may break things in the settle."""

    name = FLOW

    def __init__(self, on_answer=lambda key: None, on_call=None):
        self.on_answer = on_answer
        self.on_call = on_call
        self.batches: list[list[int]] = []
        self.calls: list[int] = []

    def settle(self, batch, now):
        self.batches.append([key for key, _ in batch])
        return [self._turn(key, answers) for key, answers in batch]

    def _turn(self, key, answers):
        for answer in answers:
            run("INSERT INTO toy_answer (key, answer) VALUES (%s, %s)", [key, answer])
            self.on_answer(key)
        return Turn(key, () if answers else (key,), None)

    async def perform(self, call):
        self.calls.append(call)
        if self.on_call:
            await self.on_call(call)
        return f"answer {call}"


def value(dsn, statement):
    with psycopg.connect(dsn, connect_timeout=5) as session:
        return session.execute(statement).fetchall()


def flows(dsn):
    return value(dsn, "SELECT key, due_at, lease FROM base_flow ORDER BY key")


async def until(condition):
    """Wait for what the database shows. `condition` runs in a thread: it may block."""
    end = time.monotonic() + LIMIT
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


def work(workers, dsn, *steps, change=None, **options):
    """Run these kinds of flow, each in a worker of its own, await the steps one after the other, and stop;
    a failed engine fails the test."""

    async def main():
        stop = asyncio.Event()
        running = [asyncio.create_task(_work(kinds, dsn, stop, change, options)) for kinds in workers]
        try:
            for step in steps:
                await step()
        finally:
            stop.set()
            await asyncio.wait_for(asyncio.gather(*running), LIMIT)

    asyncio.run(main())


async def _work(kinds, dsn, stop, change, options):
    async with crew(dsn, threads=2) as members, asyncio.TaskGroup() as running:
        for kind in kinds:
            worker = Engine(kind, members, **options)
            if change:
                change(worker)
            running.create_task(worker.run(stop))


def settled(dsn, count):
    return lambda: until(lambda: value(dsn, "SELECT count(*) FROM toy_answer") == [(count,)])


def empty(dsn):
    return lambda: until(lambda: flows(dsn) == [])


def free_the_dead(now):
    return run(queue.FREE_THE_DEAD, {"now": now})


def begin(*keys):
    with transaction.atomic():
        wake(FLOW, keys, NOW, NOW)


# --- the queue ----------------------------------------------------------------------------------


def test_a_flow_is_claimed_once_and_the_longest_overdue_first():
    wake(FLOW, [1], NOW, NOW)
    wake(FLOW, [2, 2], NOW - HOUR, NOW)
    wake(FLOW, [3], NOW + HOUR, NOW)
    assert queue.claim(FLOW, MINE, 1, NOW) == [2]
    assert queue.claim(FLOW, THEIRS, 9, NOW) == [1]
    assert queue.claim(FLOW, MINE, 9, NOW) == []


def test_waking_never_makes_a_flow_later():
    wake(FLOW, [1], NOW, NOW)
    wake(FLOW, [1], NOW + HOUR, NOW)
    assert rows("SELECT due_at FROM base_flow") == [(NOW,)]


def test_a_flow_woken_in_a_transaction_that_rolls_back_was_never_woken():
    with transaction.atomic():
        wake(FLOW, [1], NOW, NOW)
        transaction.set_rollback(True)
    assert rows("SELECT key FROM base_flow") == []


def test_what_is_put_back_waits_for_its_time_and_what_is_over_is_gone():
    wake(FLOW, [1, 2], NOW, NOW)
    queue.claim(FLOW, MINE, 9, NOW)
    queue.put_back(FLOW, MINE, {1: NOW + HOUR, 2: None})
    assert rows("SELECT key, due_at, lease FROM base_flow") == [(1, NOW + HOUR, None)]


@pytest.mark.parametrize("next_time", [NOW + HOUR, None])
def test_a_wake_up_during_the_work_is_not_overwritten_when_the_flow_is_put_back(next_time):
    wake(FLOW, [1], NOW, NOW)
    queue.claim(FLOW, MINE, 9, NOW)
    wake(FLOW, [1], NOW, NOW)
    queue.put_back(FLOW, MINE, {1: next_time})
    assert rows("SELECT key, due_at, lease FROM base_flow") == [(1, NOW, None)]


def test_putting_back_after_the_lease_was_lost_does_nothing():
    wake(FLOW, [1, 2], NOW, NOW)
    queue.claim(FLOW, MINE, 9, NOW)
    free_the_dead(NOW)
    queue.claim(FLOW, THEIRS, 9, NOW)
    before = rows("SELECT * FROM base_flow ORDER BY key")
    queue.put_back(FLOW, MINE, {1: NOW + HOUR, 2: None})
    assert rows("SELECT * FROM base_flow ORDER BY key") == before


def test_the_flows_of_a_dead_worker_are_freed_and_those_of_a_live_one_are_not(dsn):
    wake(FLOW, [1], NOW, NOW)
    queue.claim(FLOW, THEIRS, 9, NOW)
    with psycopg.connect(dsn, autocommit=True) as worker:
        worker.execute("SELECT pg_advisory_lock(%s, %s)", [queue.LOCK_CLASS, THEIRS])
        assert free_the_dead(NOW) == 0
    end = time.monotonic() + LIMIT
    while free_the_dead(NOW) == 0:  # its session ends in its own time
        assert time.monotonic() < end
    assert queue.claim(FLOW, MINE, 9, NOW) == [1]


def test_a_worker_that_hangs_but_lives_loses_its_flows_when_the_lease_ends(dsn):
    wake(FLOW, [1], NOW, NOW)
    queue.claim(FLOW, THEIRS, 9, NOW)
    with psycopg.connect(dsn, autocommit=True) as worker:
        worker.execute("SELECT pg_advisory_lock(%s, %s)", [queue.LOCK_CLASS, THEIRS])
        assert free_the_dead(NOW + queue.LEASE) == 0
        assert free_the_dead(NOW + queue.LEASE + timedelta(seconds=1)) == 1


def test_keeping_prolongs_what_we_work_on_and_frees_what_we_do_not_know_of():
    wake(FLOW, [1, 2], NOW, NOW)
    queue.claim(FLOW, MINE, 9, NOW)
    queue.keep(FLOW, MINE, [1], NOW + HOUR)
    found = rows("SELECT key, due_at, lease, lease_until FROM base_flow ORDER BY key")
    assert found == [(1, queue.NEVER, MINE, NOW + HOUR + queue.LEASE), (2, NOW + HOUR, None, None)]


def test_keeping_does_not_wait_for_a_flow_that_is_being_put_back(dsn):
    wake(FLOW, [1], NOW, NOW)
    queue.claim(FLOW, MINE, 9, NOW)
    with psycopg.connect(dsn) as settling:
        settling.execute("SELECT FROM base_flow FOR UPDATE")
        run("SET lock_timeout = '2s'")
        queue.keep(FLOW, MINE, [1], NOW + HOUR)
        run("RESET lock_timeout")
    assert rows("SELECT lease_until FROM base_flow") == [(NOW + queue.LEASE,)]


# --- the engine ---------------------------------------------------------------------------------


def test_two_workers_settle_every_answer_exactly_once(dsn, answers):
    toys = [Toy(), Toy()]
    begin(*range(200))
    work([[toy] for toy in toys], dsn, settled(dsn, 200), empty(dsn), batch=8)
    assert rows("SELECT key FROM toy_answer ORDER BY key") == [(key,) for key in range(200)]
    assert sorted(toys[0].calls + toys[1].calls) == list(range(200))


def test_a_new_flow_is_announced_not_waited_for(dsn, answers, monkeypatch):
    monkeypatch.setattr(pulse, "POLL_SECONDS", 10 * LIMIT)
    monkeypatch.setattr(engine, "KEEP_SECONDS", 10 * LIMIT)
    asleep = threading.Event()
    toy = Toy()

    def listen_in(worker):
        claim = worker._claim

        def claim_and_tell(room):
            found = claim(room)
            asleep.set()
            return found

        monkeypatch.setattr(worker, "_claim", claim_and_tell)

    async def call():
        assert await asyncio.to_thread(asleep.wait, LIMIT)
        await asyncio.to_thread(_begin_elsewhere, dsn)

    work([[toy]], dsn, call, settled(dsn, 1), change=listen_in)
    assert toy.calls == [7]


def _begin_elsewhere(dsn):
    with psycopg.connect(dsn) as web:
        web.execute("INSERT INTO base_flow (name, key, due_at) VALUES (%s, 7, %s)", [FLOW, NOW])
        web.execute("SELECT pg_notify(%s, %s)", [queue.CHANNEL, FLOW])


def test_a_worker_takes_over_what_a_dead_one_has_left(dsn, answers, brisk):
    begin(1)
    assert queue.claim(FLOW, THEIRS, 9, NOW) == [1]
    work([[Toy()]], dsn, settled(dsn, 1), empty(dsn))
    assert rows("SELECT key, answer FROM toy_answer") == [(1, "answer 1")]


def test_a_database_lost_in_the_middle_of_a_settle_keeps_the_answers(dsn, answers):
    lost: list[int] = []

    def lose_the_database(key):
        if not lost:
            lost.append(key)
            run("SELECT pg_terminate_backend(pg_backend_pid())")

    toy = Toy(lose_the_database)
    begin(1, 2)
    work([[toy]], dsn, settled(dsn, 2), empty(dsn))
    assert sorted(toy.calls) == [1, 2]
    assert rows("SELECT key FROM toy_answer ORDER BY key") == [(1,), (2,)]


def test_a_commit_that_nobody_heard_of_is_settled_again_and_the_flow_still_ends(dsn, answers):
    def lose_the_answer_to_commit(_key):
        if len(toy.batches) == 2:
            transaction.on_commit(lambda: run("SELECT pg_terminate_backend(pg_backend_pid())"))

    toy = Toy(lose_the_answer_to_commit)
    begin(1)
    work([[toy]], dsn, settled(dsn, 2), empty(dsn))
    assert toy.calls == [1]
    assert rows("SELECT key, answer FROM toy_answer") == [(1, "answer 1"), (1, "answer 1")]


def test_a_lost_listening_session_comes_back(dsn, answers, brisk):
    async def cut():
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        listening = f"{others} WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        await until(lambda: value(dsn, listening) == [(True,)])
        await asyncio.to_thread(_begin_elsewhere, dsn)

    work([[Toy()]], dsn, cut, settled(dsn, 1), empty(dsn))


def _raise(_key):
    raise ValueError("a fault of ours")


def _break_a_constraint(_key):
    run("INSERT INTO toy_answer (key, answer) VALUES (1, NULL)")


def _send_what_the_database_refuses(_key):
    run("SELECT repeat('x', -1)::int")


@pytest.mark.parametrize("trip", [_raise, _break_a_constraint, _send_what_the_database_refuses])
def test_a_flow_that_trips_a_fault_is_set_aside_and_the_others_go_on(dsn, answers, trip):
    begin(*range(10))
    toy = Toy(lambda key: trip(key) if key == 3 else None)
    started = datetime.now(UTC)
    aside = lambda: until(lambda: [lease for _, _, lease in flows(dsn)] == [None])  # noqa: E731
    work([[toy]], dsn, settled(dsn, 9), aside)
    assert rows("SELECT key FROM toy_answer ORDER BY key") == [(k,) for k in range(10) if k != 3]
    [(key, due_at, _)] = flows(dsn)
    assert key == 3
    assert due_at >= started + engine.PAUSE_AFTER_FAULT


def test_a_call_that_raises_sets_its_flow_aside(dsn, answers):
    async def fail(call):
        if call == 1:
            raise RuntimeError("a fault of ours")

    begin(1, 2)
    aside = lambda: until(lambda: [lease for _, _, lease in flows(dsn)] == [None])  # noqa: E731
    work([[Toy(on_call=fail)]], dsn, settled(dsn, 1), aside)
    assert [key for key, _, _ in flows(dsn)] == [1]


def test_a_call_that_does_not_end_sets_its_flow_aside(dsn, answers, monkeypatch):
    monkeypatch.setattr(engine, "CALL_SECONDS", 0.05)

    async def hang(_call):
        await asyncio.sleep(10 * LIMIT)

    begin(1)
    work([[Toy(on_call=hang)]], dsn, lambda: until(lambda: flows(dsn)[0][1] > NOW + HOUR))
    assert [(key, lease) for key, _, lease in flows(dsn)] == [(1, None)]


def test_a_flow_claimed_again_during_its_own_call_waits_for_its_turn(dsn, answers):
    """As after a lost lock: others have freed it, and the next claim brings it back to us."""

    async def lose_the_lease(_call):
        if len(toy.calls) == 1:
            statement = "UPDATE base_flow SET lease = NULL, lease_until = NULL, due_at = now()"
            await asyncio.to_thread(_execute, dsn, statement)
            await until(lambda: flows(dsn)[0][2] is not None)

    toy = Toy(on_call=lose_the_lease)
    begin(1)
    work([[toy]], dsn, settled(dsn, 2), empty(dsn))
    assert all(batch == [1] for batch in toy.batches)
    assert toy.calls == [1, 1]


def _execute(dsn, statement):
    with psycopg.connect(dsn) as session:
        session.execute(statement)


def test_a_graceful_stop_puts_everything_back_due_at_once(dsn, answers):
    async def hang(_call):
        await asyncio.sleep(10 * LIMIT)

    toy = Toy(on_call=hang)
    begin(1, 2, 3)
    work([[toy]], dsn, lambda: until(lambda: len(toy.calls) == 3))
    left = flows(dsn)
    assert [(key, lease) for key, _, lease in left] == [(1, None), (2, None), (3, None)]
    assert all(due_at <= datetime.now(UTC) for _, due_at, _ in left)
    assert rows("SELECT count(*) FROM toy_answer") == [(0,)]


def test_a_flow_that_is_due_again_in_a_moment_is_not_left_to_the_next_poll(dsn, answers, monkeypatch):
    monkeypatch.setattr(pulse, "POLL_SECONDS", 10 * LIMIT)

    class Patient(Toy):
        def _turn(self, key, answers):
            if len(self.batches) == 1:
                return Turn(key, (), datetime.now(UTC) + timedelta(milliseconds=200))
            return super()._turn(key, answers)

    begin(1)
    work([[Patient()]], dsn, settled(dsn, 1), empty(dsn))


def test_a_full_engine_claims_more_as_soon_as_it_has_room(dsn, answers, monkeypatch):
    monkeypatch.setattr(pulse, "POLL_SECONDS", 10 * LIMIT)
    begin(*range(20))
    work([[Toy()]], dsn, settled(dsn, 20), empty(dsn), batch=1, inflight=2)


@pytest.mark.slow
def test_an_idle_worker_commits_at_most_five_times_a_second(dsn, answers):
    seconds = 5.0
    maintenance = dsn.rpartition("/")[0] + "/postgres"
    name = connection.settings_dict["NAME"]
    commits = f"SELECT xact_commit FROM pg_stat_database WHERE datname = '{name}'"
    found = []

    async def measure():
        await asyncio.sleep(2.5)  # past the start, and past when its last commits are counted
        for pause in (seconds, 0):
            [(count,)] = await asyncio.to_thread(value, maintenance, commits)
            found.append(count)
            await asyncio.sleep(pause)  # the window of the measurement

    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # a session tells the server's statistics late, at its end the last of it
    work([[named(f"toy-{n}") for n in range(8)]], dsn, measure)  # one for each flow of a worker
    assert 0 < (found[1] - found[0]) / seconds <= 5
