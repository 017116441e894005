"""What a run came to, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

from guanjia.demo.chaos.audit import Audit, Finding

SHOWN = 10


@dataclass(frozen=True, slots=True)
class RunReport:
    """One run. `settled_after` is None when packages were still open at the limit; `apart` are the
    wishes that are not over, so that what they hold is not lost; `times` are seconds from asking to
    the end, in order."""

    name: str
    seed: int
    fenced: bool
    packages: int
    acknowledged: int
    seconds: float
    settled_after: float | None
    kills: Counter[str]
    faults: Counter[str]
    merchants: Counter[str]
    decisions: Counter[str]
    outcomes: Counter[str]
    audit: Audit
    apart: frozenset[str]
    disagreements: Sequence[str]
    complaints: Sequence[str]
    histories: Sequence[str]
    times: Sequence[float]

    @property
    def lost_holds(self) -> list[Finding]:
        """Only of packages that are over."""
        return [finding for finding in self.audit.lost_holds if finding.wish not in self.apart]

    @property
    def counts(self) -> dict[str, int]:
        """What must be nought, by name."""
        return {
            "half_packages": len(self.audit.half_packages),
            "double_bookings": len(self.audit.double_bookings),
            "lost_holds": len(self.lost_holds),
            "confirmed_too_late": len(self.audit.confirmed_too_late),
            "seats_adrift": len(self.audit.seats_adrift),
        }

    @property
    def audit_passes(self) -> bool:
        return not any(self.counts.values())

    @property
    def ok(self) -> bool:
        """Everything a run with the fence must be."""
        whole = self.acknowledged == self.packages and self.settled_after is not None
        return self.audit_passes and whole and not self.disagreements and not self.complaints

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "seed": self.seed,
            "fenced": self.fenced,
            "packages": self.packages,
            "acknowledged": self.acknowledged,
            "apart": len(self.apart),
            "seconds": self.seconds,
            "settled_after": self.settled_after and round(self.settled_after, 1),
            "kills": dict(self.kills),
            "faults": dict(self.faults),
            "merchants": dict(self.merchants),
            "decisions": dict(self.decisions),
            "outcomes": dict(self.outcomes),
            "bookings": dict(self.audit.states),
            "audit": self.counts,
            "disagreements": list(self.disagreements),
            "complaints": list(self.complaints),
            "seconds_to_the_end": self._percentiles(),
            "findings": [f"{finding.wish} {finding.text}".strip() for finding in self._findings()],
            "histories": list(self.histories),
        }

    def _percentiles(self) -> dict[str, float]:
        if len(self.times) < 2:
            return {}
        cuts = quantiles(self.times, n=100)
        return {"p50": round(cuts[49], 1), "p95": round(cuts[94], 1), "most": round(self.times[-1], 1)}

    def _findings(self) -> Iterator[Finding]:
        """The first few of each sort."""
        found = self.audit
        for sort in (
            found.half_packages,
            found.double_bookings,
            self.lost_holds,
            found.confirmed_too_late,
            found.seats_adrift,
        ):
            yield from sort[:SHOWN]

    def lines(self) -> Iterator[str]:
        """For the terminal."""
        fence = "with the fence" if self.fenced else "WITHOUT the fence"
        settled = f"{self.settled_after:.0f} s" if self.settled_after is not None else "NOT in time"
        yield f"{self.name} (seed {self.seed}), {fence}: {self.seconds:.0f} s"
        yield f"  settled    {settled} after the storm"
        yield f"  packages   {self.acknowledged} of {self.packages} acknowledged; {_words(self.outcomes)}"
        yield f"  killed     {self.kills.total()}: {_words(self.kills)}"
        yield f"  network    {_words(self.faults)}"
        yield f"  merchants  {_words(self.merchants)}"
        yield f"  decisions  {_words(self.decisions)}"
        yield f"  bookings   {_words(self.audit.states)}"
        yield f"  times (s)  {self._percentiles()}"
        yield f"  AUDIT      {', '.join(f'{name} {count}' for name, count in self.counts.items())}"
        for finding in self._findings():
            yield f"    {finding.wish} {finding.text}"
        for complaint in [*self.disagreements[:SHOWN], *self.complaints[:SHOWN]]:
            yield f"    ! {complaint}"
        yield from (f"    > {line}" for line in self.histories if self.fenced)


def _words(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common()) or "none"
