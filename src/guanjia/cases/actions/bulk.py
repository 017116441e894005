"""One change for many cases: tried first, then done case by case, each in a transaction of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Missing, Refusal
from guanjia.base.idempotency import once
from guanjia.cases.actions.approval import ask_approval
from guanjia.cases.actions.changes import carry_out
from guanjia.cases.actions.marks import set_kind, set_priority, set_tags
from guanjia.cases.actions.talk import say
from guanjia.cases.approvers import approver_of
from guanjia.cases.changing import Change, change_of
from guanjia.cases.events import BulkAsked, BulkUndone
from guanjia.cases.models import BulkChange, BulkRow, Case
from guanjia.cases.phrases import filled, values_for
from guanjia.cases.rules import access_case
from guanjia.coverage.rules import Verb
from guanjia.ledger.actions import Entry, record
from guanjia.people.actors import actor_of
from guanjia.people.models import User

BULK_MOST = 200


@dataclass(frozen=True, slots=True)
class BulkPlan:
    """What is done with each case: a change, and a word (with variables) where a macro brings one."""

    change: Change = field(default_factory=Change)
    body: str = ""
    internal: bool = False

    def as_json(self) -> dict[str, Any]:
        return {"change": self.change.as_json(), "body": self.body, "internal": self.internal}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What would become of one case, or has: changed, as it was already, or refused with a reason."""

    number: str
    title: str
    changed: bool
    refusal: str
    before: dict[str, Any] = field(default_factory=dict)


class _Tried(Exception):  # noqa: N818 - the end of a trial, not a fault
    """Takes back what a trial has written."""


def try_bulk(*, actor: User, numbers: Sequence[str], plan: BulkPlan, now: datetime) -> list[Outcome]:
    """What the plan would do with each case, by doing it and taking it back: the same rules, no second set
    of them. Raises BadInput for none, too many, or a plan that does nothing."""
    _sound(numbers, plan)
    return [_tried(actor, number, plan, now) for number in dict.fromkeys(numbers)]


def _tried(actor: User, number: str, plan: BulkPlan, now: datetime) -> Outcome:
    found: list[Outcome] = []
    try:
        with transaction.atomic():
            found.append(_attempt(actor, number, plan, now))
            raise _Tried
    except _Tried:
        return found[0]


def _attempt(actor: User, number: str, plan: BulkPlan, now: datetime) -> Outcome:
    """Do it to one case; what is refused leaves nothing behind. Part of a transaction."""
    try:
        case = access_case(actor=actor, number=number, verb=Verb.NOTE, now=now)
    except Refusal as refusal:
        return Outcome(number, "", False, refusal.message)
    before = _marks(case)
    try:
        with transaction.atomic():
            changed = _apply(actor, case, plan, now)
    except Refusal as refusal:
        return Outcome(number, case.title, False, refusal.message, before)
    return Outcome(number, case.title, changed, "", before)


def _marks(case: Case) -> dict[str, Any]:
    names = case.taggings.order_by("tag__name").values_list("tag__name", flat=True)
    return {"priority": case.priority, "kind": case.kind, "tags": list(names)}


def _apply(actor: User, case: Case, plan: BulkPlan, now: datetime) -> bool:
    if not plan.body:
        return carry_out(actor=actor, number=case.number, change=plan.change, now=now)
    body = filled(plan.body, values_for(case, actor, now))
    if not plan.internal and approver_of(actor) is not None:
        ask_approval(actor=actor, number=case.number, body=body, then=plan.change, now=now)
    else:
        internal, then = plan.internal, plan.change
        say(actor=actor, number=case.number, body=body, internal=internal, then=then, now=now)
    return True


def ask_bulk(
    *, actor: User, numbers: Sequence[str], plan: BulkPlan, idempotency_key: str, now: datetime
) -> BulkChange:
    """Write down what shall be done with which cases, once per key: `run_bulk` does it. Cases that this
    person may not see are left out. Raises BadInput, KeyReused."""
    _sound(numbers, plan)
    wanted = list(dict.fromkeys(numbers))

    def effect() -> int:
        seen = [case for number in wanted if (case := _seen(actor, number, now))]
        bulk = BulkChange.objects.create(actor=actor, change=plan.as_json(), at=now)
        BulkRow.objects.bulk_create(BulkRow(bulk=bulk, case=case) for case in seen)
        record([Entry(now, actor_of(actor), f"bulk:{bulk.pk}", BulkAsked(bulk.pk, len(seen)))])
        return bulk.pk

    scope, content = f"bulk:{actor.pk}", [wanted, plan.as_json()]
    pk, _new = once(scope=scope, key=idempotency_key, content=content, now=now, effect=effect)
    return BulkChange.objects.get(pk=pk)


def _seen(actor: User, number: str, now: datetime) -> Case | None:
    try:
        return access_case(actor=actor, number=number, verb=Verb.NOTE, now=now)
    except Refusal:
        return None


def run_bulk(*, actor: User, bulk: int, now: datetime) -> BulkChange:
    """Do what is left of it. Each case is done once, however often this is called. Raises Missing."""
    found = _own(actor, bulk)
    plan = _plan(found)
    for row in found.rows.filter(done_at=None).order_by("case_id").values_list("pk", flat=True):
        _run(actor, row, plan, now)
    return found


@transaction.atomic
def _run(actor: User, row: int, plan: BulkPlan, now: datetime) -> None:
    """The row's lock lets one of two who submit the same at once do it, and the other see that it is done."""
    found = BulkRow.objects.select_related("case").select_for_update(of=("self",)).get(pk=row)
    if found.done_at is not None:
        return
    outcome = _attempt(actor, found.case.number, plan, now)
    found.done_at, found.changed, found.refusal = now, outcome.changed, outcome.refusal
    found.before = outcome.before
    found.save(update_fields=["done_at", "changed", "refusal", "before"])


def undo_bulk(*, actor: User, bulk: int, now: datetime) -> BulkChange:
    """Take back priorities, kinds and tags, case by case, where nobody has changed them since. Words, waits
    and ends cannot be taken back. Raises Missing, BadInput."""
    found = _own(actor, bulk)
    change = _plan(found).change
    if not can_undo(found):
        raise BadInput(_("这次修改里没有可以撤回的。"), hint=_("能撤回的只有优先级、类型和标签。"))
    for row in found.rows.filter(changed=True, undone=False).order_by("case_id").values_list("pk", flat=True):
        _undo(actor, row, change, now)
    with transaction.atomic():
        if BulkChange.objects.filter(pk=bulk, undone_at=None).update(undone_at=now):
            count = found.rows.filter(undone=True).count()
            record([Entry(now, actor_of(actor), f"bulk:{bulk}", BulkUndone(bulk, count))])
    found.refresh_from_db()
    return found


def can_undo(bulk: BulkChange) -> bool:
    """Reads and writes nothing."""
    plan = _plan(bulk)
    marks = plan.change.priority is not None or plan.change.kind
    return bulk.undone_at is None and bool(marks or plan.change.add_tags or plan.change.remove_tags)


@transaction.atomic
def _undo(actor: User, row: int, change: Change, now: datetime) -> None:
    found = BulkRow.objects.select_related("case").select_for_update(of=("self",)).get(pk=row)
    before = found.before or {}
    if found.undone or not before:
        return
    try:
        with transaction.atomic():
            found.undone = _put_back(actor, found.case, change, before, now)
    except Refusal as refusal:
        found.refusal = refusal.message
    found.save(update_fields=["undone", "refusal"])


def _put_back(actor: User, case: Case, change: Change, before: dict[str, Any], now: datetime) -> bool:
    number, put = case.number, False
    if change.priority is not None and case.priority == change.priority:
        put |= set_priority(actor=actor, number=number, priority=before["priority"], now=now)
    if change.kind and case.kind == change.kind:
        put |= set_kind(actor=actor, number=number, kind=before["kind"], now=now)
    had = set(before["tags"])
    added = [name for name in change.add_tags if name not in had]
    removed = [name for name in change.remove_tags if name in had]
    if added or removed:
        put |= set_tags(actor=actor, number=number, add=removed, remove=added, now=now)
    return put


def _own(actor: User, bulk: int) -> BulkChange:
    found = BulkChange.objects.filter(pk=bulk, actor=actor).first()
    if found is None:
        raise Missing(_("没有这次批量修改，或它是别人的。"), hint=_("请从列表里重新选。"))
    return found


def _plan(bulk: BulkChange) -> BulkPlan:
    stored = bulk.change
    return BulkPlan(change_of(stored["change"]), stored["body"], stored["internal"])


def _sound(numbers: Sequence[str], plan: BulkPlan) -> None:
    if not numbers:
        raise BadInput(_("没有选中任何事项。"), hint=_("请在列表里先勾选。"))
    if len(set(numbers)) > BULK_MOST:
        raise BadInput(_("一次最多改 %(most)d 件。") % {"most": BULK_MOST}, hint=_("请分几次来改。"))
    if not (plan.change or plan.body):
        raise BadInput(_("没有选要改什么。"), hint=_("请至少选一样。"))
