"""Packages as people and programs read them: one look for the page, the API and the command line."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from guanjia.base.errors import Missing
from guanjia.base.texts import pick
from guanjia.core.package import ENDED, ItemState
from guanjia.core.package.states import OUT
from guanjia.lines.models import Line, Service
from guanjia.merchants.models import Merchant
from guanjia.packages.models import Item, Package
from guanjia.packages.outlook import TO_ACCEPT, if_refused, item_outlook, package_outlook, to_accept
from guanjia.packages.rules import no_package
from guanjia.packages.words import (
    ATTENTION,
    Step,
    authority_word,
    item_word,
    package_word,
    reason_word,
    steps,
)

LATEST_MOST = 50
WORDS_MOST = 8


@dataclass(frozen=True, slots=True)
class ItemLook:
    """An item. Amounts are minor units of the package's currency; `quote` is the list price until the
    line has quoted; `silence` is what the line's silence counts as; `authority` by
    whose word it is reserved; `declinable`: the merchant is asked for a price now, and may say no to this
    item alone."""

    position: int
    line: str
    line_title: str
    service: str
    title: str
    core: bool
    params: Mapping[str, Any]
    state: str
    state_text: str
    tone: str
    track: tuple[Step, ...]
    quote: int | None
    accepted: int | None
    within_mandate: bool
    authority: str
    decision_due_at: datetime | None
    escalated: bool
    silence: str
    hold_expires_at: datetime | None
    reason_code: str
    reason: str
    reference: str
    declinable: bool
    next: str


@dataclass(frozen=True, slots=True)
class LineTrack:
    """One line's part of a package, by item positions; the state is that of its neediest item."""

    line: str
    title: str
    state: str
    state_text: str
    tone: str
    items: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PackageLook:
    """A package. `total` is what its items cost that are not out; `to_accept` what the merchant is asked
    to say yes to now, None when nothing is asked; `if_refused` what becomes of the rest when a line
    says no."""

    number: str
    case: str
    merchant: str
    merchant_name: str
    mode: str
    mode_text: str
    if_refused: str
    state: str
    state_text: str
    tone: str
    ended: bool
    currency: str
    total: int
    accepted_total: int | None
    to_accept: int | None
    accept_due_at: datetime | None
    created_at: datetime
    submitted_at: datetime | None
    confirming_at: datetime | None
    ended_at: datetime | None
    next: str
    tracks: tuple[LineTrack, ...]
    items: tuple[ItemLook, ...]


@dataclass(frozen=True, slots=True)
class PackageLine:
    """A package as one line of a list."""

    number: str
    merchant: str
    merchant_name: str
    state: str
    state_text: str
    tone: str
    created_at: datetime


def package_by_number(number: str) -> Package:
    """For doors that have made sure of the reader in another way. Raises Missing."""
    package = Package.objects.select_related("merchant", "case").filter(number=number).first()
    if package is None:
        raise no_package(number)
    return package


def line_by_slug(slug: str) -> Line:
    """Raises Missing."""
    line = Line.objects.filter(slug=slug).first()
    if line is None:
        raise Missing(_("没有业务线“%(slug)s”。") % {"slug": slug[:40]}, hint=_("请核对地址。"))
    return line


def packages_of(ref: str) -> list[PackageLine]:
    """The newest packages of a merchant, LATEST_MOST of them. Raises Missing."""
    merchant = Merchant.objects.filter(ref=ref).first()
    if merchant is None:
        raise Missing(_("没有找到商家“%(ref)s”。") % {"ref": ref[:64]}, hint=_("请核对商家编号。"))
    return latest(merchant.packages.all())


def look(package: Package) -> PackageLook:
    """The package as it is now, in the reader's language; two statements however many items."""
    [found] = looks([package.pk])
    return found


def looks(keys: Collection[int]) -> list[PackageLook]:
    """The packages with these ids, the newest first; two statements however many there are."""
    packages = Package.objects.select_related("merchant", "case").filter(pk__in=keys).order_by("-pk")
    items: dict[int, list[Item]] = {key: [] for key in keys}
    for item in Item.objects.select_related("service__line").filter(package__in=keys).order_by("position"):
        items[item.package_id].append(item)
    return [_look(package, items[package.pk]) for package in packages]


def _look(package: Package, items: Sequence[Item]) -> PackageLook:
    state_text, tone = package_word(package.state, asks=package.accept_due_at is not None)
    shown = tuple(_item_look(item, asks=package.accept_due_at is not None) for item in items)
    return PackageLook(
        number=package.number,
        case=package.case.number,
        merchant=package.merchant.ref,
        merchant_name=package.merchant.name,
        mode=package.mode,
        mode_text=_(package.get_mode_display()),
        if_refused=if_refused(package.mode),
        state=package.state,
        state_text=state_text,
        tone=tone,
        ended=package.state in ENDED,
        currency=package.currency,
        total=sum(item.quote_amount or 0 for item in items if item.state not in OUT),
        accepted_total=_accepted_total(items),
        to_accept=to_accept(items) if package.accept_due_at else None,
        accept_due_at=package.accept_due_at,
        created_at=package.created_at,
        submitted_at=package.submitted_at,
        confirming_at=package.confirming_at,
        ended_at=package.ended_at,
        next=package_outlook(package, items),
        tracks=_tracks(shown),
        items=shown,
    )


def _accepted_total(items: Sequence[Item]) -> int | None:
    amounts = [item.accepted_amount for item in items if not item.declined]
    accepted = [amount for amount in amounts if amount is not None]
    return sum(accepted) if accepted else None


def _item_look(item: Item, *, asks: bool) -> ItemLook:
    line, (state_text, tone) = item.service.line, item_word(item.state)
    return ItemLook(
        position=item.position,
        line=line.slug,
        line_title=pick(line.titles),
        service=item.service.code,
        title=pick(item.service.titles),
        core=item.core,
        params=item.params,
        state=item.state,
        state_text=state_text,
        tone=tone,
        track=steps(item),
        quote=item.quote_amount,
        accepted=item.accepted_amount,
        within_mandate=item.within_mandate,
        authority=authority_word(item),
        decision_due_at=item.decision_due_at,
        escalated=item.escalated,
        silence="consent" if item.silence_consents else "refusal",
        hold_expires_at=item.hold_expires_at if item.state != ItemState.CONFIRMED else None,
        reason_code=item.reason_code,
        reason=reason_word(item.reason_code, item.reason),
        reference=item.reference,
        declinable=asks and item.state in TO_ACCEPT,
        next=item_outlook(item),
    )


def _tracks(items: Sequence[ItemLook]) -> tuple[LineTrack, ...]:
    """One per line, in the order in which the package first names them."""
    by_line: dict[str, list[ItemLook]] = {}
    for item in items:
        by_line.setdefault(item.line, []).append(item)
    return tuple(_track(found) for found in by_line.values())


def _track(items: Sequence[ItemLook]) -> LineTrack:
    first = min(items, key=lambda item: ATTENTION.index(ItemState(item.state)))
    positions = tuple(item.position for item in items)
    return LineTrack(first.line, first.line_title, first.state, first.state_text, first.tone, positions)


def latest(packages: QuerySet[Package] | None = None) -> list[PackageLine]:
    """The newest packages, LATEST_MOST of them."""
    found = (Package.objects.all() if packages is None else packages).select_related("merchant")
    return [_package_line(package) for package in found.order_by("-pk")[:LATEST_MOST]]


def _package_line(package: Package) -> PackageLine:
    text, tone = package_word(package.state, asks=package.accept_due_at is not None)
    merchant = package.merchant
    return PackageLine(
        package.number, merchant.ref, merchant.name, package.state, text, tone, package.created_at
    )


# --- the catalogue ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DecisionTerms:
    """When a person of the line decides, within what time, and what silence counts as. Seconds."""

    rule: str
    within_seconds: int
    grace_seconds: int
    silence: str


@dataclass(frozen=True, slots=True)
class ServiceLook:
    line: str
    line_title: str
    service: str
    title: str
    price: int | None
    currency: str
    hold_ttl_seconds: int
    decision: DecisionTerms
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A page of the services of all open lines; `next` is the `after` of the following page."""

    services: tuple[ServiceLook, ...]
    next: str | None


def catalogue(*, after: tuple[str, str] | None, limit: int) -> Catalogue:
    """Services in the order of (line, code), those behind `after`."""
    found = Service.objects.select_related("line").filter(active=True, line__active=True)
    if after is not None:
        line, code = after
        found = found.filter(Q(line__slug=line, code__gt=code) | Q(line__slug__gt=line))
    page = list(found.order_by("line__slug", "code")[: limit + 1])
    last = page[limit - 1] if len(page) > limit else None
    services = tuple(_service_look(service) for service in page[:limit])
    return Catalogue(services, f"{last.line.slug}/{last.code}" if last else None)


def find_services(words: str, *, limit: int) -> list[ServiceLook]:
    """Services of all open lines in whose titles (in any language), line or code each word occurs."""
    found = Service.objects.select_related("line").filter(active=True, line__active=True)
    for word in words.split()[:WORDS_MOST]:
        found = found.filter(_names(word))
    return [_service_look(service) for service in found.order_by("line__slug", "code")[:limit]]


def _names(word: str) -> Q:
    places = (
        "titles__zh-Hans",
        "titles__en",
        "line__titles__zh-Hans",
        "line__titles__en",
        "code",
        "line__slug",
    )
    named = Q()
    for place in places:
        named |= Q(**{f"{place}__icontains": word})
    return named


def _service_look(service: Service) -> ServiceLook:
    return ServiceLook(
        line=service.line.slug,
        line_title=pick(service.line.titles),
        service=service.code,
        title=pick(service.titles),
        price=service.price_amount,
        currency=service.currency,
        hold_ttl_seconds=service.hold_ttl_seconds,
        decision=DecisionTerms(
            service.decision_rule,
            service.decision_within_seconds,
            service.decision_grace_seconds,
            service.silence,
        ),
        schema=service.schema,
    )
