"""What a part of a case page is, and an entry of its "more" menu."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise

from guanjia.coverage.rules import Verb


@dataclass(frozen=True, slots=True)
class Part:
    """`value` is called `part` in the template."""

    template: str
    value: object


@dataclass(frozen=True, slots=True)
class More:
    """A page about one case: its URL name takes the case's number."""

    text: str | Promise
    url: str
    verb: Verb
    solved: bool | None = None
    """Offered only on solved cases, only on others, or on both."""
