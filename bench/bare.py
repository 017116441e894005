"""The bare loop as a contestant: how fast the calls alone can be."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ground import HERE, Ground, wait_until
from measure import Running

WARM = 128


class Bare:
    """No database, no durability: a crash forgets everything."""

    name = "bare loop"

    def absent(self) -> str | None:
        return None

    @contextmanager
    def start(self, ground: Ground, packages: int) -> Iterator[Running]:
        command = [sys.executable, str(HERE / "bare_loop.py"), ground.line_url]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:  # ends when its input does
            dots = _Dots(process)
            dots.order(WARM)
            wait_until(lambda: dots.count() == WARM, "the bare loop to warm up")
            yield Running(
                workers=[process.pid],
                store=[],
                database=None,
                go=lambda: dots.order(packages),
                done=dots.count,
                submit=lambda: dots.order(1),
            )


class _Dots:
    """Counts the packages done: one full stop each."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._orders, self._dots = process.stdin.fileno(), process.stdout.fileno()
        os.set_blocking(self._dots, False)
        self._seen = 0

    def order(self, packages: int) -> None:
        os.write(self._orders, b"%d\n" % packages)

    def count(self) -> int:
        with suppress(BlockingIOError):
            self._seen += len(os.read(self._dots, 65536))
        return self._seen
