"""The SDK: the line of the tutorial, one commit for many calls, decisions, and sudden death."""

import asyncio
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from guanjia.lines.protocol.errors import ProtocolError
from guanjia.lines.protocol.messages import (
    DecisionNotice,
    DecisionRule,
    HoldState,
    Reason,
    Rule,
    Silence,
)
from guanjia.lines.protocol.signing import request_headers, verify_webhook
from guanjia.lines.protocol.wire import MAX_BODY_BYTES, dump_body, parse_body
from guanjia.lines.sdk import Held, Line, NotPendingError, Refused, store
from guanjia.lines.sdk.outbox import pause_after

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TUTORIAL = Path(__file__).parents[4] / "docs" / "line-sdk.md"
TITLES = {"zh-Hans": "展示位", "en": "Banner"}
BY_HAND = DecisionRule(Rule.ALWAYS, 600, 60, Silence.REFUSAL)
NO = Reason("not_this_week", {"zh-Hans": "本周不行", "en": "Not this week"})
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
ACCEPTED = {"authority": {"kind": "accepted"}}
BYE = {"reason": "package released"}
TABLES = """
    CREATE TABLE IF NOT EXISTS room (free INTEGER NOT NULL CHECK (free >= 0));
    INSERT INTO room SELECT {places} WHERE NOT EXISTS (SELECT * FROM room);
    CREATE TABLE IF NOT EXISTS deed (verb TEXT NOT NULL, hold_id TEXT NOT NULL);
"""


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now

    def forward(self, seconds):
        self.now += timedelta(seconds=seconds)


def note(db, verb, hold_id, change):
    db.execute("INSERT INTO deed VALUES (?, ?)", (verb, str(hold_id)))
    db.execute("UPDATE room SET free = free + ?", (change,))


def make_line(path, clock, decision=None, places=3, **options):
    """A line with some places; a hold for item 13 fails, for item 14 it tries to commit."""
    line = Line(
        "rooms",
        titles=TITLES,
        database=path,
        secret=SECRET,
        tables=TABLES.format(places=places),
        clock=clock,
        **options,
    )
    rule = {"decision": decision} if decision else {}
    place = line.service("place", titles=TITLES, schema={"type": "object"}, hold_ttl_seconds=900, **rule)

    @place.hold
    def hold(db, request):
        if db.execute("SELECT free FROM room").fetchone() == (0,):
            return Refused("full", {"zh-Hans": "满", "en": "Full"})
        note(db, "reserve", request.hold_id, -1)
        if request.item == 13:
            raise RuntimeError("unlucky")
        if request.item == 14:
            db.commit()
        return Held()

    @place.confirm
    def confirm(db, record):
        note(db, "confirm", record.hold_id, 0)

    @place.release
    def release(db, record):
        note(db, "release", record.hold_id, 1)

    return line


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def lines(tmp_path, clock):
    """Makes lines on one database file and closes them."""
    made = []

    def make(**options):
        made.append(make_line(tmp_path / "line.db", clock, **options))
        return made[-1]

    yield make
    for line in made:
        line.store.close()


def state(line):
    """Free places, deeds and records, as committed: read by somebody else."""
    with closing(sqlite3.connect(line.store._path)) as db:
        return (
            db.execute("SELECT free FROM room").fetchone()[0],
            [verb for (verb,) in db.execute("SELECT verb FROM deed ORDER BY rowid")],
            dict(db.execute("SELECT hold_id, state FROM guanjia_hold")),
        )


def make_hold(hold_id, service="place", params=None, item=1):
    return {
        "hold_id": str(hold_id),
        "service": service,
        "params": params or {},
        "merchant": {"ref": "M-1", "name": "云栖女装"},
        "package": {"number": "PK-1", "item": item},
        "authority": {"kind": "none"},
        "ttl_seconds": 900,
    }


def make_scope(method, path, body, now, **changes):
    signed = request_headers(SECRET, method, path, body, now, "req_1")
    headers = [(name.encode(), value.encode()) for name, value in signed.items()]
    bare, _, query = path.partition("?")
    scope = {"type": "http", "method": method, "path": bare, "raw_path": bare.encode()}
    return scope | {"query_string": query.encode(), "root_path": "", "headers": headers} | changes


async def exchange(app, scope, chunks):
    """One HTTP exchange with the ASGI app: (status, JSON), or None where it sent nothing."""
    events = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    events[-1]["more_body"] = False
    sent = []

    async def receive():
        return events.pop(0) if events else {"type": "http.disconnect"}

    async def send(event):
        sent.append(event)

    await app(scope, receive, send)
    return (sent[0]["status"], json.loads(sent[1]["body"])) if sent else None


async def ask(app, line, method, path, value=None):
    body = b"" if value is None else dump_body(value)
    return await exchange(app, make_scope(method, path, body, line.clock()), [body])


def call(line, *calls):
    """Send calls at once; their answers in order."""
    app = line.asgi()

    async def together():
        return await asyncio.gather(*(ask(app, line, *one) for one in calls))

    return asyncio.run(together())


def post_hold(hold_id, **changes):
    return "POST", "/holds", make_hold(hold_id, **changes)


# The tutorial


@pytest.fixture
def tutorial(tmp_path, monkeypatch):
    """The names that the page's own code defines, run in an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LINE_SECRET", SECRET)
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", TUTORIAL.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, str(TUTORIAL), "exec"), names)
    yield names
    names["line"].store.close()


def test_the_line_of_the_tutorial_works(tutorial):
    line = tutorial["line"]
    ids = [uuid4() for _ in range(3)]
    holds = [post_hold(i, service="home-banner", params={"day": "2026-11-11"}) for i in ids]
    answers = call(line, *holds)
    assert [answer["state"] for _, answer in answers] == ["held", "held", "refused"]
    assert answers[0][1]["quote"] == {"amount": 120_000, "currency": "CNY"}
    assert answers[2][1]["reason"]["code"] == "sold_out"
    call(line, ("POST", f"/holds/{ids[0]}/confirm", ACCEPTED))
    call(line, ("POST", f"/holds/{ids[1]}/release", BYE))
    bookings = line.store.db.execute("SELECT hold_id, final FROM booking").fetchall()
    assert bookings == [(str(ids[0]), 1)]
    free = line.store.db.execute("SELECT free FROM slot WHERE day = '2026-11-11'").fetchone()
    assert free == (1,)


def test_the_decision_of_the_tutorial_works(tutorial, lines):
    line = lines(decision=tutorial["by_hand"])
    yes, no = uuid4(), uuid4()
    call(line, post_hold(yes), post_hold(no))
    approved = tutorial["decide_the_first"](line, True)
    refused = tutorial["decide_the_first"](line, False)
    assert {approved.hold_id, refused.hold_id} == {yes, no}
    assert (approved.state, refused.reason.code) == (HoldState.HELD, "not_this_week")
    assert line.pending() == []


# One commit for many calls


def test_calls_that_arrive_together_each_have_their_own_fate(lines):
    line = lines()
    ids = [uuid4() for _ in range(5)]
    items = [1, 13, 1, 14, 1]
    answers = call(line, *(post_hold(i, item=item) for i, item in zip(ids, items, strict=True)))
    assert [status for status, _ in answers] == [200, 500, 200, 500, 200]
    assert state(line) == (0, ["reserve"] * 3, {str(i): "held" for i in (ids[0], ids[2], ids[4])})


def test_more_calls_than_one_commit_takes_are_all_answered(lines):
    line = lines()
    answers = call(line, *(("POST", f"/holds/{uuid4()}/release", BYE) for _ in range(100)))
    assert {status for status, _ in answers} == {200}
    assert len(state(line)[2]) == 100


def test_nothing_is_acknowledged_that_could_not_be_committed(lines, monkeypatch):
    monkeypatch.setattr(store, "_BUSY_SECONDS", 0)
    line = lines()
    hold_id = uuid4()
    line.tidy()
    with closing(sqlite3.connect(line.store._path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answers = call(line, post_hold(hold_id), post_hold(uuid4()))
    assert [status for status, _ in answers] == [503, 503]
    assert state(line) == (3, [], {})
    assert call(line, post_hold(hold_id))[0][0] == 200


def test_a_commit_that_fails_takes_its_calls_with_it(lines):
    line = lines()

    class FullDisk(store.SqliteStore):
        def save(self, record):
            super().save(record)
            self.db.execute("ROLLBACK")  # what SQLite does by itself when the disk is full

    line.store.__class__ = FullDisk
    answers = call(line, post_hold(uuid4()), post_hold(uuid4()))
    assert [status for status, _ in answers] == [503, 503]
    assert state(line)[1:] == ([], {})


def test_a_caller_that_hangs_up_does_not_disturb_the_others(lines):
    line = lines()
    app = line.asgi()
    gone, stays = uuid4(), uuid4()

    async def scene():
        first = asyncio.create_task(ask(app, line, *post_hold(gone)))
        second = asyncio.create_task(ask(app, line, *post_hold(stays)))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert asyncio.run(scene())[0] == 200
    assert state(line)[2] == {str(gone): "held", str(stays): "held"}


# The shell around the responder


def test_a_body_arrives_in_pieces(lines):
    line = lines()
    body = dump_body(make_hold(uuid4()))
    scope = make_scope("POST", "/holds?trace=1", body, line.clock())
    answer = asyncio.run(exchange(line.asgi(), scope, [body[:9], body[9:]]))
    assert answer[0] == 200


def test_an_endless_body_is_cut_off(lines):
    line = lines()
    chunks = [b"x" * 65536] * (MAX_BODY_BYTES // 65536 + 2)
    scope = make_scope("POST", "/holds", b"", line.clock())
    status, problem = asyncio.run(exchange(line.asgi(), scope, chunks))
    assert (status, problem["code"]) == (413, "body_too_large")


def test_a_caller_that_leaves_before_its_body_gets_no_answer(lines):
    line = lines()
    app = line.asgi()

    async def receive():
        return {"type": "http.disconnect"}

    async def send(event):
        raise AssertionError(event)

    asyncio.run(app(make_scope("POST", "/holds", b"", line.clock()), receive, send))
    assert not line.store._path.exists()


@pytest.mark.parametrize("raw_path", [b"/lines/rooms/holds", None])
def test_a_mounted_line_is_signed_relative_to_its_base(lines, raw_path):
    line = lines()
    body = dump_body(make_hold(uuid4()))
    scope = make_scope("POST", "/holds", body, line.clock(), root_path="/lines/rooms")
    scope |= {"path": "/lines/rooms/holds", "raw_path": raw_path}
    assert asyncio.run(exchange(line.asgi(), scope, [body]))[0] == 200


def test_other_protocols_are_not_spoken(lines):
    with pytest.raises(NotImplementedError):
        asyncio.run(lines().asgi()({"type": "websocket"}, None, None))


# Declaring a line


def test_an_incomplete_or_wrong_line_does_not_start(tmp_path):
    def declare(code="place", schema=None, **options):
        options = {"titles": TITLES, "database": tmp_path / "x.db", "secret": SECRET} | options
        line = Line("rooms", **options)
        schema = schema or {"type": "object"}
        return line, line.service(code, titles=TITLES, schema=schema, hold_ttl_seconds=900)

    with pytest.raises(ValueError, match="secret"):
        declare(secret="hunter2")
    with pytest.raises(ValueError, match="secret"):
        declare(secret=[])
    line, _ = declare()
    with pytest.raises(ValueError, match="place needs a hold and a release function"):
        line.asgi()
    with pytest.raises(ValueError, match="place is declared twice"):
        line.service("place", titles=TITLES, schema={}, hold_ttl_seconds=900)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"code": "Main Hall"}, "/services/0/code"),
        ({"titles": {"en": "Rooms"}}, "/titles"),
        ({"schema": {"type": "string"}}, "object"),
    ]
    for options, complaint in wrong:
        line, service = declare(**options)
        service.hold(lambda db, request: Held())
        service.release(lambda db, record: None)
        with pytest.raises(ValueError, match=complaint):
            line.asgi()


def test_confirm_has_nothing_to_do_unless_the_service_says_so(tmp_path):
    line = Line("rooms", titles=TITLES, database=tmp_path / "x.db", secret=SECRET)
    place = line.service("place", titles=TITLES, schema={"type": "object"}, hold_ttl_seconds=900)
    place.hold(lambda db, request: Held())
    place.release(lambda db, record: None)
    hold_id = uuid4()
    assert call(line, post_hold(hold_id))[0][1]["state"] == "held"
    answer = call(line, ("POST", f"/holds/{hold_id}/confirm", ACCEPTED))[0][1]
    assert answer["state"] == "confirmed"
    with pytest.raises(ValueError, match="too late"):
        line.service("late", titles=TITLES, schema={"type": "object"}, hold_ttl_seconds=900)
    line.store.close()


def test_workers_that_start_together_share_a_new_database(tmp_path):
    for turn in range(20):
        barrier = threading.Barrier(4)
        path = tmp_path / f"{turn}.db"

        def mode(_, path=path, barrier=barrier):
            barrier.wait()
            database = store.SqliteStore(path, "CREATE TABLE IF NOT EXISTS room (free INTEGER);")
            found = database.db.execute("PRAGMA journal_mode").fetchone()
            database.close()
            return found

        with ThreadPoolExecutor(4) as workers:
            assert list(workers.map(mode, range(4))) == [("wal",)] * 4


def test_a_database_that_stays_locked_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_BUSY_SECONDS", 0)
    path = tmp_path / "line.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            _ = store.SqliteStore(path).db


# Time


def test_tidying_gives_lapsed_reservations_back_and_forgets_old_tombstones(lines, clock):
    line = lines()
    kept, lapsed, released = uuid4(), uuid4(), uuid4()
    call(line, post_hold(kept), post_hold(lapsed), ("POST", f"/holds/{released}/release", BYE))
    call(line, ("POST", f"/holds/{kept}/confirm", ACCEPTED))
    clock.forward(900)
    line.tidy()
    assert state(line)[0] == 2
    assert state(line)[2][str(lapsed)] == "lapsed"
    clock.forward(30 * 86_400)
    line.tidy()
    assert set(state(line)[2]) == {str(kept), str(lapsed), str(released)}
    clock.forward(11 * 86_400)
    line.tidy()
    assert set(state(line)[2]) == {str(kept)}


# Decisions


def outbox_of(line):
    """What waits to be sent: message ids and attempts."""
    with closing(sqlite3.connect(line.store._path)) as db:
        sql = "SELECT message_id, attempts FROM guanjia_outbox ORDER BY written_at"
        return db.execute(sql).fetchall()


@asynccontextmanager
async def guanjia(*statuses):
    """A callback that answers with each status in turn, and the requests it got."""
    answers, got = list(statuses), []

    async def receive(request):
        got.append((dict(request.headers), await request.read()))
        return web.Response(status=answers.pop(0), headers={"location": "/elsewhere"})

    application = web.Application()
    application.router.add_post("/callback", receive)
    async with TestServer(application) as server:
        yield str(server.make_url("/callback")), got


def lower(headers):
    return {name.lower(): value for name, value in headers.items()}


def make_pending(line):
    hold_id = uuid4()
    answer = call(line, post_hold(hold_id))[0][1]
    assert answer["state"] == "pending"
    return hold_id


async def send_due(line):
    outbox = line.asgi()._outbox
    async with outbox.session() as session:
        return await outbox.send_due(session)


def test_a_decision_is_posted_signed_until_guanjia_has_it(lines, clock):
    async def scene():
        async with guanjia(503, 302, 204) as (url, got):
            line = lines(decision=BY_HAND, callback=url)
            for _ in range(3):
                assert await send_due(line) == 1
                assert await send_due(line) == 0
                clock.forward(900)
            return got

    first = lines(decision=BY_HAND, callback="http://127.0.0.1:9/")
    hold_id = make_pending(first)
    first.decide(hold_id, approve=True)
    got = asyncio.run(scene())
    assert len(got) == 3
    assert len({headers["webhook-id"] for headers, _ in got}) == 1
    headers, body = got[-1]
    verify_webhook(SECRET, lower(headers), body, clock.now - timedelta(seconds=900))
    notice = DecisionNotice.from_json(parse_body(body))
    assert (notice.line, notice.timestamp) == ("rooms", NOON)
    assert (notice.hold.hold_id, notice.hold.state) == (hold_id, HoldState.HELD)
    assert outbox_of(first) == []


def test_a_callback_nobody_answers_is_tried_again_later_and_given_up_in_the_end(lines, clock, ports, caplog):
    port = ports.port()
    line = lines(decision=BY_HAND, callback=f"http://127.0.0.1:{port}/")
    line.decide(make_pending(line), approve=False, reason=NO)
    assert asyncio.run(send_due(line)) == 1
    assert [attempts for _, attempts in outbox_of(line)] == [1]
    clock.forward(3 * 86_400)
    assert asyncio.run(send_due(line)) == 1
    assert [attempts for _, attempts in outbox_of(line)] == [2]
    clock.forward(900)
    assert asyncio.run(send_due(line)) == 1
    assert outbox_of(line) == []
    assert "gave up on webhook msg_" in caplog.text


def test_pauses_double_up_to_a_quarter_of_an_hour():
    for attempts, longest in [(0, 1), (1, 2), (5, 32), (9, 512), (10, 900), (5000, 900)]:
        for _ in range(20):
            assert longest / 2 <= pause_after(attempts).total_seconds() <= longest


def test_a_message_of_a_sender_that_died_is_sent_by_the_next(lines, clock):
    line = lines(decision=BY_HAND, callback="http://127.0.0.1:9/")
    line.decide(make_pending(line), approve=True)
    lease = timedelta(seconds=30)
    taken = line.store.take_messages(clock(), lease, 10)
    assert (len(taken), line.store.take_messages(clock(), lease, 10)) == (1, [])
    clock.forward(30)
    again = line.store.take_messages(clock(), lease, 10)
    assert [m.message_id for m in again] == [m.message_id for m in taken]


def test_a_refusal_gives_the_reservation_back(lines):
    line = lines(decision=BY_HAND, callback="http://127.0.0.1:9/")
    hold_id = make_pending(line)
    assert [record.hold_id for record in line.pending()] == [hold_id]
    assert line.decide(hold_id, approve=False, reason=NO).reason == NO
    assert state(line) == (3, ["reserve", "release"], {str(hold_id): "refused"})
    assert len(outbox_of(line)) == 1


def test_what_cannot_be_decided_leaves_no_trace(lines, clock):
    line = lines(decision=BY_HAND, callback="http://127.0.0.1:9/")
    hold_id = make_pending(line)
    before = state(line)
    with pytest.raises(ValueError, match="reason"):
        line.decide(hold_id, approve=False)
    with pytest.raises(ProtocolError, match="unknown_hold"):
        line.decide(uuid4(), approve=True)
    clock.forward(900)
    with pytest.raises(NotPendingError):
        line.decide(hold_id, approve=True)
    assert line.pending() == []
    assert (state(line), outbox_of(line)) == (before, [])


def test_a_line_that_is_only_polled_queues_nothing(lines):
    line = lines(decision=BY_HAND)
    line.decide(make_pending(line), approve=True)
    assert outbox_of(line) == []


def test_a_decision_may_come_from_another_thread(lines):
    line = lines(decision=BY_HAND)
    hold_id = make_pending(line)
    views = []

    def decide():
        views.append(line.decide(hold_id, approve=True))
        line.store.close()

    thread = threading.Thread(target=decide)
    thread.start()
    thread.join()
    assert views[0].state is HoldState.HELD
    assert call(line, ("GET", f"/holds/{hold_id}"))[0][1]["state"] == "held"


# Life


async def live(app, during):
    """Run the app's lifespan around `during`; the events it sent."""
    to_app: asyncio.Queue[Any] = asyncio.Queue()
    from_app: asyncio.Queue[Any] = asyncio.Queue()
    task = asyncio.create_task(app({"type": "lifespan"}, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    started = await from_app.get()
    if started["type"] != "lifespan.startup.complete":
        await task
        return [started["type"]]
    await during()
    await to_app.put({"type": "lifespan.shutdown"})
    await task
    return [started["type"], (await from_app.get())["type"]]


def test_the_lifespan_sends_what_was_left_from_before(lines):
    first = lines(decision=BY_HAND, callback="http://127.0.0.1:9/")
    first.decide(make_pending(first), approve=True)

    async def scene():
        arrived = asyncio.Event()

        async def receive(request):
            arrived.set()
            return web.Response()

        application = web.Application()
        application.router.add_post("/", receive)
        async with TestServer(application) as server:
            line = lines(decision=BY_HAND, callback=str(server.make_url("/")))
            return await live(line.asgi(), lambda: asyncio.wait_for(arrived.wait(), 10))

    assert asyncio.run(scene()) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_chore_that_fails_is_tried_again(lines, monkeypatch, caplog):
    line = lines(callback="http://127.0.0.1:9/")
    app = line.asgi()

    async def scene():
        second = asyncio.Event()
        tries = []

        async def send_due(session):
            tries.append(session)
            if len(tries) == 1:
                raise RuntimeError("outbox on fire")
            second.set()
            return 0

        monkeypatch.setattr(app._outbox, "send_due", send_due)
        monkeypatch.setattr("guanjia.lines.sdk.app._OUTBOX_SECONDS", 0)
        monkeypatch.setattr("guanjia.lines.sdk.app._TIDY_SECONDS", 0)
        return await live(app, lambda: asyncio.wait_for(second.wait(), 10))

    assert len(asyncio.run(scene())) == 2
    assert "outbox on fire" in caplog.text


def test_a_line_without_a_callback_lives_too(lines):
    async def nothing():
        pass

    assert len(asyncio.run(live(lines().asgi(), nothing))) == 2


def test_a_line_without_its_database_does_not_start(tmp_path, clock):
    line = make_line(tmp_path / "missing" / "line.db", clock)
    assert asyncio.run(live(line.asgi(), None)) == ["lifespan.startup.failed"]


# The fence, off and on


def faults(line):
    """The three classic faults; how often each verb ran for each hold."""
    twice, hangs = uuid4(), uuid4()
    for _ in range(2):
        call(line, post_hold(twice))
        call(line, ("POST", f"/holds/{twice}/confirm", ACCEPTED))
    call(line, ("POST", f"/holds/{hangs}/release", BYE))
    call(line, post_hold(hangs))
    return state(line)[1]


def test_without_the_fence_each_classic_fault_has_its_effect(lines):
    line = lines(unsafe_without_fence=True)
    assert faults(line) == ["reserve", "confirm", "reserve", "confirm", "reserve"]
    hangs = line.store.db.execute("SELECT hold_id FROM deed ORDER BY rowid DESC").fetchone()[0]
    for _ in range(2):
        call(line, ("POST", f"/holds/{hangs}/release", BYE))
    assert state(line)[1][-2:] == ["release", "release"]


def test_with_the_fence_none_has(lines):
    assert faults(lines()) == ["reserve", "confirm"]


# Sudden death

KILLED_LINE = """
import sys
from pathlib import Path
sys.path.insert(0, str(Path(__file__).parent))
from datetime import UTC, datetime
from test_sdk import make_line
import os
line = make_line(os.environ["LINE_DB"], lambda: datetime.now(UTC), places=10_000)
app = line.asgi()
"""


class KilledLine:
    """A line under granian, killed with SIGKILL."""

    def __init__(self, folder, port):
        (folder / "killed_line.py").write_text(KILLED_LINE, encoding="utf-8")
        self.database = folder / "line.db"
        self.base = f"http://127.0.0.1:{port}"
        paths = os.pathsep.join([str(folder), str(Path(__file__).parent)])
        self.environment = os.environ | {"LINE_DB": str(self.database), "PYTHONPATH": paths}
        self.command = [sys.executable, "-m", "granian", "--interface", "asgi", "--no-ws"]
        self.command += ["--port", str(port), "--log-level", "error", "killed_line:app"]

    def start(self):
        self.process = subprocess.Popen(self.command, env=self.environment, start_new_session=True)

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


async def insist(session, line, path, value):
    """Repeat one call until it is answered, as Guanjia does; the state it was answered with."""
    body = dump_body(value)
    while True:
        headers = request_headers(SECRET, "POST", path, body, datetime.now(UTC), "req_1")
        try:
            async with session.post(line.base + path, data=body, headers=headers) as answer:
                if answer.status == 200:
                    return (await answer.json())["state"]
                assert answer.status >= 500
        except (aiohttp.ClientError, OSError):
            await asyncio.sleep(0.01)  # nobody is there to wait for


async def book(session, line, hold_id, end):
    if await insist(session, line, "/holds", make_hold(hold_id)) == "held":
        body = ACCEPTED if end == "confirm" else BYE
        await insist(session, line, f"/holds/{hold_id}/{end}", body)


@pytest.mark.slow
def test_a_line_that_is_killed_again_and_again_loses_and_doubles_nothing(tmp_path, ports):
    line = KilledLine(tmp_path, ports.port())
    dice = random.Random(7)
    line.start()

    async def scene():
        stop = asyncio.Event()
        fates = {}

        async def client(session):
            while not stop.is_set():
                hold_id = uuid4()
                end = dice.choice(["confirm", "release"])
                await book(session, line, hold_id, end)
                fates[str(hold_id)] = end

        async with aiohttp.ClientSession() as session:
            clients = [asyncio.create_task(client(session)) for _ in range(6)]
            for _ in range(5):
                await insist(session, line, f"/holds/{uuid4()}/release", BYE)
                await asyncio.sleep(dice.uniform(0, 0.3))
                line.kill()
                line.start()
            stop.set()
            await asyncio.wait_for(asyncio.gather(*clients), 60)
        return fates

    try:
        fates = asyncio.run(scene())
    finally:
        line.kill()
    assert_books_balance(line.database, fates)


def assert_books_balance(database, fates):
    with closing(sqlite3.connect(database)) as db:
        free = db.execute("SELECT free FROM room").fetchone()[0]
        deeds = db.execute("SELECT hold_id, group_concat(verb) FROM deed GROUP BY hold_id").fetchall()
    assert {UUID(hold_id) for hold_id, _ in deeds} <= {UUID(hold_id) for hold_id in fates}
    assert deeds
    for hold_id, verbs in deeds:
        assert verbs == f"reserve,{fates[hold_id]}"
    confirmed = [hold_id for hold_id, verbs in deeds if verbs.endswith("confirm")]
    assert free == 10_000 - len(confirmed)
