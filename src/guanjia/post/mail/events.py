from dataclasses import dataclass
from typing import ClassVar

from guanjia.ledger.actions import Payload


@dataclass(frozen=True)
class MailJudged(Payload):
    """What became of a mail that came in; neither its sender nor its words are in the log."""

    kind: ClassVar[str] = "post.mail_judged"
    mail: int
    state: str
    reason: str
    case: str


@dataclass(frozen=True)
class LetterReturned(Payload):
    """A letter has come back. `for_good`: its server has given up."""

    kind: ClassVar[str] = "post.letter_returned"
    delivery: str
    case: str
    user: int | None
    for_good: bool
