"""DBOS Transact as a contestant, in a database of its own on the same server."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psycopg
from ground import HERE, Ground, running, wait_until
from measure import Running

DATABASE = "dbos"
WARM = 128
_ENQUEUE = (
    "SELECT dbos.enqueue_workflow(workflow_name => 'package.v1', queue_name => 'packages',"
    " positional_args => ARRAY[%s::json], application_name => 'bench') FROM generate_series(1, %s)"
)


@dataclass(frozen=True, slots=True)
class DbosPeer:
    """One worker on one CPU; `batch` packages in one workflow of two steps."""

    name: str
    batch: int

    def absent(self) -> str | None:
        return None if importlib.util.find_spec("dbos") else "pip install 'guanjia[bench]'"

    @contextmanager
    def start(self, ground: Ground, packages: int) -> Iterator[Running]:
        from dbos import DBOS

        url = ground.new_database(DATABASE)
        try:
            DBOS.migrate(url, schema="dbos")
            with ExitStack() as stack:
                command = [sys.executable, str(HERE / "dbos_worker.py"), url, ground.line_url]
                worker = stack.enter_context(running(command, log=ground.home / "dbos.log"))
                watch = stack.enter_context(psycopg.connect(url, connect_timeout=10))
                doing = stack.enter_context(psycopg.connect(url, connect_timeout=10))
                yield self._ready(ground, packages, worker.pid, watch, doing)
        finally:
            ground.drop_database(DATABASE)

    def _ready(
        self, ground: Ground, packages: int, worker: int, watch: psycopg.Connection, doing: psycopg.Connection
    ) -> Running:
        self._submit(doing, WARM)
        wait_until(lambda: self._done(watch) == WARM, "DBOS to warm up")
        # Enqueued, but not yet committed: to let them go is one commit, as in the house.
        self._enqueue(doing, packages)
        return Running(
            workers=[worker],
            store=[ground.server.pid],
            database=DATABASE,
            go=doing.commit,
            done=lambda: self._done(watch),
            submit=lambda: self._submit(doing, self.batch),
        )

    def _submit(self, doing: psycopg.Connection, packages: int) -> None:
        self._enqueue(doing, packages)
        doing.commit()

    def _enqueue(self, doing: psycopg.Connection, packages: int) -> None:
        doing.execute(_ENQUEUE, [json.dumps(self.batch), packages // self.batch])

    def _done(self, watch: psycopg.Connection) -> int:
        """Seen from within one long transaction, so that looking does not add to the commits."""
        row = watch.execute("SELECT count(*) FROM dbos.workflow_status WHERE status = 'SUCCESS'").fetchone()
        assert row is not None
        return int(row[0]) * self.batch
