"""What the house knows of a mail: whose address it is, which letter it answers, which case it names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from guanjia.base.errors import Refusal
from guanjia.cases.belonging import OVER
from guanjia.cases.models import Case
from guanjia.cases.numbers import numbers_in
from guanjia.cases.rules import access_case
from guanjia.config.mail import Mail as Place
from guanjia.core.mail import Facts, Mail, authenticated, case_ids, delivery_of, token_in
from guanjia.coverage.rules import MAY, Relation, Verb
from guanjia.ledger.models import Event
from guanjia.merchants.models import Member
from guanjia.people.models import User
from guanjia.post.mail.tokens import read_token
from guanjia.post.models import IncomingMail, MailState, SentMail

NOWHERE = Place("guanjia@localhost")
"""Without a setting mail is still read, from the command line: nothing in it can be ours."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SENDERS_MOST = 3


def place() -> Place:
    return settings.MAIL or NOWHERE


@dataclass(frozen=True, slots=True)
class Known:
    """The facts for the verdict, and the letter that is answered or has come back."""

    facts: Facts
    letter: SentMail | None


def known(mail: Mail, now: datetime) -> Known:
    """A few statements, each by an index."""
    here = place()
    answered = _letter(mail.answers, here.domain)
    returned = _letter(mail.returned, here.domain)
    senders = _senders(mail.sender)
    bound = _bound(mail, answered, here)
    thread = bound[0] if bound else _thread(mail, answered, here.domain)
    named = _named(mail, senders, now) if thread is None else None
    facts = Facts(
        ours=bool(delivery_of([mail.message_id], here.domain)),
        letter=returned is not None,
        bound=bound,
        senders=tuple(user.pk for user in senders),
        vouched=authenticated(mail.results, authserv=here.authserv, domain=mail.domain),
        thread=thread,
        named=named,
        merchants=_merchants(senders),
        recent=_recent(mail.sender, now),
        returns=_returns(thread or named, now),
    )
    return Known(facts, returned or answered)


def _letter(message_ids: Sequence[str], domain: str) -> SentMail | None:
    """The nearest of our letters among these."""
    wanted = delivery_of(message_ids, domain)
    found = SentMail.objects.select_related("case", "user").in_bulk(wanted)
    return next((found[one] for one in wanted if one in found), None)


def _bound(mail: Mail, answered: SentMail | None, here: Place) -> tuple[int, int] | None:
    """By the plus-address; where that was dropped, by the letter itself, whose id nobody else has."""
    bound = read_token(token_in(mail.recipients, here.address))
    if bound is not None and Case.objects.filter(pk=bound.case).exists():
        return bound.case, bound.user
    if answered is not None and answered.case_id is not None and answered.user_id is not None:
        return answered.case_id, answered.user_id
    return None


def _thread(mail: Mail, answered: SentMail | None, domain: str) -> int | None:
    if answered is not None and answered.case_id is not None:
        return answered.case_id
    numbers = case_ids(mail.answers, domain)
    return Case.objects.filter(number__in=numbers[:1]).values_list("pk", flat=True).first()


def _senders(address: str) -> list[User]:
    if not address:
        return []
    return list(User.objects.filter(email__iexact=address, is_active=True).order_by("pk")[:SENDERS_MOST])


def _named(mail: Mail, senders: Sequence[User], now: datetime) -> int | None:
    """A number counts for somebody who may speak there: from a stranger it says nothing."""
    numbers = numbers_in(mail.subject)
    if len(numbers) != 1 or len(senders) != 1:
        return None
    try:
        return access_case(actor=senders[0], number=numbers[0], verb=Verb.SPEAK, now=now).pk
    except Refusal:
        return None


def _merchants(senders: Sequence[User]) -> int:
    """For how many merchants the one sender may open a case."""
    if len(senders) != 1:
        return 0
    roles = [role.value for role in (Relation.OWNER, Relation.STAFF) if role in MAY[Verb.OPEN_CASE]]
    return Member.objects.filter(user=senders[0], role__in=roles).count()


def _recent(sender: str, now: datetime) -> int:
    taken = IncomingMail.objects.filter(state=MailState.TAKEN, sender=sender, received_at__gt=now - HOUR)
    return taken.count()


def _returns(case: int | None, now: datetime) -> int | None:
    """How often a case that is over has come back within a day; None for one that is not over."""
    if case is None:
        return None
    over = Case.objects.filter(pk=case, state__in=OVER).values_list("number", flat=True).first()
    if over is None:
        return None
    came = Event.objects.filter(subject=f"case:{over}", kind="cases.reopened", at__gt=now - DAY)
    return came.count()
