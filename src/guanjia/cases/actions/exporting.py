"""Who has taken cases out of the house. One verb, one event: the file itself is read and written nowhere."""

from __future__ import annotations

from datetime import datetime

from guanjia.cases.events import CasesExported
from guanjia.ledger.actions import Entry, record
from guanjia.people.actors import actor_of
from guanjia.people.models import User


def note_export(*, actor: User, what: str, notes: bool, now: datetime, merchant: int | None = None) -> None:
    """This person takes out a list: `what` names it by its key, never by its words."""
    record([Entry(now, actor_of(actor), f"export:{what}", CasesExported(what, notes), merchant)])
