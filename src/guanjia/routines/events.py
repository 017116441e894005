from dataclasses import dataclass
from typing import ClassVar

from guanjia.ledger.actions import Payload


@dataclass(frozen=True)
class RoutineSaved(Payload):
    kind: ClassVar[str] = "routines.saved"
    routine: int
    version: int


@dataclass(frozen=True)
class RoutineActivated(Payload):
    kind: ClassVar[str] = "routines.activated"
    routine: int
    version: int


@dataclass(frozen=True)
class RoutineDeactivated(Payload):
    kind: ClassVar[str] = "routines.deactivated"
    routine: int
    version: int


@dataclass(frozen=True)
class RoutineTurnedOff(Payload):
    """The routine turned itself off: `failing` too often, or `too_many` cases in an hour."""

    kind: ClassVar[str] = "routines.turned_off"
    routine: int
    version: int
    reason: str


@dataclass(frozen=True)
class RoutineActed(Payload):
    """A routine did something to a case: the deeds, by their keys."""

    kind: ClassVar[str] = "routines.acted"
    case: str
    routine: int
    version: int
    run: int
    deeds: list[str]
