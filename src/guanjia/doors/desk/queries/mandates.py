"""What somebody may commit without asking, and what of it is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from guanjia.base.texts import pick
from guanjia.doors.desk.rules import Scope
from guanjia.lines.actions.mandates import period_start
from guanjia.lines.models import Mandate, MandatePeriod, MandateSpend
from guanjia.lines.models.line import Silence

MANDATES_MOST = 200


@dataclass(frozen=True, slots=True)
class MandateLook:
    """Amounts are minor units of `currency`; `left` and `uses_left` are for the period that runs."""

    pk: int
    line: str
    service: str
    holder: str
    currency: str
    per_use: int
    per_period: int
    period: str
    left: int
    uses: int
    uses_left: int
    silence: str
    until: datetime | None
    granted_by: str
    granted_at: datetime

    @property
    def tone(self) -> str:
        if not self.uses_left or not self.left:
            return "bad"
        return "warn" if self.left < self.per_use or self.left * 5 < self.per_period else "ok"


def my_mandates(scope: Scope, now: datetime) -> list[MandateLook]:
    """Those in force, by line; two statements."""
    mine = Q(person=scope.user) | Q(team__in=scope.team_ids) | Q(pool__in=scope.pools)
    found = Mandate.objects.select_related("line", "service", "person", "team", "pool", "granted_by")
    held = found.filter(mine, during__contains=now, revoked_at=None).order_by("line__slug", "pk")[
        :MANDATES_MOST
    ]
    spent = _spent(list(held), now)
    return [_look(mandate, spent.get(mandate.pk, (0, 0))) for mandate in held]


def _spent(held: list[Mandate], now: datetime) -> dict[int, tuple[int, int]]:
    """Amount and uses in the period that runs."""
    starts: dict[int, date] = {one.pk: period_start(MandatePeriod(one.period), now) for one in held}
    rows = MandateSpend.objects.filter(mandate__in=starts, period_start__in=set(starts.values()))
    return {s.mandate_id: (s.amount, s.uses) for s in rows if s.period_start == starts[s.mandate_id]}


def _look(mandate: Mandate, spent: tuple[int, int]) -> MandateLook:
    amount, uses = spent
    return MandateLook(
        pk=mandate.pk,
        line=pick(mandate.line.titles),
        service=pick(mandate.service.titles) if mandate.service else _("全部服务"),
        holder=str(mandate.holder),
        currency=mandate.currency,
        per_use=mandate.amount_per_use,
        per_period=mandate.amount_per_period,
        period=_(MandatePeriod(mandate.period).label),
        left=max(mandate.amount_per_period - amount, 0),
        uses=mandate.uses_per_period,
        uses_left=max(mandate.uses_per_period - uses, 0),
        silence=_(Silence(mandate.silence).label),
        until=mandate.during.upper,
        granted_by=mandate.granted_by.name,
        granted_at=mandate.during.lower,
    )
