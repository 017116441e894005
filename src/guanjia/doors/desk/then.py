"""What a macro does besides its text, as ticks beside the box: each may be taken away before sending."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from guanjia.cases.changing import Change, read_change

THEN_MOST = 10
_FIELDS = ("priority", "kind", "tags", "wait", "solve")


@dataclass(frozen=True, slots=True)
class Tick:
    """`value` as the form sends it, for example `priority:1`."""

    value: str
    text: str


def ticks(change: Change) -> list[Tick]:
    """One for each thing that the change does."""
    parts = [
        (f"priority:{change.priority}", Change(priority=change.priority)),
        (f"kind:{change.kind}", Change(kind=change.kind)),
        ("tags:" + ",".join(change.add_tags), Change(add_tags=change.add_tags)),
        (f"wait:{change.wait_days}", Change(wait_days=change.wait_days)),
        ("solve:1", Change(solve=change.solve)),
    ]
    return [Tick(value, part.words()[0]) for value, part in parts if part]


def ticked(values: Sequence[str]) -> Change:
    """What is still ticked. Raises BadInput for what no box has offered."""
    pairs = [value.replace("\x00", "").partition(":") for value in values[:THEN_MOST]]
    return read_change({name: value for name, _colon, value in pairs if name in _FIELDS})
