"""What a merchant says becomes a case. One verb, one transaction, one event."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.idempotency import once
from guanjia.base.sql import numbers
from guanjia.base.texts import clean
from guanjia.cases.events import CaseOpened
from guanjia.cases.models import Case, Clock
from guanjia.cases.rules import NEED_MOST, PROMISES, title_of
from guanjia.coverage.queries import Accountable, accountable_for
from guanjia.coverage.rules import Verb, access_merchant
from guanjia.ledger.actions import Entry, record
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
