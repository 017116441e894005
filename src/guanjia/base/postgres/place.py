"""Where an embedded cluster lives and how to reach it; nothing here needs the server to run.

In `home/database/`: `cluster.json` (data directory, port), `password` (0600), `lock`.
The data directory is `home/database/data`, except for root with a home that the server's user
cannot enter: then it lies in SHARED and `cluster.json` remembers where.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

USER = "guanjia"
DATABASE = "guanjia"
SHARED = Path("/var/lib/guanjia")


@dataclass(frozen=True)
class Cluster:
    """What has to outlive a process: `data` is absolute, `port` is on 127.0.0.1."""

    data: Path
    port: int


def folder(home: Path) -> Path:
    """The directory in `home` that holds all about the embedded database."""
    return home / "database"


def read_cluster(home: Path) -> Cluster | None:
    """The cluster that belongs to `home`, or None if none was created yet."""
    try:
        stored = json.loads((folder(home) / "cluster.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Cluster(data=Path(stored["data"]), port=int(stored["port"]))


def write_cluster(home: Path, cluster: Cluster) -> None:
    """Replace the stored cluster in one step."""
    values = asdict(cluster) | {"data": str(cluster.data)}
    write_private(folder(home) / "cluster.json", json.dumps(values))


def read_password(home: Path) -> str:
    """The password of the cluster's only user."""
    return (folder(home) / "password").read_text(encoding="ascii").strip()


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner may read; a crash leaves the old one or the new one."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)


def url(home: Path, cluster: Cluster, database: str = DATABASE) -> str:
    """The address of one database of the cluster. Never a Unix socket: a client that loses one
    says so in words that retry loops do not recognise (docs/decisions)."""
    return f"postgresql://{USER}:{read_password(home)}@127.0.0.1:{cluster.port}/{database}"


def stored_url(home: Path, database: str = DATABASE) -> str | None:
    """The address of the embedded database, running or not; None before the first start."""
    cluster = read_cluster(home)
    return url(home, cluster, database) if cluster else None
