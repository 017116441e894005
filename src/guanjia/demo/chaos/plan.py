"""What will happen in a run, from one seed: who wants what, who changes their mind, what dies when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from guanjia.demo.chaos.line import slot_code
from guanjia.demo.chaos.trades import TRADES, by_slug

MERCHANTS = 10
SIZES = (2, 3, 3, 4, 4)
KILLED = {"worker-1": 5, "worker-2": 5, "web": 3, "postgres": 2} | dict.fromkeys(
    (trade.slug for trade in TRADES), 2
)
"""What gets killed, and how often in proportion."""
SECONDS_PER_PACKAGE = 0.3
SHORTEST_STORM = 10.0


@dataclass(frozen=True, slots=True)
class Wish:
    """One package as its merchant wants it: `places` are (line, slot), an item each, all or nothing.

    Seconds count from the start. `twice` and `impatient` merchants send their request twice at once, or
    hang up before the answer and ask again; `cancel_after` seconds from the answer some give it up.
    """

    ref: str
    merchant: int
    places: tuple[tuple[str, str], ...]
    at: float
    twice: bool
    impatient: bool
    cancel_after: float | None

    @property
    def lines(self) -> frozenset[str]:
        return frozenset(line for line, _ in self.places)

    @property
    def total(self) -> int:
        """The list price of the whole, in fen."""
        return sum(by_slug(line).price or 0 for line, _ in self.places)


@dataclass(frozen=True, slots=True)
class Kill:
    at: float
    name: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A run: `slots` is how many each line has, `seconds` how long it storms, `faults` how much the
    network between workers and lines misbehaves (0 not at all, 1 as planned); `down` never answers."""

    name: str
    seed: int
    wishes: tuple[Wish, ...]
    kills: tuple[Kill, ...]
    slots: int
    seconds: float
    faults: float
    down: str | None


def make_plan(
    name: str, seed: int, *, packages: int, kills: int, faults: float = 1.0, down: str | None = None
) -> Plan:
    """The same arguments give the same plan."""
    rng = Random(f"{name} {seed}")  # noqa: S311 - repeatable on purpose
    seconds = max(SHORTEST_STORM, SECONDS_PER_PACKAGE * packages)
    slots = max(4, packages // 10)
    wishes = [_wish(f"{name}-{seed}-{n:05}", rng, slots, seconds) for n in range(packages)]
    times = sorted(rng.uniform(1.0, seconds) for _ in range(kills))
    mortal = [Kill(at, name) for at, name in zip(times, _mortal(rng, kills), strict=True)]
    return Plan(name, seed, tuple(wishes), tuple(mortal), slots, seconds, faults, down)


def _mortal(rng: Random, kills: int) -> list[str]:
    """Who dies, in order: each kind once before chance decides."""
    each = rng.sample(list(KILLED), min(kills, len(KILLED)))
    rest = rng.choices(list(KILLED), weights=list(KILLED.values()), k=kills - len(each))
    return rng.sample(each + rest, kills)


def _wish(ref: str, rng: Random, slots: int, seconds: float) -> Wish:
    places = _places(rng, slots)
    return Wish(
        ref=ref,
        merchant=rng.randrange(MERCHANTS),
        places=tuple(places),
        at=rng.uniform(0.0, seconds),
        twice=rng.random() < 0.1,
        impatient=rng.random() < 0.15,
        cancel_after=rng.uniform(0.0, 3.0) if rng.random() < 0.1 else None,
    )


def _places(rng: Random, slots: int) -> Sequence[tuple[str, str]]:
    """Mostly a line each; some slots are more popular than others."""
    lines = rng.sample([trade.slug for trade in TRADES], rng.choice(SIZES))
    if rng.random() < 0.15:
        lines.append(rng.choice(lines))
    return [(line, slot_code(int(slots * rng.random() ** 1.5))) for line in lines]
