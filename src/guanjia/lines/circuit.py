"""A circuit breaker for one line: stop calling what does not answer, and find out when it does.

`closed`, after n failures in a row `open`, after an interval `half open`: one call goes out as a
probe. If it is answered, `closed` again; if not, `open` for twice as long, up to a cap. The pattern
is M. Nygard's, *Release It!*, "Circuit Breaker".

Pure: every method returns the next state; the clock (seconds, any epoch) and the random numbers are
passed in. Only transport failures count (time-out, refused, 429, 5xx); a 4xx is an answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol


class Rng(Protocol):
    """The one method of `random.Random` that jitter needs."""

    def random(self) -> float:
        """A number in [0, 1)."""


class Position(StrEnum):
    """What the circuit does with the next call."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Policy:
    """When to open and for how long. Seconds; the interval doubles from `first` to `cap`."""

    failures: int = 5
    first: float = 1.0
    cap: float = 60.0


@dataclass(frozen=True, slots=True)
class Circuit:
    """The state of one line's circuit.

    `failures`: transport failures in a row while closed. `opened`: openings in a row, 0 when
    closed. `until`: end of the open interval. `probing`: the one probe is out. `era`: grows
    with each opening and each probe; a call that was admitted in another era says nothing about
    now, so its outcome is ignored (32 calls that time out together open the circuit once, not to
    the cap).
    """

    failures: int = 0
    opened: int = 0
    until: float = 0.0
    probing: bool = False
    era: int = 0

    def position(self, now: float) -> Position:
        """Where the circuit stands at `now`."""
        if not self.opened:
            return Position.CLOSED
        return Position.HALF_OPEN if self.probing or now >= self.until else Position.OPEN

    def retry_at(self) -> float | None:
        """When the next call may be tried, on the clock of `now`; None while closed."""
        return self.until if self.opened else None

    def admit(self, now: float) -> Circuit | None:
        """The state with this call under way, or None if it must not be made.

        The caller keeps `era` of the new state and hands it back with the outcome.
        """
        if not self.opened:
            return self
        if self.probing or now < self.until:
            return None
        return replace(self, probing=True, era=self.era + 1)

    def succeeded(self, era: int) -> Circuit:
        """The line answered a call of `era`."""
        if era != self.era or (not self.failures and not self.opened):
            return self
        return Circuit(era=self.era)

    def failed(
        self,
        era: int,
        now: float,
        policy: Policy,
        rng: Rng,
        not_before: float | None = None,
    ) -> Circuit:
        """A call of `era` failed in transport; `not_before` is the line's own Retry-After."""
        if era != self.era:
            return self
        if not self.opened and self.failures + 1 < policy.failures:
            return replace(self, failures=self.failures + 1)
        until = now + _interval(self.opened, policy, rng)
        return Circuit(
            failures=policy.failures,
            opened=self.opened + 1,
            until=max(until, not_before or until),
            era=self.era + 1,
        )

    def abandoned(self, era: int) -> Circuit:
        """A call of `era` ended without an outcome (cancelled); a probe may be tried again."""
        return replace(self, probing=False) if self.probing and era == self.era else self


def _interval(opened: int, policy: Policy, rng: Rng) -> float:
    """Seconds to stay open after `opened` earlier openings; the upper half is jitter."""
    # min() on the exponent: 2.0 ** 1024 overflows after a night of failed probes.
    full: float = min(policy.cap, policy.first * 2.0 ** min(opened, 64))
    return full / 2 + rng.random() * full / 2
