"""Somebody is away, and somebody else stands in for them. One verb, one transaction, one event."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Forbidden, Missing, Refusal
from guanjia.base.moments import moment
from guanjia.ledger.actions import Entry, Payload, record
from guanjia.people.actors import actor_of
from guanjia.people.events import AbsenceEnded, AbsenceSet
from guanjia.people.models import Absence, Pool, Role, RoleGrant, Team, User

LONGEST = timedelta(days=366)
AHEAD = timedelta(days=366)
DESK = (Role.ACCOUNT_MANAGER, Role.SERVICE_LEAD)


class AwayAlready(Refusal):
    """One of the two is away, or stands in for somebody, at that time."""

    code = "away_already"


@transaction.atomic
def set_absence(
    *, actor: User, user: User, substitute: User, since: datetime, until: datetime, now: datetime
) -> Absence:
    """From `since` until `until` the substitute sees what `user` sees, and answers in both names.

    For oneself, or by a service lead for anybody. Both work at the desk; the substitute is there all that
    time, and who is away stands in for nobody. Raises Forbidden, BadInput, AwayAlready.
    """
    _require_own(actor, user)
    _require_times(since, until, now)
    if substitute == user:
        raise BadInput(_("自己不能替自己。"), hint=_("请选一位同事。"))
    for person in sorted((user, substitute), key=lambda one: one.pk):
        _require_desk(person)
    list(User.objects.select_for_update().filter(pk__in=[user.pk, substitute.pk]).order_by("pk"))
    _refuse_overlap(user, substitute, since, until)
    absence = Absence.objects.create(
        user=user, substitute=substitute, during=DateTimeTZRange(since, until), set_by=actor, set_at=now
    )
    told = AbsenceSet(absence.pk, user.pk, substitute.pk, since.isoformat(), until.isoformat())
    _log(actor, user, told, now)
    return absence


def _require_own(actor: User, user: User) -> None:
    if actor != user and not RoleGrant.objects.filter(user=actor, role=Role.SERVICE_LEAD).exists():
        raise Forbidden(_("只能给自己设不在的时间。"), hint=_("替别人设，请服务体系负责人来办。"))


def _require_times(since: datetime, until: datetime, now: datetime) -> None:
    if until <= max(since, now):
        raise BadInput(_("“到”要在“从”和现在之后。"), hint=_("请改时间。"))
    if until - since > LONGEST or since > now + AHEAD:
        raise BadInput(_("最多提前一年设，最长一年。"), hint=_("请改时间。"))


def _require_desk(person: User) -> None:
    there = (
        RoleGrant.objects.filter(user=person, role__in=DESK).exists()
        or Team.objects.filter(Q(lead=person) | Q(members=person)).exists()
        or Pool.objects.filter(Q(lead=person) | Q(members=person)).exists()
    )
    if not (person.is_active and there):
        raise BadInput(_("%(name)s不在工作台上办事。") % {"name": person.name}, hint=_("请选一位客户经理。"))


def _refuse_overlap(user: User, substitute: User, since: datetime, until: datetime) -> None:
    """One step only: nobody stands in for two people through a third."""
    during = (since, until)
    met = Absence.objects.filter(
        Q(user=user) | Q(user=substitute) | Q(substitute=user), during__overlap=during
    )
    found = met.select_related("user", "substitute").order_by("during").first()
    if found is None:
        return
    about = {
        "user": found.user.name,
        "substitute": found.substitute.name,
        "since": moment(found.during.lower),
        "until": moment(found.during.upper),
    }
    raise AwayAlready(
        _("%(since)s 到 %(until)s，%(user)s已定不在，由%(substitute)s替班。") % about,
        hint=_("请换一位同事、换一段时间，或先结束那一段。"),
    )


@transaction.atomic
def end_absence(*, actor: User, absence: int, now: datetime) -> None:
    """Back early, or not away after all: from now on nobody stands in. Raises Missing for somebody else's,
    and for one that is over."""
    found = Absence.objects.select_for_update(of=("self",)).select_related("user").filter(pk=absence).first()
    lead = RoleGrant.objects.filter(user=actor, role=Role.SERVICE_LEAD).exists()
    if found is None or found.during.upper <= now or not (lead or found.user == actor):
        raise Missing(_("没有这段不在的时间，或者它已经结束。"), hint=_("请刷新查看最新状态。"))
    if found.during.lower >= now:
        found.delete()
    else:
        found.during = DateTimeTZRange(found.during.lower, now)
        found.save(update_fields=["during"])
    _log(actor, found.user, AbsenceEnded(absence, found.user_id), now)


def _log(actor: User, user: User, payload: Payload, now: datetime) -> None:
    record([Entry(now, actor_of(actor), f"user:{user.pk}", payload)])
