"""Mandates granted on a line, and what was used of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _

from guanjia.base.errors import Missing
from guanjia.base.texts import pick
from guanjia.lines.actions.mandates import period_start
from guanjia.lines.models import Line, Mandate, MandatePeriod, MandateSpend
from guanjia.packages.models import Item
from guanjia.people.models import Pool, Role, Team, User

PAGE = 40
HOLDERS_MOST = 100


@dataclass(frozen=True, slots=True)
class Granted:
    """A mandate. Amounts are minor units; `used` and `uses` are of the period that runs now."""

    pk: int
    holder: str
    holder_kind: str
    service: str
    currency: str
    per_use: int
    per_period: int
    uses_most: int
    used: int
    uses: int
    period: str
    silence: str
    since: datetime
    until: datetime | None
    granted_by: str
    state: str
    text: str
    tone: str

    @property
    def live(self) -> bool:
        return self.state in ("live", "later")


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a mandate: for which item, by whom; `returned_at` if it came to nothing."""

    at: datetime
    by: str
    amount: int
    returned_at: datetime | None
    package: str
    item: int | None
    service: str
    merchant: str


def granted_on(line: Line, now: datetime, *, before: int | None = None) -> list[Granted]:
    """The newest first, PAGE and one more of them; two statements."""
    found = Mandate.objects.select_related("service", "person", "team", "pool", "granted_by")
    found = found.filter(line=line)
    if before is not None:
        found = found.filter(pk__lt=before)
    return _looks(list(found.order_by("-pk")[: PAGE + 1]), now)


def mandate_of(line: Line, pk: int) -> Mandate:
    """Raises Missing."""
    found = Mandate.objects.select_related("line", "service", "person", "team", "pool", "granted_by")
    mandate = found.filter(line=line, pk=pk).first()
    if mandate is None:
        raise Missing(_("这条业务线没有这份授权。"), hint=_("请从授权列表里选。"))
    return mandate


def look_at(mandate: Mandate, now: datetime) -> Granted:
    [look] = _looks([mandate], now)
    return look


def _looks(mandates: Sequence[Mandate], now: datetime) -> list[Granted]:
    starts = {period: period_start(period, now) for period in MandatePeriod}
    spends = MandateSpend.objects.filter(
        mandate__in=[m.pk for m in mandates], period_start__in=set(starts.values())
    )
    spent = {(spend.mandate_id, spend.period_start): spend for spend in spends}
    return [_look(mandate, spent, starts, now) for mandate in mandates]


def _look(
    mandate: Mandate,
    spent: Mapping[tuple[int, date], MandateSpend],
    starts: Mapping[MandatePeriod, date],
    now: datetime,
) -> Granted:
    spend = spent.get((mandate.pk, starts[MandatePeriod(mandate.period)]))
    state, text, tone = _state(mandate, now)
    return Granted(
        pk=mandate.pk,
        holder=mandate.holder.name,
        holder_kind=_kind(mandate.holder),
        service=pick(mandate.service.titles) if mandate.service else _("全部服务"),
        currency=mandate.currency,
        per_use=mandate.amount_per_use,
        per_period=mandate.amount_per_period,
        uses_most=mandate.uses_per_period,
        used=spend.amount if spend else 0,
        uses=spend.uses if spend else 0,
        period=_(mandate.get_period_display()),
        silence=_(mandate.get_silence_display()),
        since=mandate.during.lower,
        until=mandate.during.upper,
        granted_by=mandate.granted_by.name,
        state=state,
        text=text,
        tone=tone,
    )


def _kind(holder: User | Team | Pool) -> str:
    if isinstance(holder, User):
        return _("个人")
    return _("专班") if isinstance(holder, Team) else _("共享池")


def _state(mandate: Mandate, now: datetime) -> tuple[str, str, str]:
    if mandate.revoked_at is not None:
        return "revoked", _("已收回"), "plain"
    if mandate.during.upper is not None and mandate.during.upper <= now:
        return "over", _("已到期"), "plain"
    if mandate.during.lower > now:
        return "later", _("还没生效"), "plain"
    return "live", _("生效中"), "ok"


def uses_of(mandate: Mandate, *, before: int | None = None) -> tuple[list[Use], int | None]:
    """The newest first, PAGE of them, and the `before` of the next page; two statements."""
    found = mandate.uses.select_related("used_by")
    if before is not None:
        found = found.filter(pk__lt=before)
    page = list(found.order_by("-pk")[: PAGE + 1])
    more = page[PAGE - 1].pk if len(page) > PAGE else None
    about = Item.objects.select_related("service", "package__merchant")
    items = {item.uid: item for item in about.filter(uid__in=[use.item for use in page])}
    uses = []
    for use in page[:PAGE]:
        item = items.get(use.item)
        uses.append(
            Use(
                at=use.used_at,
                by=use.used_by.name,
                amount=use.amount,
                returned_at=use.returned_at,
                package=item.package.number if item else "",
                item=item.position if item else None,
                service=pick(item.service.titles) if item else "",
                merchant=item.package.merchant.name if item else "",
            )
        )
    return uses, more


def holders() -> list[tuple[str, str]]:
    """(what is typed, name) of people, teams and pools to grant to: the first of each kind, as a help."""
    people = User.objects.filter(grants__role=Role.ACCOUNT_MANAGER, is_active=True).order_by("username")
    teams, pools = Team.objects.order_by("code"), Pool.objects.order_by("code")
    return [
        *((user.username, user.name) for user in people[:HOLDERS_MOST]),
        *((f"team:{team.code}", f"{_('专班')} {team.name}") for team in teams[:HOLDERS_MOST]),
        *((f"pool:{pool.code}", f"{_('共享池')} {pool.name}") for pool in pools[:HOLDERS_MOST]),
    ]


def holder_named(text: str) -> User | Team | Pool | None:
    """By user name, `team:code` or `pool:code`; None where there is none."""
    kind, found, code = text.partition(":")
    if found and kind == "team":
        return Team.objects.filter(code=code).first()
    if found and kind == "pool":
        return Pool.objects.filter(code=code).first()
    return User.objects.filter(username=text, is_active=True).first()
