"""What becomes of a mail that came in: a decision from what it is and what the house knows of it.

Steps: 1. our own letter come back to us is a loop; 2. a returned letter is that, if it is one of ours;
3. what a machine wrote is noted: it opens, reopens and answers nothing; 4. a token decides for the person and
the case it is bound to, if the mail is from that person's address; 5. without one, a sender counts who is
one person of the house and for whom our server vouches: From alone is anybody's; 6. the case is the one of
the letter that is answered, then the one that the subject names; a member of one merchant who names none
opens one; 7. too many in an hour, or a case that comes back too often, waits for a person, and so does all
else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from guanjia.core.mail.reading import Mail
from guanjia.core.mail.signals import Automatic


class Kind(StrEnum):
    """`say` on a case, `open` one, `note` that it came, take it as `returned`, `hold` it for a person."""

    SAY = "say"
    OPEN = "open"
    NOTE = "note"
    RETURNED = "returned"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Verdict:
    kind: Kind
    reason: str
    case: int | None = None
    user: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the house knows. Numbers are primary keys.

    `ours`: the Message-ID is one of our letters'. `bound` is what a valid token says: (case, user).
    `senders` are the active people with the sender's address; `vouched`: our server says that it is theirs.
    `thread` and `named` are the cases of the letter that is answered and of the number in the subject;
    `merchants` is how many merchants the one sender belongs to; `allowed` are cases that the sender may
    speak on. `recent` mails have been taken from this address within the hour; `returns`: how often the
    case has come back by mail today, None where it is not over.
    """

    ours: bool = False
    letter: bool = False
    bound: tuple[int, int] | None = None
    senders: tuple[int, ...] = ()
    vouched: bool = False
    thread: int | None = None
    named: int | None = None
    merchants: int = 0
    recent: int = 0
    returns: int | None = None


RECENT_MOST = 20
RETURNS_MOST = 3


def judge(mail: Mail, facts: Facts) -> Verdict:
    """The decision and its reason, a stable code."""
    if facts.ours:
        return Verdict(Kind.NOTE, "loop")
    if mail.automatic is Automatic.BOUNCE:
        return Verdict(Kind.RETURNED, "returned") if facts.letter else Verdict(Kind.NOTE, "bounce")
    if mail.automatic is not None:
        return Verdict(Kind.NOTE, mail.automatic.value, facts.thread)
    found = _place(mail, facts)
    if found.kind is Kind.HOLD:
        return found
    if facts.recent >= RECENT_MOST:
        return Verdict(Kind.HOLD, "too_many", found.case, found.user)
    if facts.returns is not None and facts.returns >= RETURNS_MOST:
        return Verdict(Kind.HOLD, "comes_back", found.case, found.user)
    return found


def _place(mail: Mail, facts: Facts) -> Verdict:
    """Who speaks, and where."""
    if facts.bound is not None:
        case, user = facts.bound
        if user in facts.senders:
            return Verdict(Kind.SAY, "token", case, user)
        return Verdict(Kind.HOLD, "other_address", case)
    if not mail.sender or not facts.senders:
        return Verdict(Kind.HOLD, "unknown", facts.thread)
    if not facts.vouched:
        return Verdict(Kind.HOLD, "unproven", facts.thread)
    if len(facts.senders) > 1:
        return Verdict(Kind.HOLD, "several_people", facts.thread)
    [user] = facts.senders
    if facts.thread is not None:
        return Verdict(Kind.SAY, "thread", facts.thread, user)
    if facts.named is not None:
        return Verdict(Kind.SAY, "number", facts.named, user)
    if facts.merchants == 1:
        return Verdict(Kind.OPEN, "new", None, user)
    return Verdict(Kind.HOLD, "which_merchant" if facts.merchants else "no_case", None, user)
