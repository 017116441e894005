"""How the story is told: a line a step on the terminal, and the same facts for the summary."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from guanjia.cli.output import say

PATIENCE = 60.0
"""Seconds the story waits for anything before it says that it went wrong."""


class StoryError(Exception):
    """The story did not go as it must; the text says where."""


@dataclass
class Teller:
    """Tells in one language; keeps what was checked."""

    english: bool
    quiet: bool
    started: float = field(default_factory=time.monotonic)
    checks: list[tuple[str, bool]] = field(default_factory=list)

    def tell(self, zh: str, en: str, mark: str = "·") -> None:
        """One step, with the seconds since the story began."""
        if not self.quiet:
            say(f"{time.monotonic() - self.started:6.1f}s  {mark} {en if self.english else zh}")

    def check(self, name: str, holds: bool, zh: str, en: str) -> None:
        """A claim and whether it holds; the story goes on, the exit code remembers."""
        self.checks.append((name, holds))
        self.tell(zh, en, "✓" if holds else "✗")

    @property
    def all_hold(self) -> bool:
        return bool(self.checks) and all(holds for _, holds in self.checks)


def wait_until(what: str, reached: Callable[[], bool]) -> None:
    """Poll until it is so. Raises StoryError when patience ends."""
    until = time.monotonic() + PATIENCE
    while not reached():
        if time.monotonic() > until:
            raise StoryError(f"waited {PATIENCE:.0f} s for: {what}")
        time.sleep(0.05)
