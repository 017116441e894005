"""One cause for many merchants. One verb, one transaction, one event; the flow does the rest in chunks."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Forbidden, Missing, Refusal
from guanjia.base.flows import wake
from guanjia.base.sql import numbers, run
from guanjia.base.texts import clean
from guanjia.cases.major_events import ChildKept, MajorMoved, MajorOpened, MajorUpdated
from guanjia.cases.models import MajorCase, MajorState, MajorUpdate, Recipient
from guanjia.cases.recipients import CHOSEN, RECIPIENTS_MOST, Criteria, values_of
from guanjia.cases.rules import NEED_MOST, access_case, no_case
from guanjia.coverage.rules import Verb
from guanjia.ledger.actions import Entry, Payload, record
from guanjia.people.actors import actor_of
from guanjia.people.models import Role, RoleGrant, User

MAJOR_FLOW = "case_major"
"""The flow that opens, tells and solves the children; keys are major cases."""
TITLE_MOST, DAYS_MOST = 100, 90


class NotNow(Refusal):
    """The major case is not in a state in which this can be done."""

    code = "major_not_now"


def access_majors(actor: User) -> None:
    """Major cases belong to those who lead the service: they are about merchants of everybody's."""
    leads = RoleGrant.objects.filter(user=actor, role=Role.SERVICE_LEAD)
    if not (actor.is_active and leads.exists()):
        raise Forbidden(_("重大事项由服务体系负责人来立。"), hint=_("请把原因和涉及的商家告诉负责人。"))


@transaction.atomic
def open_major(
    *, actor: User, title: str, said: str, criteria: Criteria, days: int, now: datetime
) -> MajorCase:
    """Something has happened to many merchants: each gets a case of its own that begins with `said` and is
    promised within `days`. Who they are is fixed now. Raises Forbidden, BadInput."""
    access_majors(actor)
    title = clean(title, field=_("标题"), most=TITLE_MOST)
    said = clean(said, field=_("告诉商家的话"), most=NEED_MOST)
    if not 1 <= days <= DAYS_MOST:
        raise BadInput(_("办结期限要在 1 到 %(most)d 天之间。") % {"most": DAYS_MOST})
    [serial] = numbers("cases_major_number", 1)
    major = MajorCase.objects.create(
        number=f"ZD-{now.year}-{serial:06d}",
        title=title,
        said=said,
        owner=actor,
        criteria=criteria.as_json(),
        recipients=0,
        opened_at=now,
        due_at=now + timedelta(days=days),
    )
    major.recipients = _choose(major, criteria)
    major.save(update_fields=["recipients"])
    _log(actor, major, MajorOpened(major.number, major.recipients, major.due_at.isoformat()), now)
    wake(MAJOR_FLOW, [major.pk], now, now)
    return major


_CHOOSE = f"""
INSERT INTO cases_recipient (major_id, merchant_id, heard, kept_open, finished)
SELECT %(major)s, id, 0, false, false FROM ({CHOSEN} LIMIT {RECIPIENTS_MOST + 1}) m ORDER BY id
"""  # noqa: S608 - our own text


def _choose(major: MajorCase, criteria: Criteria) -> int:
    count = run(_CHOOSE, {**values_of(criteria), "major": major.pk})
    if not count:
        raise BadInput(_("没有商家符合这些条件。"), hint=_("请放宽条件，或核对名单。"))
    if count > RECIPIENTS_MOST:
        raise BadInput(_("一次最多 %(most)d 家商家。") % {"most": RECIPIENTS_MOST}, hint=_("请收紧条件。"))
    return count


@transaction.atomic
def stop_major(*, actor: User, number: str, now: datetime) -> MajorCase:
    """No further merchant is told for now. Raises Missing, Forbidden, NotNow."""
    return _move(actor, number, now, {MajorState.OPENING: MajorState.STOPPED})


@transaction.atomic
def resume_major(*, actor: User, number: str, now: datetime) -> MajorCase:
    """Telling goes on where it was stopped. Raises Missing, Forbidden, NotNow."""
    return _move(actor, number, now, {MajorState.STOPPED: MajorState.OPENING})


@transaction.atomic
def update_major(*, actor: User, number: str, body: str, now: datetime) -> MajorUpdate:
    """A public word of its author that reaches every child. Raises Missing, Forbidden, BadInput, NotNow."""
    body = clean(body, field=_("更新"), most=NEED_MOST)
    major = _locked(actor, number)
    if major.state == MajorState.SOLVED:
        raise _not_now()
    n = major.updates.count() + 1
    update = MajorUpdate.objects.create(major=major, n=n, author=actor, body=body, at=now)
    _log(actor, major, MajorUpdated(major.number, n), now)
    wake(MAJOR_FLOW, [major.pk], now, now)
    return update


@transaction.atomic
def solve_major(*, actor: User, number: str, now: datetime) -> MajorCase:
    """All children are solved after they have heard every update, except those that are kept open and those
    whose packages or tasks are still under way. Raises Missing, Forbidden, NotNow."""
    return _move(actor, number, now, {MajorState.OPEN: MajorState.SOLVING})


@transaction.atomic
def keep_child(*, actor: User, number: str, keep: bool, now: datetime) -> Recipient:
    """Solving the major case leaves this child alone, or no longer does. Raises Missing, Forbidden."""
    case = access_case(actor=actor, number=number, verb=Verb.NOTE, now=now)
    child = Recipient.objects.select_for_update().filter(case=case).first()
    if child is None:
        raise Missing(_("这件事不属于重大事项。"), hint=_("请刷新查看最新状态。"))
    child.kept_open = keep
    child.save(update_fields=["kept_open"])
    kept = ChildKept(case.number, keep)
    record([Entry(now, actor_of(actor), f"case:{case.number}", kept, case.merchant_id)])
    return child


def _move(actor: User, number: str, now: datetime, ways: dict[MajorState, MajorState]) -> MajorCase:
    major = _locked(actor, number)
    before = MajorState(major.state)
    if before not in ways:
        raise _not_now()
    major.state = ways[before]
    major.save(update_fields=["state"])
    _log(actor, major, MajorMoved(major.number, before, major.state), now)
    wake(MAJOR_FLOW, [major.pk], now, now)
    return major


def _locked(actor: User, number: str) -> MajorCase:
    access_majors(actor)
    major = MajorCase.objects.select_for_update(no_key=True).filter(number=number).first()
    if major is None:
        raise no_case(number)
    return major


def _not_now() -> NotNow:
    return NotNow(_("这件重大事项现在不能这样做。"), hint=_("请刷新查看它到了哪一步。"))


def _log(actor: User, major: MajorCase, payload: Payload, now: datetime) -> None:
    record([Entry(now, actor_of(actor), f"major:{major.number}", payload)])
