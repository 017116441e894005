"""One reading: a load process asks a server for some seconds, and the CPU of both trees is told apart."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from ground import HERE
from measure import cpu

Target = dict[str, Any]
_RUNS = count()


class WrongAnswerError(RuntimeError):
    """The server answered something else than it was asked for: there is nothing to measure."""


@dataclass(frozen=True, slots=True)
class Site:
    """Somebody's web server: its port, its processes and its database's."""

    name: str
    port: int
    app: Sequence[int]
    store: Sequence[int]


@dataclass(frozen=True, slots=True)
class Reading:
    """`users` at once. Rate in requests per second, times and CPU in milliseconds a request."""

    users: int
    requests: int
    rate: float
    p50: float
    p95: float
    app_cpu: float
    store_cpu: float
    kilobytes: float

    @property
    def cpu(self) -> float:
        return self.app_cpu + self.store_cpu


def read(site: Site, targets: Sequence[Target], users: int, seconds: float, warm: float) -> Reading:
    """Raises WrongAnswerError. CPU is taken over all requests after the warm-up, and a little more."""
    about = {"port": site.port, "users": users, "seconds": seconds, "warm": warm, "run": f"{next(_RUNS)}"}
    job = json.dumps({**about, "targets": list(targets)})
    command = [sys.executable, str(HERE / "web" / "load.py")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as load:
        assert load.stdin
        assert load.stdout
        load.stdin.write(job + "\n")
        load.stdin.flush()
        load.stdout.readline()
        time.sleep(warm)
        app, store = cpu(site.app), cpu(site.store)
        time.sleep(seconds)
        app, store = cpu(site.app) - app, cpu(site.store) - store
        seen = json.loads(load.stdout.readline())
    waits = sorted(seen["waits"])
    if seen["wrong"] or not waits:
        raise WrongAnswerError(f"{site.name}: {seen['wrong']} wrong answers: {seen['faults']}")
    return Reading(
        users,
        len(waits),
        rate=len(waits) / seconds,
        p50=statistics.median(waits) * 1000,
        p95=waits[int(0.95 * (len(waits) - 1))] * 1000,
        app_cpu=app / len(waits) * 1000,
        store_cpu=store / len(waits) * 1000,
        kilobytes=seen["bytes"] / 1000,
    )
