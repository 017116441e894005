"""Words on a case. One verb, one transaction, one event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.idempotency import once
from guanjia.base.texts import clean
from guanjia.cases.actions.changes import carry_out
from guanjia.cases.actions.clocks import owe_answer, stop_clocks
from guanjia.cases.actions.closing import asks_price, bring_back
from guanjia.cases.actions.files import add_files
from guanjia.cases.actions.following import follow_up, leads_on
from guanjia.cases.actions.marks import note_mentions
from guanjia.cases.actions.promises_made import keep_by_word
from guanjia.cases.approvers import approver_of
from guanjia.cases.belonging import merged_into
from guanjia.cases.changing import Change
from guanjia.cases.events import MessageSent
from guanjia.cases.filing import Upload, check_files, digests
from guanjia.cases.models import Case, ClockKind, Draft, Message, SharedDraft
from guanjia.cases.rules import NEED_MOST, AnsweredMeanwhile, DraftMoved, NeedsApproval, access_case
from guanjia.cases.work_events import StoodIn
from guanjia.coverage.rules import Verb
from guanjia.ledger.actions import Entry, record
from guanjia.people.absences import stood_in_for
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
    then: Change | None = None,
    shared: int | None = None,
    files: Sequence[Upload] = (),
    idempotency_key: str | None = None,
) -> Message:
    """A public word on a case, or an internal note. The owner side's first word stops its clock; the
    merchant's word ends a wait for it, and brings a solved case back.

    `seen` is the newest message that the speaker has read: with it, a word of somebody else in between
    raises AnsweredMeanwhile. `then` is done with the case in the same transaction; `shared` is the version
    of the shared draft that this text goes on with, which it ends; `files` go with the word, all or none.
    Raises Missing, Forbidden, BadInput, KeyReused, FileRefused, NeedsApproval (a junior's public word: see
    `ask_approval`), DraftMoved, and what `then` raises.
    """
    body = clean(body, field=_("沟通内容"), most=NEED_MOST)
    verb = Verb.NOTE if internal else Verb.SPEAK
    case = access_case(actor=actor, number=number, verb=verb, now=now)
    if not internal:
        _refuse_junior(actor)
    checked = check_files(files)

    def effect() -> int:
        settle_reading(case, actor, seen=seen, shared=shared, internal=internal)
        message = put_word(case, author=actor, internal=internal, body=body, now=now)
        add_files(actor=actor, case=message.case, message=message, files=checked, now=now)
        if then:
            carry_out(actor=actor, number=number, change=then, now=now)
        return message.pk

    if idempotency_key is None:
        with transaction.atomic():
            return Message.objects.get(pk=effect())
    content = [number, internal, body, *([then.as_json()] if then else []), *digests(checked)]
    pk, _new = once(scope=said_by(actor), key=idempotency_key, content=content, now=now, effect=effect)
    return Message.objects.get(pk=pk)


def said_by(actor: User) -> str:
    """The scope of a speaker's idempotency keys."""
    return f"say:{actor.pk}"


def put_word(case: Case, *, author: User, internal: bool, body: str, now: datetime) -> Message:
    """The word itself, and what follows from it for the waits; part of the action that says it.

    On a case that was merged it is said where that went; on one that is over for good the merchant's word
    begins a new case, and the notice of it is returned.
    """
    case = merged_into(case) or case
    if not internal and leads_on(case, author=author, now=now):
        return follow_up(case, author=author, said=body, now=now)
    absent = stood_in_for(author, case.person_id, at=now)
    message = Message.objects.create(
        case=case, author=author, standing_in_id=absent, internal=internal, body=body, at=now
    )
    Draft.objects.filter(case=case, author=author, internal=internal).delete()
    if not internal:
        _follow(case, author, now)
    sent = MessageSent(case.number, message.pk, internal)
    told = [sent, StoodIn(case.number, message.pk, absent)] if absent else [sent]
    by, about = actor_of(author), f"case:{case.number}"
    record([Entry(now, by, about, payload, case.merchant_id) for payload in told])
    note_mentions(case, author, message, now)
    return message


def settle_reading(
    case: Case, actor: User, *, seen: int | None, shared: int | None, internal: bool = False
) -> None:
    """Refuse to speak past what the speaker has not read; part of the action that says it. The case is
    locked first: of two who answer at once, the second is shown the first's words."""
    if seen is None and shared is None:
        return
    Case.objects.select_for_update(no_key=True).get(pk=case.pk)
    if seen is not None:
        _refuse_unread(case, actor, seen)
    if shared is not None:
        _end_shared(case, internal=internal, version=shared)


def _refuse_unread(case: Case, actor: User, seen: int) -> None:
    others = case.messages.filter(pk__gt=seen, author__isnull=False).exclude(author=actor)
    if others.exists():
        raise AnsweredMeanwhile(
            _("您打开这一页之后，有人说了话；您的还没有发出。"),
            hint=_("请先看一眼新的沟通；您写的都还在。看过了仍要发，再按一次。"),
        )


def _end_shared(case: Case, *, internal: bool, version: int) -> None:
    """The shared draft has become a word, if nobody has gone on with it since. Raises DraftMoved."""
    draft = SharedDraft.objects.select_for_update().filter(case=case, internal=internal).first()
    if draft is None or draft.version != version:
        refuse_moved()
    draft.delete()


def refuse_moved() -> NoReturn:
    raise DraftMoved(
        _("同事改过或用掉了这份共享草稿；您的还没有发出。"),
        hint=_("请先看一眼现在的共享草稿；您写的都还在。看过了仍要发，再按一次。"),
    )


def _refuse_junior(actor: User) -> None:
    if approver_of(actor) is not None:
        raise NeedsApproval(_("您对商家说的话要先请同事看过。"), hint=_("请在工作台上提交，审过就会发出。"))


def _follow(case: Case, actor: User, now: datetime) -> None:
    """What a public word does to the waits: the answer of one side, or of the other."""
    if not case.merchant.members.filter(user=actor).exists():
        stop_clocks(case, now=now, kinds=[ClockKind.FIRST_ANSWER, ClockKind.NEXT_ANSWER])
        keep_by_word(case, actor=actor, now=now)
        return
    if not asks_price(case):
        stop_clocks(case, now=now, kinds=[ClockKind.MERCHANT_ANSWER])
    bring_back(case, actor=actor, now=now)
    owe_answer(case, now)
