"""What people do with a case. One verb, one transaction, one event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.actors import SYSTEM, Actor
from guanjia.base.idempotency import once
from guanjia.base.sql import numbers
from guanjia.base.texts import clean
from guanjia.cases.events import CaseOpened, MessageSent, TaskDone, TaskOpened
from guanjia.cases.models import Case, Clock, ClockKind, Message, Task, TaskKind
from guanjia.cases.rules import NEED_MOST, PROMISES, TASK_DUE, access_case, title_of
from guanjia.coverage.queries import Accountable, accountable_for
from guanjia.coverage.rules import Verb, access_merchant
from guanjia.ledger.actions import Entry, record
from guanjia.lines.models import Line
from guanjia.merchants.models import Merchant
from guanjia.people.actors import actor_of
from guanjia.people.models import User


def open_case(
    *, actor: User, merchant_ref: str, need: str, now: datetime, idempotency_key: str | None = None
) -> Case:
    """What a merchant says becomes a numbered case with an owner and a clock, in one transaction.

    `actor` is the merchant's member, or whoever took it in and is the first contact for good.
    Raises Missing or Forbidden (see coverage.rules), BadInput, KeyReused.
    """
    need = clean(need, field=_("要办的事"), most=NEED_MOST)
    merchant = access_merchant(actor=actor, ref=merchant_ref, verb=Verb.OPEN_CASE, now=now)

    def effect() -> int:
        return _open(actor, merchant, need, now).pk

    if idempotency_key is None:
        with transaction.atomic():
            return Case.objects.get(pk=effect())
    scope, content = f"case:{actor.pk}", [merchant_ref, need]
    pk, _new = once(scope=scope, key=idempotency_key, content=content, now=now, effect=effect)
    return Case.objects.get(pk=pk)


def _open(actor: User, merchant: Merchant, need: str, now: datetime) -> Case:
    owner = accountable_for(merchant, at=now)
    due_at = now + min(PROMISES.values())
    [number] = numbers("cases_number", 1)
    case = Case.objects.create(
        number=f"GJ-{now.year}-{number:06d}",
        merchant=merchant,
        title=title_of(need),
        need=need,
        opened_by=actor,
        first_contact=_first_contact(actor, merchant, owner),
        person=owner.person,
        team=owner.team,
        pool=owner.pool,
        opened_at=now,
        due_at=due_at,
    )
    Clock.objects.bulk_create(
        Clock(case=case, kind=kind, owner=owner.answerable, started_at=now, due_at=now + within)
        for kind, within in PROMISES.items()
    )
    opened = CaseOpened(case.number, _owner_ref(owner), case.first_contact_id, due_at.isoformat())
    record([Entry(now, actor_of(actor), f"case:{case.number}", opened, merchant.pk)])
    return case


def _first_contact(actor: User, merchant: Merchant, owner: Accountable) -> User:
    """Who took it in: the member of staff who filed it, or the owner when the merchant did alone."""
    return owner.answerable if merchant.members.filter(user=actor).exists() else actor


def _owner_ref(owner: Accountable) -> str:
    for kind, holder in (("person", owner.person), ("team", owner.team), ("pool", owner.pool)):
        if holder is not None:
            return f"{kind}:{holder.pk}"
    raise AssertionError("an accountable holder is a person, a team or a pool")


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


def stop_clocks(case: Case, *, now: datetime, kinds: list[ClockKind]) -> None:
    """Stop the running clocks of these kinds; part of the action that ends the wait."""
    Clock.objects.filter(case=case, kind__in=kinds, stopped_at=None).update(stopped_at=now)


@transaction.atomic
def open_task(
    *, kind: TaskKind, case: Case, assignee: User, item: UUID | None, detail: str, now: datetime
) -> Task:
    """Work for one named person about one item; asking for it again while it is open changes nothing."""
    task, new = Task.objects.get_or_create(
        kind=kind,
        item=item,
        done_at=None,
        defaults={
            "case": case,
            "assignee": assignee,
            "detail": detail,
            "created_at": now,
            "due_at": now + TASK_DUE,
        },
    )
    if new:
        opened = TaskOpened(case.number, kind, assignee.pk, str(item) if item else None)
        record([Entry(now, SYSTEM, f"case:{case.number}", opened, case.merchant_id)])
    return task


def finish_tasks(*, actor: Actor, case: Case, items: list[UUID], now: datetime) -> None:
    """The items' tasks are settled, by hand or because trying again helped."""
    for task in Task.objects.filter(case=case, item__in=items, done_at=None):
        task.done_at = now
        task.save(update_fields=["done_at"])
        done = TaskDone(case.number, task.kind, str(task.item) if task.item else None)
        record([Entry(now, actor, f"case:{case.number}", done, case.merchant_id)])


@dataclass(frozen=True, slots=True)
class AboutItem:
    """What a line's clock is about: a package's item, and the line that has to answer."""

    line: Line
    item: UUID


def start_clock(
    *,
    case: Case,
    kind: ClockKind,
    owner: User,
    now: datetime,
    due_at: datetime,
    about: AboutItem | None = None,
) -> Clock:
    """A wait begins: it has an owner and a deadline. One running clock per case, kind and item."""
    due_at = max(due_at, now + timedelta(seconds=1))
    clock, _new = Clock.objects.get_or_create(
        case=case,
        kind=kind,
        item=about.item if about else None,
        stopped_at=None,
        defaults={
            "owner": owner,
            "line": about.line if about else None,
            "started_at": now,
            "due_at": due_at,
        },
    )
    return clock
