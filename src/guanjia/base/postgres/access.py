"""Whom the server runs as, and what that user can reach.

PostgreSQL refuses to run as root. Started by root it therefore runs as `nobody`, who often cannot
enter the directory of the virtual environment (a clone under /root) or the chosen home.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from pathlib import Path

from guanjia.base.processes.tether import Identity

PATIENCE = 30.0  # seconds; both probes take milliseconds


def server_user() -> Identity | None:
    """`nobody` when we are root; None when the server runs as ourselves."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return Identity(uid=entry.pw_uid, gid=entry.pw_gid)


def own(path: Path, user: Identity | None) -> None:
    """Give a path that we made to the user the server runs as."""
    if user:
        os.chown(path, user.uid, user.gid)


def can_enter(directory: Path, user: Identity | None) -> bool:
    """Tried, not computed: access lists and mount options count as well as modes."""
    return _succeeds(["/bin/sh", "-c", 'cd "$1"', "sh", str(directory)], user)


def can_run(program: Path, user: Identity | None) -> bool:
    """Whether the user can load the program together with its libraries."""
    return _succeeds([str(program), "--version"], user)


def _succeeds(command: Sequence[str], user: Identity | None) -> bool:
    try:
        done = subprocess.run(
            command,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except PermissionError:
        return False
    return done.returncode == 0
