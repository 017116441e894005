"""Who answers for a merchant, and from when."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.actors import SYSTEM, Actor
from guanjia.base.errors import BadInput, Forbidden, Missing, Refusal
from guanjia.base.moments import moment
from guanjia.base.texts import clean
from guanjia.coverage.events import Assigned, Ended, PoolCreated, Withdrawn
from guanjia.coverage.models import Responsibility, ResponsibilityRole
from guanjia.ledger.actions import Entry, Payload, record
from guanjia.merchants.models import Merchant
from guanjia.people.actions import grant_role
from guanjia.people.models import Pool, Role, RoleGrant, Team, User

COMMONS = "commons"
SERVICE_LEAD = "service-lead"
NO_PASSWORD = "!"  # noqa: S105 - what Django takes for "cannot sign in with one"
REASON_MOST = 300  # characters

Holding = User | Team | Pool


class PlannedAlready(Refusal):
    """A later responsibility is in the way of the one asked for."""

    code = "responsibility_planned"


class PastIsKept(BadInput):
    """Who answered in the past stays as it was."""

    code = "past_is_kept"


class EndedAlready(Refusal):
    code = "responsibility_ended"


@transaction.atomic
def ensure_default_pool(*, now: datetime) -> Pool:
    """The pool that merchants come home to when nobody says otherwise; made if it is missing.

    Its lead is the first active service lead. Without one, an account `service-lead` is made for
    whoever takes that work: it has the role and no password.
    """
    found = Pool.objects.filter(code=COMMONS).first()
    if found is not None:
        return found
    lead = _first_lead() or _new_lead(now)
    pool, new = Pool.objects.get_or_create(code=COMMONS, defaults={"name": _("公共共享池"), "lead": lead})
    if new:
        record([Entry(now, SYSTEM, f"pool:{pool.pk}", PoolCreated(pool.pk, COMMONS, lead.pk))])
    return pool


def _first_lead() -> User | None:
    return User.objects.filter(grants__role=Role.SERVICE_LEAD, is_active=True).order_by("pk").first()


def _new_lead(now: datetime) -> User:
    lead, _new = User.objects.get_or_create(
        username=SERVICE_LEAD, defaults={"name": Role.SERVICE_LEAD.label, "password": NO_PASSWORD}
    )
    grant_role(actor=SYSTEM, user=lead, role=Role.SERVICE_LEAD, now=now)
    return lead


@transaction.atomic
def assign(
    *,
    actor: Actor,
    merchant: Merchant,
    role: ResponsibilityRole,
    holder: Holding,
    reason: str,
    now: datetime,
    from_: datetime | None = None,
) -> Responsibility:
    """Make a person, a team or a pool responsible for a merchant, from `from_` (else now) on.

    For the account manager this is a handover: the present one's responsibility ends at that very
    instant. Somebody who already holds the role keeps it, and nothing changes. Raises Forbidden,
    BadInput, PastIsKept, PlannedAlready.
    """
    _require_lead(actor)
    since = from_ or now
    reason = clean(reason, field=_("理由"), most=REASON_MOST)
    Merchant.objects.select_for_update().get(pk=merchant.pk)  # one handover of a merchant at a time
    in_the_way = _in_the_way(merchant, role, holder, since)
    for other in in_the_way:
        if other.holder == holder and _begin(other) <= since and other.during.upper is None:
            return other
    closed = _close_for(in_the_way, since, now) if role == ResponsibilityRole.ACCOUNT_MANAGER else None
    given = Responsibility.objects.create(
        merchant=merchant,
        role=role,
        during=(since, None),
        reason=reason,
        granted_by_id=int(actor.ref) if actor.kind == "user" else None,
        **{_kind(holder): holder},
    )
    told = Assigned(given.pk, role.value, name_of(holder), since.isoformat(), closed)
    _log(actor, merchant.pk, given.pk, told, now)
    return given


def _in_the_way(
    merchant: Merchant, role: ResponsibilityRole, holder: Holding, since: datetime
) -> list[Responsibility]:
    """What overlaps `since` and all time after it: any account manager, or this holder in this role."""
    found = Responsibility.objects.filter(merchant=merchant, role=role, during__overlap=(since, None))
    if role != ResponsibilityRole.ACCOUNT_MANAGER:
        found = found.filter(**{_kind(holder): holder})
    return list(found.select_related("person", "team", "pool").order_by("during"))


def _close_for(in_the_way: list[Responsibility], since: datetime, now: datetime) -> int | None:
    """End the present responsibility at `since`; returns its id."""
    planned = next((one for one in in_the_way if _begin(one) >= since), None)
    if planned is not None:
        raise PlannedAlready(
            _("从 %(at)s 起已经安排了客户经理。") % {"at": moment(_begin(planned))},
            hint=_("请先撤销那项安排，或选一个更晚的时间。"),
        )
    if not in_the_way:
        return None
    if since < now:
        raise PastIsKept(_("过去由谁负责不能改写。"), hint=_("请让交接从现在或以后的某个时刻开始。"))
    [present] = in_the_way
    present.during = (present.during.lower, since)
    present.save(update_fields=["during"])
    return present.pk


@transaction.atomic
def end_responsibility(*, actor: Actor, responsibility: int, now: datetime) -> None:
    """End a responsibility now; a merchant without an account manager is its home pool's again.

    One that was planned and has not begun is withdrawn. Raises Forbidden, Missing, EndedAlready.
    """
    _require_lead(actor)
    found = Responsibility.objects.filter(pk=responsibility).first()
    if found is None:
        raise Missing(_("没有这项职责。"), hint=_("请核对后重试。"))
    Merchant.objects.select_for_update().get(pk=found.merchant_id)
    found.refresh_from_db()
    begun, ends = _begin(found), found.during.upper
    if ends is not None and ends <= now:
        raise EndedAlready(_("这项职责在 %(at)s 已经结束。") % {"at": moment(ends)})
    if begun >= now:
        told: Payload = Withdrawn(found.pk, found.role, name_of(found.holder), begun.isoformat())
        found.delete()
    else:
        told = Ended(found.pk, found.role, now.isoformat())
        found.during = (begun, now)
        found.save(update_fields=["during"])
    _log(actor, found.merchant_id, responsibility, told, now)


def _begin(responsibility: Responsibility) -> datetime:
    begin: datetime | None = responsibility.during.lower
    assert begin is not None  # held by the check constraint responsibility_not_empty
    return begin


def name_of(holder: Holding) -> str:
    """A holder as events name it: kind and number."""
    return f"{_kind(holder)}:{holder.pk}"


def _kind(holder: Holding) -> str:
    return {User: "person", Team: "team", Pool: "pool"}[type(holder)]


def _require_lead(actor: Actor) -> None:
    """People need the role of a service lead; the house itself (import, demo, operator) does not."""
    if actor.kind != "user":
        return
    if not RoleGrant.objects.filter(user_id=int(actor.ref), role=Role.SERVICE_LEAD).exists():
        raise Forbidden(_("只有服务体系负责人可以安排职责。"), hint=_("请联系服务体系负责人。"))


def _log(actor: Actor, merchant: int, responsibility: int, payload: Payload, now: datetime) -> None:
    record([Entry(now, actor, f"responsibility:{responsibility}", payload, merchant)])
