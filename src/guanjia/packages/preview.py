"""What submitting would bring, before the click: prices, and by whose word each item is reserved.

Nothing is used up: the real check is `composing.submit`, under the mandates' locks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as n_

from guanjia.base.moments import money, span
from guanjia.lines.actions.mandates import period_start
from guanjia.lines.models import Mandate, MandatePeriod, MandateSpend, Service
from guanjia.lines.models.line import DecisionRuleChoice, Silence
from guanjia.lines.queries import mandates_over, services_by_code
from guanjia.packages.composing import HOUSE_CURRENCY, ItemDraft
from guanjia.people.models import User
from guanjia.people.queries import groups_of

PERIODS: Mapping[str, str] = {
    MandatePeriod.DAY: n_("今天"),
    MandatePeriod.WEEK: n_("本周"),
    MandatePeriod.MONTH: n_("本月"),
}


@dataclass(frozen=True, slots=True)
class ItemPreview:
    """`decides`: "nobody", "mandate" or "line"; `text` says it, with what is left or how long it takes."""

    price: int | None
    decides: str
    text: str


@dataclass(frozen=True, slots=True)
class Preview:
    """`items` are parallel to the drafts; None for a service that is not offered any more. `total` is
    the listed total in minor units, `unpriced` the number of items that have no list price."""

    items: tuple[ItemPreview | None, ...]
    total: int
    currency: str
    unpriced: int


def preview(*, actor: User, drafts: Sequence[ItemDraft], now: datetime) -> Preview:
    """What it brings if this person submits these drafts now; the same statements however many there are."""
    services = services_by_code({(draft.line, draft.service) for draft in drafts})
    purse = _Purse(actor, list(services.values()), now)
    chosen = [services.get((draft.line, draft.service)) for draft in drafts]
    prices = [service.price_amount for service in chosen if service]
    currencies = [service.currency for service in chosen if service and service.price_amount]
    return Preview(
        items=tuple(_item(service, purse) if service else None for service in chosen),
        total=sum(price or 0 for price in prices),
        currency=currencies[0] if currencies else HOUSE_CURRENCY,
        unpriced=sum(price is None for price in prices),
    )


class _Purse:
    """This person's mandates over some services, and what is left of each as items draw on it."""

    def __init__(self, actor: User, services: Sequence[Service], now: datetime) -> None:
        teams, pools = groups_of(actor)
        self._held = mandates_over(services, person=actor.pk, teams=teams, pools=pools, at=now)
        mandates = {mandate.pk: mandate for held in self._held.values() for mandate in held}
        spent = _spent(mandates, now)
        self._left = {
            pk: (mandate.amount_per_period - spent[pk][0], mandate.uses_per_period - spent[pk][1])
            for pk, mandate in mandates.items()
        }

    def held(self, service: Service) -> Sequence[Mandate]:
        return self._held.get(service.pk, ())

    def left(self, mandate: Mandate) -> tuple[int, int]:
        """What is left of it in this period: amount, uses."""
        return self._left[mandate.pk]

    def draw(self, service: Service) -> Mandate | None:
        """The first mandate that reaches for one use, drawn on."""
        amount = service.price_amount or 0
        for mandate in self.held(service):
            rest, uses = self._left[mandate.pk]
            if amount <= mandate.amount_per_use and amount <= rest and uses > 0:
                self._left[mandate.pk] = rest - amount, uses - 1
                return mandate
        return None


def _spent(mandates: Mapping[int, Mandate], now: datetime) -> dict[int, tuple[int, int]]:
    """Amount and uses of each mandate in its current period."""
    starts: dict[int, date] = {
        pk: period_start(MandatePeriod(mandate.period), now) for pk, mandate in mandates.items()
    }
    found = MandateSpend.objects.filter(mandate__in=starts, period_start__in=set(starts.values()))
    spent = dict.fromkeys(starts, (0, 0))
    for spend in found:
        if starts[spend.mandate_id] == spend.period_start:
            spent[spend.mandate_id] = spend.amount, spend.uses
    return spent


def _item(service: Service, purse: _Purse) -> ItemPreview:
    price = service.price_amount
    if service.decision_rule == DecisionRuleChoice.NEVER:
        return ItemPreview(price, "nobody", _("无需审批，提交后直接预留"))
    if service.decision_rule == DecisionRuleChoice.BEYOND_MANDATE:
        if used := purse.draw(service):
            return ItemPreview(price, "mandate", _within(used, purse))
        if held := purse.held(service):
            return ItemPreview(price, "line", _beyond(service, held[0], purse))
    return ItemPreview(price, "line", _line_decides(service, service.silence == Silence.CONSENT))


def _within(mandate: Mandate, purse: _Purse) -> str:
    amount, uses = purse.left(mandate)
    values = {
        "period": _(PERIODS[mandate.period]),
        "amount": money(amount, mandate.currency),
        "uses": uses,
    }
    return _("授权内，提交后直接预留；这一项之后%(period)s还剩 %(amount)s、%(uses)d 次") % values


def _beyond(service: Service, mandate: Mandate, purse: _Purse) -> str:
    consents = service.silence == Silence.CONSENT and mandate.silence == Silence.CONSENT
    if (service.price_amount or 0) > mandate.amount_per_use:
        why = _("超出授权（单次最多 %(most)s）") % {"most": money(mandate.amount_per_use, mandate.currency)}
    else:
        amount, uses = purse.left(mandate)
        values = {
            "period": _(PERIODS[mandate.period]),
            "amount": money(max(amount, 0), mandate.currency),
            "uses": max(uses, 0),
        }
        why = _("授权额度不够（%(period)s还剩 %(amount)s、%(uses)d 次）") % values
    return _("%(why)s；%(then)s") % {"why": why, "then": _line_decides(service, consents)}


def _line_decides(service: Service, consents: bool) -> str:
    values = {
        "within": span(timedelta(seconds=service.decision_within_seconds)),
        "grace": span(timedelta(seconds=service.decision_grace_seconds)),
    }
    if consents:
        return _("业务线 %(within)s内答复；再过 %(grace)s 没有答复，视为同意") % values
    return _("业务线 %(within)s内答复；再过 %(grace)s 没有答复，视为拒绝") % values
