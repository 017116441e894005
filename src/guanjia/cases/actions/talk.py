"""Words on a case. One verb, one transaction, one event."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.texts import clean
from guanjia.cases.actions.clocks import stop_clocks
from guanjia.cases.events import MessageSent
from guanjia.cases.models import ClockKind, Message
from guanjia.cases.rules import NEED_MOST, access_case
from guanjia.coverage.rules import Verb
from guanjia.ledger.actions import Entry, record
from guanjia.people.actors import actor_of
from guanjia.people.models import User


@transaction.atomic
def say(*, actor: User, number: str, body: str, now: datetime, internal: bool = False) -> Message:
    """A public word on a case, or an internal note. The owner side's first word stops its clock."""
    body = clean(body, field=_("沟通内容"), most=NEED_MOST)
    verb = Verb.NOTE if internal else Verb.SPEAK
    case = access_case(actor=actor, number=number, verb=verb, now=now)
    message = Message.objects.create(case=case, author=actor, internal=internal, body=body, at=now)
    if not internal and not case.merchant.members.filter(user=actor).exists():
        stop_clocks(case, now=now, kinds=[ClockKind.FIRST_ANSWER])
    sent = MessageSent(case.number, message.pk, internal)
    record([Entry(now, actor_of(actor), f"case:{case.number}", sent, case.merchant_id)])
    return message
