"""Authority as data: granting, revoking, using and giving back a mandate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.actors import Actor
from guanjia.base.errors import BadInput
from guanjia.base.sql import rows
from guanjia.ledger.actions import Entry, record
from guanjia.lines.events import MandateGranted, MandateRevoked, MandateUsed, MandateUseReturned
from guanjia.lines.models import Line, Mandate, MandatePeriod, MandateUse, Service
from guanjia.lines.models.line import Silence
from guanjia.lines.protocol.wire import MAX_INTEGER
from guanjia.lines.rules import require_specialist
from guanjia.people.actors import actor_of
from guanjia.people.models import Pool, Team, User

_USES_MOST = 2**31 - 1
_CURRENCY = "CNY"
"""Of a mandate for every service of a line: it covers those that are priced in it."""


@transaction.atomic
def grant_mandate(
    *,
    actor: User,
    line: Line,
    service: Service | None,
    holder: User | Team | Pool,
    amount_per_use: int,
    amount_per_period: int,
    uses_per_period: int,
    period: MandatePeriod,
    silence: Silence,
    now: datetime,
    until: datetime | None = None,
) -> Mandate:
    """A line specialist lets a person, team or pool commit without asking, within limits.

    Amounts are minor units. Raises NotYourLine, BadInput.
    """
    require_specialist(actor, line)
    if not 0 <= amount_per_use <= amount_per_period <= MAX_INTEGER or not 1 <= uses_per_period <= _USES_MOST:
        raise BadInput(_("授权额度不成立。"), hint=_("单次额度不能大于周期额度，次数至少为 1。"))
    if service is not None and service.line_id != line.pk:
        raise BadInput(_("这项服务不属于这条业务线。"), hint=_("请从这条业务线的服务里选。"))
    if until is not None and until <= now:
        raise BadInput(_("授权的到期时间已经过去。"), hint=_("请选一个将来的时间，或不设到期。"))
    mandate = Mandate.objects.create(
        line=line,
        service=service,
        person=holder if isinstance(holder, User) else None,
        team=holder if isinstance(holder, Team) else None,
        pool=holder if isinstance(holder, Pool) else None,
        currency=service.currency if service else _CURRENCY,
        amount_per_use=amount_per_use,
        amount_per_period=amount_per_period,
        uses_per_period=uses_per_period,
        period=period,
        silence=silence,
        during=(now, until),
        granted_by=actor,
    )
    granted = MandateGranted(
        mandate=mandate.pk,
        line=line.slug,
        service=service.code if service else None,
        holder=f"{type(holder).__name__.lower()}:{holder.pk}",
        amount_per_use=amount_per_use,
        amount_per_period=amount_per_period,
        uses_per_period=uses_per_period,
        period=period,
        silence=silence,
        until=until.isoformat() if until else None,
    )
    record([Entry(now, actor_of(actor), f"mandate:{mandate.pk}", granted)])
    return mandate


@transaction.atomic
def revoke_mandate(*, actor: User, mandate: Mandate, now: datetime) -> None:
    """From now on no use; what was used stays used."""
    require_specialist(actor, mandate.line)
    if Mandate.objects.filter(pk=mandate.pk, revoked_at=None).update(revoked_at=now):
        revoked = MandateRevoked(mandate.pk)
        record([Entry(now, actor_of(actor), f"mandate:{mandate.pk}", revoked)])


def use_mandate(
    *, actor: User, mandate: Mandate, item: UUID, amount: int, merchant_id: int, now: datetime
) -> bool:
    """Use up `amount` of the mandate for an item; False if it does not reach. Part of a transaction.

    One conditional upsert on the period's row: concurrent uses queue on its lock and each sees what
    the one before has used, so the sum never passes a limit. The mandate itself is read again and
    share-locked: of a use and a revocation at once, one is first, and a revocation has no use after it.
    """
    start = period_start(MandatePeriod(mandate.period), now)
    fits = rows(
        "INSERT INTO lines_mandatespend AS s (mandate_id, period_start, amount, uses)"
        " SELECT id, %(start)s, %(amount)s, 1 FROM lines_mandate WHERE id = %(mandate)s"
        "  AND revoked_at IS NULL AND during @> %(now)s"
        "  AND %(amount)s <= amount_per_use AND uses_per_period > 0 FOR SHARE"
        " ON CONFLICT (mandate_id, period_start) DO UPDATE"
        " SET amount = s.amount + excluded.amount, uses = s.uses + 1"
        " WHERE s.amount + excluded.amount <= %(most)s AND s.uses < %(uses)s RETURNING s.uses",
        {
            "mandate": mandate.pk,
            "start": start,
            "amount": amount,
            "now": now,
            "most": mandate.amount_per_period,
            "uses": mandate.uses_per_period,
        },
    )
    if not fits:
        return False
    MandateUse.objects.create(
        mandate=mandate, item=item, amount=amount, period_start=start, used_by=actor, used_at=now
    )
    used = MandateUsed(mandate.pk, str(item), amount)
    record([Entry(now, actor_of(actor), f"mandate:{mandate.pk}", used, merchant_id)])
    return True


def return_uses(*, actor: Actor, items: Sequence[UUID], now: datetime) -> None:
    """Items that did not take effect give their amounts back. Part of a transaction; idempotent."""
    returned = rows(
        "WITH back AS (UPDATE lines_mandateuse SET returned_at = %s"
        "  WHERE item = ANY(%s) AND returned_at IS NULL"
        "  RETURNING mandate_id, period_start, amount, item),"
        " total AS (SELECT mandate_id, period_start, sum(amount) amount, count(*) uses"
        "  FROM back GROUP BY 1, 2),"
        " spent AS (UPDATE lines_mandatespend s SET amount = s.amount - t.amount,"
        "  uses = s.uses - t.uses FROM total t"
        "  WHERE s.mandate_id = t.mandate_id AND s.period_start = t.period_start)"
        " SELECT mandate_id, item, amount FROM back",
        [now, list(items)],
    )
    record(
        [
            Entry(now, actor, f"mandate:{pk}", MandateUseReturned(pk, str(item), amount))
            for pk, item, amount in returned
        ]
    )


def period_start(period: MandatePeriod, at: datetime) -> date:
    """The first day of the period, in the marketplace's time zone; weeks begin on Monday."""
    day = at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    if period is MandatePeriod.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period is MandatePeriod.MONTH else day
