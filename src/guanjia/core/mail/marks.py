"""Our marks on mail: by what an answer, or a letter that comes back, finds its case.

A letter's Message-ID is made from its delivery's id, and every letter about a case names the case's own id
as the thread it belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from uuid import UUID

SEPARATOR: Final = "+"
_LETTER: Final = re.compile(r"<?d\.([0-9a-f]{32})@([^<>\s]+?)>?")
_THREAD: Final = re.compile(r"<?case\.(gj-\d{4}-\d{6,12})@([^<>\s]+?)>?", re.I)


def letter_id(delivery: UUID, domain: str) -> str:
    """The Message-ID of a letter: the same at every try."""
    return f"<d.{delivery.hex}@{domain}>"


def thread_id(number: str, domain: str) -> str:
    """What all letters about a case refer to."""
    return f"<case.{number.lower()}@{domain}>"


def delivery_of(message_ids: Iterable[str], domain: str) -> list[UUID]:
    """The deliveries among these Message-IDs, in order."""
    found = (_LETTER.fullmatch(one) for one in message_ids)
    return [UUID(hex=one[1]) for one in found if one and one[2].lower() == domain]


def case_ids(message_ids: Iterable[str], domain: str) -> list[str]:
    """The numbers of cases whose threads are among these Message-IDs, in order."""
    found = (_THREAD.fullmatch(one) for one in message_ids)
    return [one[1].upper() for one in found if one and one[2].lower() == domain]


def token_in(recipients: Iterable[str], address: str) -> str:
    """What stands after the plus in one of our own addresses; empty where there is none."""
    ours, _at, domain = address.lower().partition("@")
    for one in recipients:
        local, _at, their = one.lower().partition("@")
        if their == domain and local.startswith(ours + SEPARATOR):
            return local.removeprefix(ours + SEPARATOR)
    return ""
