"""Create a cluster, choose its port, write its configuration."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from pathlib import Path

from guanjia.base import ports
from guanjia.base.postgres import place
from guanjia.base.postgres.access import can_enter, own
from guanjia.base.postgres.errors import PostgresError
from guanjia.base.postgres.place import Cluster
from guanjia.base.processes.logs import open_log, tail
from guanjia.base.processes.tether import PLAIN, Identity, spawn

INITDB_LIMIT = 300.0  # seconds; it takes one on a fast disk
MARK = "PG_VERSION"

# Small on purpose: all of `guanjia up` is to fit in 300 MB.
CONFIGURATION = """\
# Written by Guanjia at each start. Put settings of your own into local.conf, next to this file.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 60
shared_buffers = 64MB
work_mem = 4MB
maintenance_work_mem = 32MB
max_wal_size = 256MB
huge_pages = off
io_method = sync
jit = off
max_parallel_workers_per_gather = 0
max_wal_senders = 2
autovacuum_max_workers = 2
password_encryption = 'scram-sha-256'
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
fsync = {durable}
full_page_writes = {durable}
include_if_exists = 'local.conf'
"""


def create(home: Path, *, programs: Path, user: Identity | None, shared: Path) -> Cluster:
    """A new cluster for `home`, complete or absent: initdb works beside it, a rename ends it.

    The password is stored first and the cluster last, so a crash at any point leaves something
    that the next call finishes.
    """
    data = _data_place(home, user, shared)
    password = place.folder(home) / "password"
    if not password.exists():
        place.write_private(password, secrets.token_urlsafe(32))
    if not (data / MARK).exists():
        _initdb(home, data, programs, user)
    cluster = Cluster(data=data, port=choose_port())
    place.write_cluster(home, cluster)
    return cluster


def _data_place(home: Path, user: Identity | None, shared: Path) -> Path:
    """In `home` if the server can enter it, else a new directory under `shared`."""
    folder = place.folder(home)
    if can_enter(folder, user):
        return folder / "data"
    clusters = shared / "clusters"
    clusters.mkdir(mode=0o711, parents=True, exist_ok=True)
    chosen = Path(tempfile.mkdtemp(dir=clusters, prefix=f"{home.name}-"))
    chosen.chmod(0o711)
    if can_enter(chosen, user):
        return chosen / "data"
    chosen.rmdir()
    raise PostgresError(
        "There is no place for the embedded database.",
        why=f"its server cannot enter {home} nor {shared}",
        todo=f"chmod o+x {shared} and the directories above it, or set DATABASE_URL",
    )


def _initdb(home: Path, data: Path, programs: Path, user: Identity | None) -> None:
    draft = data.with_name("data.new")
    secret = data.with_name("data.password")  # initdb runs as `user` and reads it
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(mode=0o700)
        place.write_private(secret, place.read_password(home))
        own(draft, user)
        own(secret, user)
        _run_initdb(home, programs, draft, secret, user)
        draft.rename(data)
    finally:
        secret.unlink(missing_ok=True)
        shutil.rmtree(draft, ignore_errors=True)


def _run_initdb(home: Path, programs: Path, draft: Path, secret: Path, user: Identity | None) -> None:
    command = [
        *(str(programs / "initdb"), f"--pgdata={draft}"),
        *(f"--username={place.USER}", f"--pwfile={secret}", "--auth=scram-sha-256"),
        *("--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"),
        *("--no-instructions",),
    ]
    file = home / "log" / "initdb.log"
    with open_log(file) as log:
        since = log.tell()
        process = spawn(command, log=log, env=PLAIN, user=user)
    if process.wait(timeout=INITDB_LIMIT) != 0:
        raise PostgresError(
            "The embedded database could not be created.",
            why=tail(file, since=since) or "initdb ended without a word",
            todo=f"see {file}; a full disk and missing rights are the usual reasons",
        )


def choose_port() -> int:
    """A free port for a database. Raises PostgresError."""
    try:
        return ports.choose_port()
    except ports.NoPortError as error:
        raise PostgresError(
            "There is no port for the embedded database.",
            why=str(error),
            todo="end the programs that hold them, or set DATABASE_URL",
        ) from error


def configure(cluster: Cluster, *, fsync: bool, user: Identity | None) -> None:
    """Write the server's configuration; without `fsync` only a crash of the machine loses data."""
    file = cluster.data / "postgresql.conf"
    text = CONFIGURATION.format(port=cluster.port, durable="on" if fsync else "off")
    place.write_private(file, text)
    own(file, user)
