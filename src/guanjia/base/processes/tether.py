"""Start a child that ends when we end, optionally as another user.

This file is also the little program in between: it drops the user, ties itself to its parent and
becomes the command. A `preexec_fn` would do the same, but is unsafe once a process has threads.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1  # linux/prctl.h
# For programs that need nothing of ours: an environment can be read by whoever shares their user.
PLAIN = {"PATH": os.defpath, "LC_ALL": "C"}
NOT_STARTED = 127  # as shells say "command not found"


@dataclass(frozen=True)
class Identity:
    """The user and group a child runs as."""

    uid: int
    gid: int


def spawn(
    command: Sequence[str],
    *,
    log: IO[bytes],
    env: Mapping[str, str] | None = None,
    user: Identity | None = None,
    last_signal: signal.Signals | None = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, so that Ctrl-C reaches only us.

    `last_signal` is what Linux sends the child when the *thread* that called this ends, by kill -9
    or otherwise; None, or another system: the child stays. A command that cannot be executed says
    so in `log` and exits with NOT_STARTED.
    """
    uid, gid = (user.uid, user.gid) if user else (-1, -1)
    orders = [os.getpid(), int(last_signal or 0), uid, gid]
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(Path(__file__)), *map(str, orders), *command],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=env,
        cwd="/",
        start_new_session=True,
    )


def become(command: list[str], parent: int, last_signal: int, uid: int, gid: int) -> None:
    """Turn this process into `command`; returns only by exiting."""
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # After setuid: a change of user clears the wish.
    if last_signal and sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, last_signal, 0, 0, 0)
        if os.getppid() != parent:  # it ended before we could tie ourselves to it
            sys.exit(NOT_STARTED)
    try:
        os.execvp(command[0], command)  # noqa: S606 - that is what this program is for
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(NOT_STARTED)


if __name__ == "__main__":
    become(sys.argv[5:], *map(int, sys.argv[1:5]))
