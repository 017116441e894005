"""A change that was written down earlier is carried out, by the actions that people use one by one."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from guanjia.cases.actions.closing import solve_case, wait_for_merchant
from guanjia.cases.actions.marks import set_kind, set_priority, set_tags
from guanjia.cases.changing import Change
from guanjia.people.models import User


@transaction.atomic
def carry_out(*, actor: User, number: str, change: Change, now: datetime) -> bool:
    """All of the change or nothing of it; False if it was so already. Raises what its actions raise."""
    changed = False
    if change.priority is not None:
        changed |= set_priority(actor=actor, number=number, priority=change.priority, now=now)
    if change.kind:
        changed |= set_kind(actor=actor, number=number, kind=change.kind, now=now)
    if change.add_tags or change.remove_tags:
        tags = {"add": change.add_tags, "remove": change.remove_tags}
        changed |= set_tags(actor=actor, number=number, now=now, **tags)
    if change.wait_days is not None:
        wait_for_merchant(actor=actor, number=number, days=change.wait_days, now=now)
        changed = True
    if change.solve:
        solve_case(actor=actor, number=number, now=now)
        changed = True
    return changed
