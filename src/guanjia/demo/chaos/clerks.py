"""The people of the lines who decide by hand: yes, no, or nothing at all."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from guanjia.demo.chaos.line import LineSetting, open_line
from guanjia.lines.sdk import HoldRecord, Line, NotPendingError, ProtocolError, Reason

ROUND_SECONDS = 0.25
SLOWEST_SECONDS = 4.0
YES, NO = 0.75, 0.13
"""Shares of the answers; the rest is silence."""
FULL = Reason("not_this_time", {"zh-Hans": "这次不行", "en": "Not this time"})


@dataclass
class Clerk:
    """One clerk of one line, at a desk of their own: a thread on the line's database."""

    setting: LineSetting
    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    _seen: dict[str, float] = field(default_factory=dict)
    _home: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._work, name=f"clerk-{self.setting.slug}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Also of one who never started."""
        self._home.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        line = open_line(self.setting)
        while not self._home.wait(ROUND_SECONDS):
            try:
                for record in line.pending():
                    self._look(line, record)
            except sqlite3.OperationalError:
                continue  # the line is writing, or was just killed
        line.store.close()

    def _look(self, line: Line, record: HoldRecord) -> None:
        assert record.request is not None
        about = f"{record.request.params['wish']} {record.request.item}"
        rng = Random(f"{self.seed} clerk {about}")  # noqa: S311 - repeatable on purpose
        answer, slowly = rng.random(), rng.uniform(0.0, SLOWEST_SECONDS)
        if time.monotonic() < self._seen.setdefault(about, time.monotonic()) + slowly:
            return
        if answer < YES + NO:
            self._decide(line, record, approve=answer < YES)

    def _decide(self, line: Line, record: HoldRecord, *, approve: bool) -> None:
        try:
            line.decide(record.hold_id, approve, None if approve else FULL)
        except (NotPendingError, ProtocolError):  # given up, lapsed or consented to meanwhile
            self.counts["too_late"] += 1
        else:
            self.counts["yes" if approve else "no"] += 1
