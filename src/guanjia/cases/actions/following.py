"""A merchant's word on what is over for good: it becomes a new case, linked to the old one."""

from __future__ import annotations

from datetime import datetime

from guanjia.cases.actions.intake import open_beside
from guanjia.cases.actions.links import join
from guanjia.cases.belonging import OVER, comes_back
from guanjia.cases.models import Case, CaseState, LinkKind, Message
from guanjia.people.models import User


def leads_on(case: Case, *, author: User, now: datetime) -> bool:
    """Whether a public word of this author on this case begins a new one, by the rule of the house."""
    if case.state not in OVER or not case.merchant.members.filter(user=author).exists():
        return False
    # Read again and locked: it may have been opened or closed since the door looked.
    fresh = Case.objects.select_for_update(no_key=True).get(pk=case.pk)
    return CaseState(fresh.state) in OVER and not comes_back(fresh, now)


def follow_up(case: Case, *, author: User, said: str, now: datetime) -> Message:
    """A new case in these words, linked both ways; on the old one the house says where they went.

    Returns the house's word on the new case. Part of the action that says the merchant's.
    """
    new = open_beside(actor=author, beside=case, need=said, now=now)
    join(LinkKind.FOLLOWS, new, case, actor=author, now=now)
    tell(case, "led_on", now, other=new.number)
    return tell(new, "follows", now, other=case.number)


def tell(case: Case, kind: str, now: datetime, **values: str) -> Message:
    """What the house says on the case about where its words are."""
    return Message.objects.create(case=case, notice={"kind": kind, "values": values}, at=now)
