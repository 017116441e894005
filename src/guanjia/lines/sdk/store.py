"""Holds, tombstones and outgoing webhooks in the line's own SQLite database.

One transaction covers the line's tables and ours (6.1). WAL with `synchronous=FULL`: what was
committed survives SIGKILL and power loss.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from os import PathLike
from typing import Final, NoReturn
from uuid import UUID

from guanjia.lines.protocol.fence import HoldRecord
from guanjia.lines.protocol.wire import Members, dump_body

_BUSY_SECONDS: Final = 5.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS guanjia_hold (
    hold_id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    expires_at INTEGER,
    changed_at INTEGER NOT NULL,
    record TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS guanjia_hold_expiry ON guanjia_hold (expires_at)
    WHERE state IN ('held', 'pending');
CREATE INDEX IF NOT EXISTS guanjia_hold_over ON guanjia_hold (changed_at)
    WHERE state IN ('released', 'lapsed', 'refused');
CREATE TABLE IF NOT EXISTS guanjia_outbox (
    message_id TEXT PRIMARY KEY,
    body BLOB NOT NULL,
    attempts INTEGER NOT NULL,
    written_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS guanjia_outbox_due ON guanjia_outbox (due_at);
"""


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A webhook that waits for its 2xx. `attempts` counts those already started."""

    message_id: str
    body: bytes
    attempts: int
    written_at: datetime


class LineConnection(sqlite3.Connection):
    """A connection on which only the fence begins and ends transactions."""

    def _refuse(self, *args: object) -> NoReturn:
        raise RuntimeError("the fence commits and rolls back; a service only reads and writes")

    commit = rollback = executescript = __enter__ = _refuse


class SqliteStore:
    """The `FenceStore` of the SDK: one connection per thread, one writer at a time.

    `tables` is the line's own script of `CREATE TABLE IF NOT EXISTS`; it runs on every opening.
    """

    def __init__(self, path: str | PathLike[str], tables: str = "") -> None:
        self._path = path
        self._script = _TABLES + tables
        self._local = threading.local()

    @property
    def db(self) -> sqlite3.Connection:
        """This thread's connection, opened at first use, so a forked worker has its own."""
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = self._open()
        return db

    def _open(self) -> sqlite3.Connection:
        # A plain connection may run a script; the one that services see may not.
        first = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
        _switch_to_wal(first)
        first.executescript("BEGIN IMMEDIATE;" + self._script + ";COMMIT;")
        first.close()
        db = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None, factory=LineConnection)
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        return db

    def close(self) -> None:
        """Close this thread's connection, if it has one."""
        db = self._local.__dict__.pop("db", None)
        if db is not None:
            db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """`BEGIN IMMEDIATE` .. `COMMIT`; inside another one, a savepoint."""
        db = self.db
        if db.in_transaction:
            begin, end, undo = "SAVEPOINT inner", "RELEASE inner", "ROLLBACK TO inner"
        else:
            begin, end, undo = "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"
        db.execute(begin)
        try:
            yield
            db.execute(end)
        except BaseException:
            if db.in_transaction:  # a full disk has rolled back by itself
                db.execute(undo)
                if end != "COMMIT":
                    db.execute(end)
            raise

    def load(self, hold_id: UUID) -> HoldRecord | None:
        """The record. `BEGIN IMMEDIATE` is the lock: there is one writer."""
        sql = "SELECT record FROM guanjia_hold WHERE hold_id = ?"
        row = self.db.execute(sql, (str(hold_id),)).fetchone()
        return None if row is None else _read(row[0])

    def save(self, record: HoldRecord) -> None:
        self.db.execute(
            "INSERT INTO guanjia_hold (hold_id, state, expires_at, changed_at, record)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (hold_id) DO UPDATE SET state = excluded.state,"
            " expires_at = excluded.expires_at, changed_at = excluded.changed_at,"
            " record = excluded.record",
            (
                str(record.hold_id),
                record.state.value,
                record.expires_at and _micros(record.expires_at),
                _micros(record.changed_at),
                dump_body(record.to_json()).decode(),
            ),
        )

    def expired(self, now: datetime, limit: int) -> list[HoldRecord]:
        rows = self.db.execute(
            "SELECT record FROM guanjia_hold WHERE state IN ('held', 'pending')"
            " AND expires_at <= ? ORDER BY expires_at LIMIT ?",
            (_micros(now), limit),
        )
        return [_read(record) for (record,) in rows]

    def pending(self, now: datetime, limit: int) -> list[HoldRecord]:
        """Holds that wait for a person and have not lapsed, the first to expire first."""
        rows = self.db.execute(
            "SELECT record FROM guanjia_hold WHERE state IN ('held', 'pending')"
            " AND state = 'pending' AND expires_at > ? ORDER BY expires_at LIMIT ?",
            (_micros(now), limit),
        )
        return [_read(record) for (record,) in rows]

    def forget(self, before: datetime, limit: int) -> None:
        """Drop up to `limit` records of holds that came to nothing before that instant (6.2)."""
        over = "state IN ('released', 'lapsed', 'refused') AND changed_at < ?"
        self.db.execute(
            f"DELETE FROM guanjia_hold WHERE rowid IN (SELECT rowid FROM guanjia_hold WHERE {over} LIMIT ?)",  # noqa: S608 - a constant
            (_micros(before), limit),
        )

    def put_message(self, message_id: str, body: bytes, now: datetime) -> None:
        """Queue a webhook, in the transaction of the decision it tells of."""
        self.db.execute(
            "INSERT INTO guanjia_outbox VALUES (?, ?, 0, ?, ?)",
            (message_id, body, _micros(now), _micros(now)),
        )

    def take_messages(self, now: datetime, lease: timedelta, limit: int) -> list[OutgoingMessage]:
        """Claim due webhooks until `now + lease`: a sender that dies leaves them to the next."""
        with self.transaction():
            rows = self.db.execute(
                "SELECT message_id, body, attempts, written_at FROM guanjia_outbox"
                " WHERE due_at <= ? ORDER BY due_at LIMIT ?",
                (_micros(now), limit),
            ).fetchall()
            self.db.executemany(
                "UPDATE guanjia_outbox SET attempts = attempts + 1, due_at = ? WHERE message_id = ?",
                [(_micros(now + lease), row[0]) for row in rows],
            )
        return [
            OutgoingMessage(message_id, body, attempts, _EPOCH + timedelta(microseconds=written))
            for message_id, body, attempts, written in rows
        ]

    def postpone_message(self, message_id: str, until: datetime) -> None:
        sql = "UPDATE guanjia_outbox SET due_at = ? WHERE message_id = ?"
        self.db.execute(sql, (_micros(until), message_id))

    def drop_message(self, message_id: str) -> None:
        self.db.execute("DELETE FROM guanjia_outbox WHERE message_id = ?", (message_id,))


def _switch_to_wal(db: sqlite3.Connection) -> None:
    """SQLite does not queue for this one lock, so workers that start together take turns here."""
    end = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() >= end:
                raise
            time.sleep(0.01)


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


def _read(record: str) -> HoldRecord:
    # Not `parse_body`: what we wrote is somewhat larger than what the wire may carry.
    return HoldRecord.from_json(Members(json.loads(record), ""))
