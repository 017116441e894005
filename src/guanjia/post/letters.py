"""What goes out by mail, and what became of it: the border between the post room and its mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one person, in that person's language.

    `delivery` is ours and the same at every try: a Message-ID made from it lets the other side drop a
    repeat. `case` is the number of the case it is about ("" for none) and stands in `subject` already.
    `reply_token` goes into the plus-address by which an answer finds the case ("" where none is wanted).
    `message` is the message on the case whose words are told, for its attachments.
    """

    delivery: UUID
    address: str
    subject: str
    text: str
    language: str
    case: str
    reply_token: str
    message: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`sent`: the other side has it; `later`: try again; `refused`: trying again does not help.

    `detail` says why in a few words, without secrets; `reference` is the other side's name for it.
    """

    kind: Literal["sent", "later", "refused"]
    detail: str = ""
    reference: str = ""
