"""A case goes from one hand to another. One verb, one transaction, one event."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.actors import SYSTEM, Actor
from guanjia.base.flows import wake
from guanjia.base.texts import clean
from guanjia.cases.actions.clocks import reown_clocks
from guanjia.cases.actions.tasks import lock_case
from guanjia.cases.handing import (
    ANSWER_WITHIN,
    NOTE_MOST,
    REASON_MOST,
    DeclinedBefore,
    NoAccessYet,
    NothingToAnswer,
    OwnsAlready,
    Receiver,
    columns,
    find_receiver,
    has_declined,
    may_receive,
    ref_of,
)
from guanjia.cases.models import Case, Handover, HandoverState, Message, Task
from guanjia.cases.work_events import HandedOver, HandoverAnswered
from guanjia.cases.working_time import after
from guanjia.coverage.actions import assign
from guanjia.coverage.models import ResponsibilityRole
from guanjia.coverage.queries import accountable_for
from guanjia.ledger.actions import Entry, Payload, record
from guanjia.people.absences import present
from guanjia.people.actors import actor_of
from guanjia.people.models import Pool, Role, RoleGrant, Team, User

FLOW = "cases.handovers"
"""The flow that takes back what nobody has taken; its keys are hand-over ids. It never changes."""
OFFERED = HandoverState.OFFERED


@transaction.atomic
def hand_over(*, actor: User, number: str, to: str, reason: str, now: datetime, note: str = "") -> Handover:
    """Give the case to `person:7`, `team:2` or `pool:1`: at once, with its clocks and the giver's tasks.

    Who is away is stood in for: the case goes to the substitute, or, where that one's access ends with the
    absence, to the receiver, for whom the substitute answers. The merchant is told who answers now, never
    why. Where the receiver does not look after this merchant yet, a service lead makes it a backup with this
    hand-over; anybody else is refused. Raises Missing, Forbidden, BadInput, AlreadySolved, OwnsAlready,
    NoAccessYet, DeclinedBefore.
    """
    case = lock_case(actor, number, now)
    reason = clean(reason, field=_("为什么转"), most=REASON_MOST)
    note = clean(note, field=_("交代"), most=NOTE_MOST, least=0)
    receiver = find_receiver(to)
    if isinstance(receiver, User):
        stand_in = present(receiver, at=now)
        receiver = stand_in if may_receive(case, stand_in, now=now) else receiver
    _refuse_receiver(case, receiver)
    if not may_receive(case, receiver, now=now):
        _let_in(actor, case, receiver, reason, now)
    case.handovers.filter(state=OFFERED).update(state=HandoverState.OVERTAKEN, answered_at=now)
    given = _offer(actor, case, receiver, reason, note, now)
    move(case, receiver, now=now)
    told = HandedOver(
        case.number,
        given.pk,
        ref_of(given.giver),
        ref_of(receiver),
        given.answerable.pk,
        given.answer_by.isoformat(),
    )
    _log(actor_of(actor), case, told, now)
    if given.state == OFFERED:
        wake(FLOW, [given.pk], given.answer_by, now)
    return given


def _refuse_receiver(case: Case, receiver: Receiver) -> None:
    if case.holder == receiver:
        raise OwnsAlready(_("这件事已经在%(name)s手里。") % {"name": receiver.name}, hint=_("请选别人。"))
    if has_declined(case, receiver):
        raise DeclinedBefore(
            _("%(name)s已经说过不接这件事。") % {"name": receiver.name}, hint=_("请选别人，或先当面商量。")
        )


def _let_in(actor: User, case: Case, receiver: Receiver, reason: str, now: datetime) -> None:
    """A hand-over by a lead brings the responsibility with it. Raises NoAccessYet."""
    if not RoleGrant.objects.filter(user=actor, role=Role.SERVICE_LEAD).exists():
        raise NoAccessYet(
            _("%(name)s还不负责这家商家，看不到这件事。") % {"name": receiver.name},
            hint=_("请选负责这家商家的人，或请服务体系负责人来转。"),
        )
    backup = ResponsibilityRole.BACKUP
    by = actor_of(actor)
    assign(actor=by, merchant=case.merchant, role=backup, holder=receiver, reason=reason, now=now)


def _offer(actor: User, case: Case, receiver: Receiver, reason: str, note: str, now: datetime) -> Handover:
    """Who takes a case for themselves or their group has accepted it with that."""
    own = receiver == actor or (not isinstance(receiver, User) and _works_in(actor, receiver))
    return Handover.objects.create(
        case=case,
        **columns(receiver),
        **columns(case.holder, "from_"),
        by=actor,
        reason=reason,
        note=note,
        at=now,
        state=HandoverState.ACCEPTED if own else OFFERED,
        answer_by=after(now, ANSWER_WITHIN),
        answered_by=actor if own else None,
        answered_at=now if own else None,
    )


def move(case: Case, receiver: Receiver, *, now: datetime) -> None:
    """The case, what we owe on it and its owner's open tasks have a new owner, and the merchant is told;
    part of the action that says why. The first contact stays."""
    before = case.answerable
    case.person, case.team, case.pool = None, None, None
    for name, holder in columns(receiver).items():
        setattr(case, name, holder)
    case.save(update_fields=["person", "team", "pool"])
    owner = case.answerable
    reown_clocks(case, owner, now)
    own = Task.objects.filter(case=case, assignee=before, done_at=None, line=None, team=None, pool=None)
    own.update(assignee=owner)
    notice = {"kind": "case_handed_over", "values": {"who": receiver.name}}
    Message.objects.create(case=case, notice=notice, at=now)


def _works_in(user: User, group: Team | Pool) -> bool:
    return group.lead_id == user.pk or group.members.filter(pk=user.pk).exists()


# --- the answer -----------------------------------------------------------------------------------


@transaction.atomic
def accept_case(*, actor: User, number: str, now: datetime) -> Handover:
    """The receiver takes the case. Raises Missing, Forbidden, AlreadySolved, NothingToAnswer."""
    case, given = _offered(actor, number, now)
    return _answer(case, given, HandoverState.ACCEPTED, "", actor, now)


@transaction.atomic
def decline_case(*, actor: User, number: str, reason: str, now: datetime) -> Handover:
    """The receiver cannot take the case, and says why: it goes back, and this receiver is not asked again.
    Raises Missing, Forbidden, BadInput, AlreadySolved, NothingToAnswer."""
    case, given = _offered(actor, number, now)
    reason = clean(reason, field=_("为什么不接"), most=REASON_MOST)
    return _answer(case, given, HandoverState.DECLINED, reason, actor, now)


def _offered(actor: User, number: str, now: datetime) -> tuple[Case, Handover]:
    case = lock_case(actor, number, now)
    given = case.handovers.select_related("person", "team", "pool").filter(state=OFFERED).first()
    if given is None or not _is_receiver(actor, given, now):
        raise NothingToAnswer(_("没有等您接手的转交，或者它已经有了答复。"), hint=_("请刷新查看最新状态。"))
    return case, given


def _is_receiver(actor: User, given: Handover, now: datetime) -> bool:
    receiver = given.holder
    if isinstance(receiver, User):
        return actor in (receiver, present(receiver, at=now))
    return _works_in(actor, receiver)


def _answer(
    case: Case, given: Handover, state: HandoverState, answer: str, actor: User | None, now: datetime
) -> Handover:
    given.state, given.answer, given.answered_by, given.answered_at = state, answer, actor, now
    given.save(update_fields=["state", "answer", "answered_by", "answered_at"])
    if state != HandoverState.ACCEPTED:
        move(case, _back_to(case, given, now), now=now)
    told = HandoverAnswered(
        case.number, given.pk, state.value, ref_of(case.holder), case.answerable.pk, given.by_id
    )
    _log(actor_of(actor) if actor else SYSTEM, case, told, now)
    return given


def _back_to(case: Case, given: Handover, now: datetime) -> Receiver:
    """The giver, where they still look after this merchant; else whoever is accountable for it."""
    giver = given.giver
    there = giver.is_active if isinstance(giver, User) else giver.lead.is_active
    if there and may_receive(case, giver, now=now):
        return giver
    found = accountable_for(case.merchant, at=now)
    back = found.person or found.team or found.pool
    assert back is not None  # the home pool answers where nobody else does
    return back


@transaction.atomic
def pull_back(*, handovers: Collection[int], now: datetime) -> dict[int, datetime | None]:
    """Cases that nobody has taken in time go back to where they came from; when to look at each of these
    hand-overs again (None: never)."""
    again: dict[int, datetime | None] = dict.fromkeys(handovers)
    cases = Handover.objects.filter(pk__in=handovers, state=OFFERED).values("case")
    locked = Case.objects.select_for_update(no_key=True, of=("self",)).select_related("merchant")
    by_pk = {case.pk: case for case in locked.filter(pk__in=cases).order_by("pk")}
    waiting = Handover.objects.filter(pk__in=handovers, state=OFFERED).order_by("pk")
    for given in waiting:
        if given.answer_by > now:
            again[given.pk] = given.answer_by
        else:
            _answer(by_pk[given.case_id], given, HandoverState.PULLED_BACK, "", None, now)
    return again


def _log(actor: Actor, case: Case, payload: Payload, now: datetime) -> None:
    record([Entry(now, actor, f"case:{case.number}", payload, case.merchant_id)])
