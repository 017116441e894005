"""What a merchant can ask for, on all open lines: for what price, decided how, and within what time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.db.models.fields.json import KeyTextTransform
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput
from guanjia.base.moments import span
from guanjia.base.sql import prepared
from guanjia.base.texts import pick
from guanjia.lines.models import Service
from guanjia.lines.models.line import DecisionRuleChoice, Silence

PAGE, WORDS_MOST, STARTERS = 40, 5, 6
_CURSOR = re.compile(r"([-a-zA-Z0-9_]{1,40})/([-a-zA-Z0-9_]{1,60})")
_SEARCHED = [(titles, language) for titles in ("titles", "line__titles") for language in ("zh-Hans", "en")]


@dataclass(frozen=True, slots=True)
class ServiceCard:
    """A service. `price` is in minor units, None where the line quotes; `decided` is one sentence."""

    line: str
    title: str
    price: int | None
    currency: str
    decided: str


@dataclass(frozen=True, slots=True)
class Starter:
    """A service by its name alone."""

    line: str
    title: str


_STARTERS = f"""
SELECT l.titles::json, s.titles::json FROM lines_service s JOIN lines_line l ON l.id = s.line_id
WHERE s.active AND l.active ORDER BY l.slug, s.code LIMIT {STARTERS}
"""  # noqa: S608 - our own text


@dataclass(frozen=True, slots=True)
class Offered:
    """Cards by the title of their line; `next` is the `after` of the following page."""

    lines: tuple[tuple[str, tuple[ServiceCard, ...]], ...]
    next: str


def offered(*, words: str = "", after: str = "") -> Offered:
    """A page of the services whose own title or whose line's title has each of the words. Raises BadInput."""
    found = Service.objects.select_related("line").filter(active=True, line__active=True)
    for word in words.split()[:WORDS_MOST]:
        found = found.annotate(**_texts()).filter(_says(word))
    if after:
        cursor = _CURSOR.fullmatch(after)
        if cursor is None:
            raise BadInput(_("没有这一段列表。"), hint=_("请从列表的第一页重新翻。"))
        found = found.filter(Q(line__slug=cursor[1], code__gt=cursor[2]) | Q(line__slug__gt=cursor[1]))
    page = list(found.order_by("line__slug", "code")[: PAGE + 1])
    last = page[PAGE - 1] if len(page) > PAGE else None
    return Offered(_by_line(page[:PAGE]), f"{last.line.slug}/{last.code}" if last else "")


def starters() -> list[Starter]:
    """A few services to begin with."""
    return [Starter(pick(line), pick(service)) for line, service in prepared(_STARTERS, {})]


def _texts() -> dict[str, KeyTextTransform]:
    return {f"said_{n}": KeyTextTransform(language, titles) for n, (titles, language) in enumerate(_SEARCHED)}


def _says(word: str) -> Q:
    found = Q()
    for name in _texts():
        found |= Q(**{f"{name}__icontains": word})
    return found


def _by_line(services: list[Service]) -> tuple[tuple[str, tuple[ServiceCard, ...]], ...]:
    by_line: dict[str, list[ServiceCard]] = {}
    for service in services:
        card = _card(service)
        by_line.setdefault(card.line, []).append(card)
    return tuple((line, tuple(cards)) for line, cards in by_line.items())


def _card(service: Service) -> ServiceCard:
    return ServiceCard(
        line=pick(service.line.titles),
        title=pick(service.titles),
        price=service.price_amount,
        currency=service.currency,
        decided=_decided(service),
    )


def _decided(service: Service) -> str:
    if service.decision_rule == DecisionRuleChoice.NEVER:
        return _("无需审批，有空位就当场占住。")
    within = {"within": span(timedelta(seconds=service.decision_within_seconds))}
    first = (
        _("由业务线答复，最迟 %(within)s。")
        if service.decision_rule == DecisionRuleChoice.ALWAYS
        else _("授权范围内当场占住；超出的由业务线答复，最迟 %(within)s。")
    )
    then = _("逾期不答，视为同意。") if service.silence == Silence.CONSENT else _("逾期不答，视为拒绝。")
    return first % within + then
