"""What a case page shows beside the conversation, part by part.

A part is a function that reads what it shows, in one statement, and names the template that shows it;
it gives None where there is nothing to say. `MORE` are the pages of the "more" menu: what is done with
a case seldom has a page of its own instead of a button on this one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from guanjia.coverage.rules import Verb
from guanjia.doors.desk.queries.case import Opened
from guanjia.people.pages import Visit


@dataclass(frozen=True, slots=True)
class Part:
    """`value` is called `part` in the template."""

    template: str
    value: object


@dataclass(frozen=True, slots=True)
class More:
    """A page about one case: its URL name takes the case's number."""

    text: str
    url: str
    verb: Verb
    solved: bool | None = None
    """Offered only on solved cases, only on others, or on both."""


PARTS: Sequence[Callable[[Visit, Opened], Part | None]] = ()
MORE: Sequence[More] = ()


def parts_of(visit: Visit, case: Opened) -> list[Part]:
    """The parts of this case that have something to show, in order."""
    return [part for read in PARTS if (part := read(visit, case)) is not None]


def more_of(case: Opened) -> list[More]:
    """What else this person may do with the case."""
    return [more for more in MORE if more.verb in case.may and more.solved in (None, case.solved)]
