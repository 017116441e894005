"""Words on a case. One verb, one transaction, one event."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.idempotency import once
from guanjia.base.texts import clean
from guanjia.cases.actions.clocks import stop_clocks
from guanjia.cases.actions.closing import asks_price, bring_back
from guanjia.cases.events import MessageSent
from guanjia.cases.models import Case, ClockKind, Draft, Message
from guanjia.cases.rules import NEED_MOST, AnsweredMeanwhile, access_case
from guanjia.coverage.rules import Verb
from guanjia.ledger.actions import Entry, record
from guanjia.people.actors import actor_of
from guanjia.people.models import User


def say(
    *,
    actor: User,
    number: str,
    body: str,
    now: datetime,
    internal: bool = False,
    seen: int | None = None,
    idempotency_key: str | None = None,
) -> Message:
    """A public word on a case, or an internal note. The owner side's first word stops its clock; the
    merchant's word ends a wait for it, and brings a solved case back.

    `seen` is the newest message that the speaker has read: with it, a word of somebody else in between
    raises AnsweredMeanwhile. Raises Missing, Forbidden, BadInput, KeyReused.
    """
    body = clean(body, field=_("沟通内容"), most=NEED_MOST)
    verb = Verb.NOTE if internal else Verb.SPEAK
    case = access_case(actor=actor, number=number, verb=verb, now=now)

    def effect() -> int:
        return _say(case, actor, body, internal, seen, now).pk

    if idempotency_key is None:
        with transaction.atomic():
            return Message.objects.get(pk=effect())
    scope, content = said_by(actor), [number, internal, body]
    pk, _new = once(scope=scope, key=idempotency_key, content=content, now=now, effect=effect)
    return Message.objects.get(pk=pk)


def said_by(actor: User) -> str:
    """The scope of a speaker's idempotency keys."""
    return f"say:{actor.pk}"


def _say(case: Case, actor: User, body: str, internal: bool, seen: int | None, now: datetime) -> Message:
    if seen is not None:
        _refuse_unread(case, actor, seen)
    message = Message.objects.create(case=case, author=actor, internal=internal, body=body, at=now)
    Draft.objects.filter(case=case, author=actor, internal=internal).delete()
    if not internal:
        _follow(case, actor, now)
    sent = MessageSent(case.number, message.pk, internal)
    record([Entry(now, actor_of(actor), f"case:{case.number}", sent, case.merchant_id)])
    return message


def _refuse_unread(case: Case, actor: User, seen: int) -> None:
    """The case is locked first: of two who answer at once, the second is shown the first's words."""
    Case.objects.select_for_update(no_key=True).get(pk=case.pk)
    others = case.messages.filter(pk__gt=seen, author__isnull=False).exclude(author=actor)
    if others.exists():
        raise AnsweredMeanwhile(
            _("您打开这一页之后，有人说了话；您的还没有发出。"),
            hint=_("请先看一眼新的沟通；您写的都还在。看过了仍要发，再按一次。"),
        )


def _follow(case: Case, actor: User, now: datetime) -> None:
    """What a public word does to the waits: the answer of one side, or of the other."""
    if not case.merchant.members.filter(user=actor).exists():
        stop_clocks(case, now=now, kinds=[ClockKind.FIRST_ANSWER])
        return
    if not asks_price(case):
        stop_clocks(case, now=now, kinds=[ClockKind.MERCHANT_ANSWER])
    bring_back(case, actor=actor, now=now)
