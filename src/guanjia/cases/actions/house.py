"""What the house itself says on a case: a notice, put into words in the reader's language."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from guanjia.base.actors import SYSTEM
from guanjia.cases.events import MessageSent
from guanjia.cases.models import Case, Message
from guanjia.ledger.actions import Entry, record


@transaction.atomic
def say_from_house(*, case: Case, kind: str, now: datetime, internal: bool = False, **values: str) -> Message:
    """`kind` is one of `notices.WORDS`. Internal: for staff only, like a note."""
    message = Message.objects.create(
        case=case, internal=internal, notice={"kind": kind, "values": values}, at=now
    )
    sent = MessageSent(case.number, message.pk, internal)
    record([Entry(now, SYSTEM, f"case:{case.number}", sent, case.merchant_id)])
    return message
