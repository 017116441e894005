"""Who did it, as the event log names them: a kind and a number, never a person's name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    kind: str
    ref: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.ref}"


SYSTEM = Actor("system", "guanjia")
