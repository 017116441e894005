"""Composing and submitting: from what people ask for to items that can be held."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput
from guanjia.base.moments import money
from guanjia.base.sql import numbers
from guanjia.cases.models import Case
from guanjia.core.package import ItemState, Mode, PackageState, Submitted
from guanjia.coverage.rules import MAY, Verb, relations
from guanjia.ledger.actions import Entry, record
from guanjia.lines.actions.mandates import use_mandate
from guanjia.lines.models import Mandate, Service
from guanjia.lines.models.line import DecisionRuleChoice, Silence
from guanjia.lines.params import check, prefill
from guanjia.lines.queries import mandates_for, services_by_code
from guanjia.packages.events import PackageComposed, PackageSubmitted
from guanjia.packages.models import Item, Package
from guanjia.packages.rows import load
from guanjia.packages.rules import ITEMS_MOST, PriceChanged, TooLate, UnknownService
from guanjia.packages.settle import settle_and_wake
from guanjia.people.actors import actor_of
from guanjia.people.models import User
from guanjia.people.queries import groups_of

HOUSE_CURRENCY = "CNY"
"""Of a package in which no service has a list price; a line's quote must be in the package's."""


@dataclass(frozen=True, slots=True)
class ItemDraft:
    """One service asked for: line slug, service code, parameters; `core` matters in core+optional."""

    line: str
    service: str
    params: Mapping[str, Any]
    core: bool = True

    def content(self) -> list[Any]:
        return [self.line, self.service, dict(self.params), self.core]


def compose(*, actor: User, case: Case, mode: Mode, items: Sequence[ItemDraft], now: datetime) -> Package:
    """Write a draft, inside the caller's transaction and after its access check."""
    _check_shape(mode, items)
    services = _services(items)
    currencies = {service.currency for service in services.values() if service.price_amount}
    [number] = numbers("packages_number", 1)
    package = Package.objects.create(
        number=f"PK-{now.year}-{number:06d}",
        merchant=case.merchant,
        case=case,
        mode=mode,
        state=PackageState.DRAFTED,
        composed_by=actor,
        currency=next(iter(currencies), HOUSE_CURRENCY),
        created_at=now,
    )
    facts = case.merchant.facts
    Item.objects.bulk_create(
        _item(package, position, draft, services[draft.line, draft.service], facts)
        for position, draft in enumerate(items, 1)
    )
    composed = PackageComposed(package.number, mode, [f"{d.line}/{d.service}" for d in items])
    record([Entry(now, actor_of(actor), f"package:{package.number}", composed, package.merchant_id)])
    return package


def _check_shape(mode: Mode, items: Sequence[ItemDraft]) -> None:
    if not items:
        raise BadInput(_("一揽子里还没有条目。"), hint=_("请至少选一项服务。"))
    if len(items) > ITEMS_MOST:
        raise BadInput(
            _("一揽子最多 %(most)d 项，这里有 %(got)d 项。") % {"most": ITEMS_MOST, "got": len(items)},
            hint=_("请分成几个一揽子。"),
        )
    if mode is Mode.CORE_AND_OPTIONAL and not any(item.core for item in items):
        raise BadInput(_("没有核心条目。"), hint=_("请至少标一项为核心，或改用“能办几项办几项”。"))


def _services(items: Sequence[ItemDraft]) -> dict[tuple[str, str], Service]:
    found = services_by_code({(draft.line, draft.service) for draft in items})
    for draft in items:
        if (draft.line, draft.service) not in found:
            name = f"{draft.line}/{draft.service}"[:120]
            raise UnknownService(
                _("没有服务“%(name)s”，或业务线已停办。") % {"name": name},
                hint=_("请从服务目录里选。"),
            )
    currencies = {service.currency for service in found.values() if service.price_amount}
    if len(currencies) > 1:
        raise BadInput(_("一个一揽子里不能有两种货币。"), hint=_("请按货币分成几个一揽子。"))
    return found


def _item(
    package: Package, position: int, draft: ItemDraft, service: Service, facts: Mapping[str, Any]
) -> Item:
    params = prefill(service, facts, draft.params)
    check(service, params)
    uid = uuid.uuid4()
    return Item(
        uid=uid,
        hold_id=uid,
        package=package,
        position=position,
        service=service,
        params=params,
        core=draft.core or package.mode != Mode.CORE_AND_OPTIONAL,
        state=ItemState.DRAFTED,
        ttl_seconds=service.hold_ttl_seconds,
        grace_seconds=service.decision_grace_seconds,
        silence_consents=service.silence == Silence.CONSENT,
        quote_amount=service.price_amount,
    )


def submit(*, actor: User, package: Package, accept_total: int | None, now: datetime) -> None:
    """Check mandates, take the merchant's yes if it is given, and begin. Part of a transaction."""
    row = load([package.pk])[package.pk]
    if row.package.state is not PackageState.DRAFTED:
        raise TooLate(_("这个一揽子已经提交过了。"), hint=_("请刷新查看最新状态。"))
    items = list(package.items.select_related("service__line").order_by("position"))
    list_total = sum(item.quote_amount or 0 for item in items)
    if accept_total is not None and (
        accept_total != list_total or not relations(actor, package.merchant, at=now) & MAY[Verb.ACCEPT]
    ):
        raise PriceChanged(
            _("价目总额是 %(total)s，与确认的不同。") % {"total": money(list_total, package.currency)},
            hint=_("请看过价格再确认；只有商家的负责人或财务可以确认价格。"),
        )
    within = _use_mandates(actor, package, items, now)
    submitted = PackageSubmitted(
        package.number,
        list_total,
        [item.position for item in items if item.position in within],
        [item.position for item in items if _needs_decision(item, within)],
    )
    Package.objects.filter(pk=package.pk).update(submitted_at=now)
    record([Entry(now, actor_of(actor), f"package:{package.number}", submitted, package.merchant_id)])
    accepted = {item.uid: item.quote_amount or 0 for item in items} if accept_total is not None else {}
    settle_and_wake(package.pk, [Submitted(accepted)], now, actor=actor_of(actor))


def _needs_decision(item: Item, within: Mapping[int, Mandate]) -> bool:
    rule = item.service.decision_rule
    if rule == DecisionRuleChoice.ALWAYS:
        return True
    return rule == DecisionRuleChoice.BEYOND_MANDATE and item.position not in within


def _use_mandates(actor: User, package: Package, items: Sequence[Item], now: datetime) -> dict[int, Mandate]:
    """Items within a mandate, by position; beyond one, its word on the line's silence is noted."""
    teams, pools = groups_of(actor)
    asking = [i for i in items if i.service.decision_rule == DecisionRuleChoice.BEYOND_MANDATE]
    held = {
        item.pk: mandates_for(item.service, person=actor.pk, teams=teams, pools=pools, at=now)
        for item in asking
    }
    _lock({mandate.pk for mandates in held.values() for mandate in mandates})
    within = {}
    for item in asking:
        used = _first_that_reaches(actor, package, item, held[item.pk], now)
        if used:
            within[item.position] = used
        _note(item, used, held[item.pk])
    return within


def _lock(mandates: set[int]) -> None:
    """All at once and in key order: packages that use the same mandates queue, and never in a circle."""
    rows = Mandate.objects.select_for_update(no_key=True).filter(pk__in=mandates).order_by("pk")
    list(rows.values_list("pk"))


def _first_that_reaches(
    actor: User, package: Package, item: Item, held: Sequence[Mandate], now: datetime
) -> Mandate | None:
    for mandate in held:
        if use_mandate(
            actor=actor,
            mandate=mandate,
            item=item.uid,
            amount=item.quote_amount or 0,
            merchant_id=package.merchant_id,
            now=now,
        ):
            return mandate
    return None


def _note(item: Item, used: Mandate | None, held: Sequence[Mandate]) -> None:
    if not held:
        return
    item.mandate = used or held[0]
    item.within_mandate = used is not None
    item.silence_consents = item.silence_consents and item.mandate.silence == Silence.CONSENT
    item.save(update_fields=["mandate", "within_mandate", "silence_consents"])
