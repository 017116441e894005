"""PostgreSQL from pip: created, started and stopped by us, reachable on 127.0.0.1 only."""

from guanjia.base.postgres.errors import PostgresError
from guanjia.base.postgres.place import stored_url
from guanjia.base.postgres.server import RunningServer, Server, attach

__all__ = ["PostgresError", "RunningServer", "Server", "attach", "stored_url"]
