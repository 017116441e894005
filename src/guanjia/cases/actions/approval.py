"""Replies of juniors: asked for, read, sent or returned. One verb, one transaction, one event."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Forbidden, Missing, Refusal
from guanjia.base.idempotency import once
from guanjia.base.texts import clean
from guanjia.cases.actions.changes import carry_out
from guanjia.cases.actions.clocks import start_clock, stop_clocks
from guanjia.cases.actions.talk import put_word, said_by, settle_reading
from guanjia.cases.approvers import approver_of
from guanjia.cases.changing import Change, change_of
from guanjia.cases.colleagues import colleagues
from guanjia.cases.events import (
    ApprenticeEnded,
    ApprenticeSet,
    ApprovalAsked,
    ApprovalGiven,
    ApprovalReturned,
)
from guanjia.cases.models import Apprentice, Case, ClockKind, Draft, HeldReply, HeldState
from guanjia.cases.rules import NEED_MOST, AlreadyDecided, NeedsApproval, access_case, access_known
from guanjia.coverage.rules import Relation, Verb
from guanjia.ledger.actions import Entry, Payload, record
from guanjia.people.actors import actor_of
from guanjia.people.models import Role, RoleGrant, Team, User

APPROVAL_WITHIN = timedelta(hours=2)
REASON_MOST = 1000


@transaction.atomic
def set_apprentice(
    *, actor: User, approver: User, now: datetime, user: User | None = None, team: Team | None = None
) -> Apprentice:
    """From now on the approver reads the public replies of this person, or of this team's members, before
    a merchant does. Only a service lead may say so. Raises Forbidden, BadInput."""
    _require_lead(actor)
    if (user is None) == (team is None):
        raise BadInput(_("请选一个人，或一个专班。"))
    if user == approver or not approver.is_active:
        raise BadInput(_("自己不能审自己的答复。"), hint=_("请选另一位在职的同事。"))
    about = {"approver": approver, "set_by": actor, "since": now}
    found, _new = Apprentice.objects.update_or_create(user=user, team=team, defaults=about)
    told = ApprenticeSet(user.pk if user else None, team.pk if team else None, approver.pk)
    record([Entry(now, actor_of(actor), f"apprentice:{found.pk}", told)])
    return found


@transaction.atomic
def end_apprentice(*, actor: User, apprentice: int, now: datetime) -> None:
    """Their replies go out at once again; what is held stays held until it is decided. Raises Forbidden,
    Missing."""
    _require_lead(actor)
    found = Apprentice.objects.select_for_update().filter(pk=apprentice).first()
    if found is None:
        raise Missing(_("没有这一条。"), hint=_("请刷新查看最新状态。"))
    told = ApprenticeEnded(found.user_id, found.team_id)
    record([Entry(now, actor_of(actor), f"apprentice:{found.pk}", told)])
    found.delete()


def ask_approval(
    *,
    actor: User,
    number: str,
    body: str,
    now: datetime,
    seen: int | None = None,
    then: Change | None = None,
    shared: int | None = None,
    idempotency_key: str | None = None,
) -> HeldReply:
    """A junior's public reply waits for its approver, on a clock. As `say`; no merchant sees anything of it.

    An approver who may not see the merchant (any more) is replaced by who is accountable for the case.
    """
    body = clean(body, field=_("沟通内容"), most=NEED_MOST)
    case = access_case(actor=actor, number=number, verb=Verb.SPEAK, now=now)

    def effect() -> int:
        settle_reading(case, actor, seen=seen, shared=shared)
        return _hold(case, actor, body, then or Change(), now).pk

    if idempotency_key is None:
        with transaction.atomic():
            return HeldReply.objects.get(pk=effect())
    content = [number, "held", body, *([then.as_json()] if then else [])]
    pk, _new = once(scope=said_by(actor), key=idempotency_key, content=content, now=now, effect=effect)
    return HeldReply.objects.get(pk=pk)


def _hold(case: Case, author: User, body: str, then: Change, now: datetime) -> HeldReply:
    due_at, approver = now + APPROVAL_WITHIN, _approver(case, author, now)
    held = HeldReply.objects.create(
        case=case,
        author=author,
        approver=approver,
        body=body,
        then=then.as_json(),
        asked_at=now,
        due_at=due_at,
    )
    Draft.objects.filter(case=case, author=author, internal=False).delete()
    start_clock(case=case, kind=ClockKind.REPLY_APPROVAL, owner=approver, now=now, due_at=due_at)
    _log(author, case, ApprovalAsked(case.number, held.pk, approver.pk, due_at.isoformat()), now)
    return held


def _approver(case: Case, author: User, now: datetime) -> User:
    named = approver_of(author)
    if named is None:
        raise BadInput(_("您的答复不用审，可以直接发。"), hint=_("请刷新后再发。"))
    wanted = [pk for pk in (named, case.answerable.pk) if pk != author.pk]
    able = {one.pk for one in colleagues(case.merchant_id, now=now, among=wanted)}
    found = next((pk for pk in wanted if pk in able), None)
    if found is None:
        raise NeedsApproval(
            _("现在没有人能审这条答复。"), hint=_("请服务体系负责人另指一位审阅人；您写的都还在。")
        )
    return User.objects.get(pk=found)


@transaction.atomic
def approve_reply(*, actor: User, reply: int, body: str, now: datetime) -> HeldReply:
    """The reply goes out, in its author's name and as it is now: the first answer is given at this instant.

    What should be done along with it and no longer can is left out, and its code is in the event. Raises
    Missing, Forbidden (for anybody but the approver or a lead), AlreadyDecided, BadInput.
    """
    body = clean(body, field=_("沟通内容"), most=NEED_MOST)
    held = _decide(actor, reply, now)
    edited = body != held.body
    message = put_word(held.case, author=held.author, internal=False, body=body, now=now)
    left_out = _also(held, now)
    held.state, held.body, held.message = HeldState.SENT, body, message
    held.save(update_fields=["state", "body", "message", "decided_by", "decided_at"])
    _end_clock(held.case, now)
    given = ApprovalGiven(held.case.number, held.pk, held.author_id, message.pk, edited, left_out)
    _log(actor, held.case, given, now)
    return held


@transaction.atomic
def return_reply(*, actor: User, reply: int, reason: str, now: datetime) -> HeldReply:
    """Back to its author, with a reason: the text is in their box again unless they have begun another.
    Raises as `approve_reply`."""
    reason = clean(reason, field=_("退回的原因"), most=REASON_MOST)
    held = _decide(actor, reply, now)
    held.state, held.reason = HeldState.RETURNED, reason
    held.save(update_fields=["state", "reason", "decided_by", "decided_at"])
    about = {"case": held.case, "author": held.author, "internal": False}
    Draft.objects.get_or_create(**about, defaults={"body": held.body, "saved_at": now})
    _end_clock(held.case, now)
    _log(actor, held.case, ApprovalReturned(held.case.number, held.pk, held.author_id), now)
    return held


def _decide(actor: User, reply: int, now: datetime) -> HeldReply:
    """The reply, locked and waiting, if this person may decide about it. The case is locked before it."""
    case = Case.objects.select_related("merchant").filter(held_replies=reply).first()
    if case is None:
        raise Missing(_("没有这条待审的答复。"), hint=_("请刷新查看最新状态。"))
    ref = case.merchant.ref
    relations = access_known(actor=actor, number=case.number, ref=ref, verb=Verb.NOTE, now=now)
    Case.objects.select_for_update(no_key=True).get(pk=case.pk)
    held = HeldReply.objects.select_related("author").select_for_update(of=("self",)).get(pk=reply)
    if actor.pk == held.author_id or (actor.pk != held.approver_id and Relation.LEAD not in relations):
        raise Forbidden(_("这条答复等另一位同事来审。"), hint=_("急的话，请审阅人或服务体系负责人处理。"))
    if held.state != HeldState.WAITING:
        raise AlreadyDecided(_("这条答复已经处理过了。"), hint=_("请刷新查看最新状态。"))
    held.case, held.decided_by, held.decided_at = case, actor, now
    return held


def _also(held: HeldReply, now: datetime) -> str:
    """What was asked for along with it; the code of the refusal where the case has moved on."""
    change = change_of(held.then)
    if not change:
        return ""
    try:
        carry_out(actor=held.author, number=held.case.number, change=change, now=now)
    except Refusal as refusal:
        return refusal.code
    return ""


def _end_clock(case: Case, now: datetime) -> None:
    if not case.held_replies.filter(state=HeldState.WAITING).exists():
        stop_clocks(case, now=now, kinds=[ClockKind.REPLY_APPROVAL])


def _require_lead(actor: User) -> None:
    if not RoleGrant.objects.filter(user=actor, role=Role.SERVICE_LEAD).exists():
        raise Forbidden(_("只有服务体系负责人能定谁的答复要审。"), hint=_("请找服务体系负责人。"))


def _log(actor: User, case: Case, payload: Payload, now: datetime) -> None:
    record([Entry(now, actor_of(actor), f"case:{case.number}", payload, case.merchant_id)])
