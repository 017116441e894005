"""Getting a file's rows into temporary tables, one per shard.

A shard is a database session. The first is Django's own, so that what it writes commits together with
the event; the others exist because one session keeps one processor busy, and most of an import is
spent on the foreign key and the indexes of a row.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import psycopg
from django.db import connection, transaction
from django.utils.translation import gettext as _

from guanjia.base.errors import Refusal
from guanjia.merchants.importing import statements
from guanjia.merchants.importing.files import TableFile
from guanjia.merchants.importing.findings import BadRows
from guanjia.merchants.importing.mapping import Columns
from guanjia.merchants.importing.records import as_copy, records
from guanjia.merchants.importing.statements import Shard

ALONE = 0x67_6A_69_6D  # an advisory lock: one import at a time
CONNECT = 10  # seconds
# Enough to sort half a million rows in memory, for as long as an import takes.
SETTINGS = (
    "SET LOCAL work_mem = '64MB'",
    "SET LOCAL lock_timeout = '30s'",
    "SET LOCAL statement_timeout = '30min'",
)


class Phase(StrEnum):
    STAGE = "stage"  # bytes of the file
    CHECK = "check"  # shards
    WRITE = "write"  # pages of the plan


Progress = Callable[[Phase, int, int], None]


class ImportRunning(Refusal):
    code = "import_running"


@dataclass(frozen=True, slots=True)
class Session:
    """A shard and its database session, inside a transaction."""

    shard: Shard
    connection: psycopg.Connection[Any]

    def run(self, statement: Any, **params: object) -> int:
        return self.connection.execute(statement, params or None).rowcount

    def rows(self, statement: Any, **params: object) -> list[tuple[Any, ...]]:
        return self.connection.execute(statement, params or None).fetchall()


class Sessions:
    """All sessions of one import. What they did is committed together, or not at all."""

    def __init__(self, all_: list[Session]) -> None:
        self.all = all_

    def each(self, work: Callable[[Session], Any]) -> list[Any]:
        """Do it in all shards at once. When one fails, or we are interrupted, the others are stopped."""
        with ThreadPoolExecutor(len(self.all)) as threads:
            waiting = [threads.submit(work, session) for session in self.all]
            try:
                return [one.result() for one in waiting]
            except BaseException:
                for session in self.all:
                    with contextlib.suppress(psycopg.Error):
                        session.connection.cancel_safe(timeout=CONNECT)
                raise


@contextlib.contextmanager
def sessions(count: int, *, keep: Callable[[], bool]) -> Iterator[Sessions]:
    """A transaction over `count` sessions; at the end it is kept if `keep` says so.

    The first session commits first, and the event with it. The others have by then passed every
    constraint; a crash between two commits leaves whole rows, and the next run completes them.
    Raises ImportRunning.
    """
    with connection.wrap_database_errors, _others(count - 1) as others:
        with transaction.atomic():
            connection.ensure_connection()
            opened = [connection.connection, *others]
            be_alone()
            for one in opened:
                for setting in (*SETTINGS, statements.DROP):
                    one.execute(setting)
            yield Sessions([Session(Shard(i, count), one) for i, one in enumerate(opened)])
            if not keep():
                transaction.set_rollback(True)
        for one in others if keep() else ():
            one.commit()


@contextlib.contextmanager
def _others(count: int) -> Iterator[list[psycopg.Connection[Any]]]:
    params = {**connection.get_connection_params(), "connect_timeout": CONNECT}
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(contextlib.closing(psycopg.connect(**params))) for _one in range(count)]


def be_alone() -> None:
    """Until the end of the transaction no other import runs. Raises ImportRunning."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [ALONE])
        if cursor.fetchone() != (True,):
            raise ImportRunning(_("另一个导入正在进行。"), hint=_("请等它结束后再运行一次。"))


def stage(table: TableFile, columns: Columns, open_sessions: Sessions, progress: Progress) -> BadRows:
    """Load the file into `import_rows` of every shard; returns the records that nobody could read.

    A plain file goes to PostgreSQL as it is. If PostgreSQL refuses it, some record has a wrong number
    of cells: then we read record by record, and name them all.
    """
    bad = BadRows()
    for session in open_sessions.all:
        session.run(statements.stage_table(table))
    if not (table.plain and _copy_file(table, columns, open_sessions, progress)):
        batches = (as_copy(batch) for batch in records(table, bad))
        _feed(batches, table, open_sessions, statements.copy_records, columns, progress)
    table.check_unchanged()
    return bad


def _copy_file(table: TableFile, columns: Columns, open_sessions: Sessions, progress: Progress) -> bool:
    try:
        with ExitStack() as savepoints:
            for session in open_sessions.all:
                savepoints.enter_context(session.connection.transaction())
            _feed(table.chunks(), table, open_sessions, statements.copy_file, columns, progress)
    except psycopg.DataError:
        return False
    return True


def _feed(
    pieces: Iterable[bytes],
    table: TableFile,
    open_sessions: Sessions,
    statement: Callable[[TableFile, Columns, Shard], Any],
    columns: Columns,
    progress: Progress,
) -> None:
    """Send every piece to every shard; each keeps its share of the rows."""
    sent = 0
    with ExitStack() as stack:
        copies = [
            stack.enter_context(s.connection.cursor().copy(statement(table, columns, s.shard)))
            for s in open_sessions.all
        ]
        for piece in pieces:
            for copy in copies:
                copy.write(piece)
            sent += len(piece)
            progress(Phase.STAGE, min(sent, table.size), table.size)
