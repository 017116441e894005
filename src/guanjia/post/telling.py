"""From events to news, notices and deliveries: the settle of flow `post.tell`.

Everything is written in one transaction, set by set, and nothing twice: news once for each event and
telling, a notice once for each event and person, a delivery once for each event and address. What is told
to a merchant's people is told to members only, and what is told to the house to those who may see the
merchant at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from guanjia.base.flows import wake
from guanjia.people.models import Preference, User
from guanjia.post.facts import Batch, Fact
from guanjia.post.models import Channel, Delivery, DeliveryState, Endpoint, EndpointKind, News, Notice, Side
from guanjia.post.tellings import FORGETTING, TELLINGS, Telling
from guanjia.post.timing import after_quiet, next_letter

DELIVER_FLOW = "post.deliver"


@dataclass(frozen=True, slots=True)
class Told:
    """One event in one telling, and whom it reaches."""

    fact: Fact
    telling: Telling
    users: frozenset[int]
    endpoints: tuple[Endpoint, ...]


def tell(events: Sequence[int], now: datetime) -> None:
    """Tell everybody concerned of these events; to do it again changes nothing."""
    batch = Batch(events, now)
    _forget([fact for fact in batch.facts if fact.kind == FORGETTING], now)
    told = list(_told(batch))
    if not told:
        return
    news = _write_news(told)
    _write_notices(told, news)
    _send_out(told, news, now)


def _told(batch: Batch) -> Iterable[Told]:
    endpoints = _Endpoints(batch)
    for fact in batch.facts:
        reached: set[int] = {fact.actor} if fact.actor is not None else set()
        rung: set[int] = set()
        for telling in TELLINGS.get(fact.kind, ()):
            if not telling.when(fact):
                continue
            users = _allowed(fact, telling.side, telling.to(fact) - reached)
            asked = [one for one in endpoints.of(fact, telling) if one.pk not in rung]
            reached |= users
            rung |= {one.pk for one in asked}
            if users or asked:
                yield Told(fact, telling, frozenset(users), tuple(asked))


def _allowed(fact: Fact, side: Side, users: set[int]) -> set[int]:
    """Those who may know of it now, and can still sign in."""
    if side is Side.MERCHANT:
        users = users & fact.batch.members(fact.merchant)
    elif side is Side.HOUSE and fact.merchant is not None:
        return fact.batch.colleagues(fact.merchant, users)
    found = User.objects.filter(pk__in=users, is_active=True) if users else User.objects.none()
    return set(found.values_list("pk", flat=True))


class _Endpoints:
    """The addresses of the merchants and teams of a batch, and the house's own."""

    def __init__(self, batch: Batch) -> None:
        merchants = {fact.merchant for fact in batch.facts} - {None}
        teams = {fact.case.team_id for fact in batch.facts if fact.case} - {None}
        of = Q(merchant__in=merchants) | Q(team__in=teams) | Q(merchant=None, team=None)
        self._all = list(Endpoint.objects.filter(of, active=True))

    def of(self, fact: Fact, telling: Telling) -> Iterable[Endpoint]:
        if telling.personal:
            return
        for one in self._all:
            if telling.news in one.news and _concerns(one, fact, telling.side):
                yield one


def _concerns(one: Endpoint, fact: Fact, side: Side) -> bool:
    """A merchant's address hears what its people hear, a team's what the house hears of its cases."""
    if one.merchant_id is not None:
        return side is Side.MERCHANT and one.merchant_id == fact.merchant
    if one.team_id is not None:
        return side is Side.HOUSE and fact.case is not None and fact.case.team_id == one.team_id
    return side is Side.HOUSE or one.kind == EndpointKind.WEBHOOK


# --- rows -----------------------------------------------------------------------------------------


def _write_news(told: Sequence[Told]) -> dict[tuple[int, str], int]:
    rows = [_news(one) for one in told]
    News.objects.bulk_create(rows, ignore_conflicts=True)
    found = News.objects.filter(event__in={row.event for row in rows})
    return {(event, code): pk for pk, event, code in found.values_list("pk", "event", "code")}


def _news(one: Told) -> News:
    fact = one.fact
    shows = one.telling.shows and not (fact.internal and one.telling.side is not Side.HOUSE)
    return News(
        event=fact.event,
        code=one.telling.code,
        side=one.telling.side,
        at=fact.at,
        actor=fact.actor,
        merchant_id=fact.merchant,
        case_id=fact.case.pk if fact.case else None,
        message_id=fact.message if shows and fact.message in fact.batch.internal else None,
        values=_values(fact, one.telling),
    )


def _values(fact: Fact, telling: Telling) -> dict[str, Any]:
    kept = {name: fact.payload[name] for name in telling.keeps if name in fact.payload}
    slugs = [slug for slug in fact.slugs if slug in fact.batch.lines]
    return kept | ({"line": fact.batch.lines[slugs[0]].titles, "slug": slugs[0]} if len(slugs) == 1 else {})


def _write_notices(told: Sequence[Told], news: dict[tuple[int, str], int]) -> None:
    Notice.objects.bulk_create(
        [
            Notice(news_id=news[one.fact.event, one.telling.code], user_id=user, event=one.fact.event)
            for one in told
            for user in sorted(one.users)
        ],
        ignore_conflicts=True,
    )


def _send_out(told: Sequence[Told], news: dict[tuple[int, str], int], now: datetime) -> None:
    wanted = _Wanted({user for one in told for user in one.users})
    rows = [
        row
        for one in told
        for row in (*wanted.letters(one, now), *(_ring(one, endpoint, now) for endpoint in one.endpoints))
    ]
    for row, one in rows:
        row.news_id = news[one.fact.event, one.telling.code]
    Delivery.objects.bulk_create([row for row, _one in rows], ignore_conflicts=True)
    written = Delivery.objects.filter(uid__in=[row.uid for row, _one in rows])
    wake_deliveries(list(written.values_list("pk", "due_at")), now)


def wake_deliveries(due: Iterable[tuple[int, datetime]], now: datetime) -> None:
    by_time: dict[datetime, list[int]] = {}
    for key, at in due:
        by_time.setdefault(max(at, now), []).append(key)
    for at, keys in by_time.items():
        wake(DELIVER_FLOW, keys, at, now)


class _Wanted:
    """How the people of a batch want to be written to."""

    def __init__(self, users: set[int]) -> None:
        """Without a mail system nobody is: a letter that nobody carries is not written."""
        reachable = User.objects.filter(pk__in=users).exclude(email="")
        asked = bool(users) and settings.MAIL is not None and settings.MAIL.smtp is not None
        self._reachable = set(reachable.values_list("pk", flat=True)) if asked else set()
        self._preferences = Preference.objects.in_bulk(self._reachable) if self._reachable else {}

    def letters(self, one: Told, now: datetime) -> Iterable[tuple[Delivery, Told]]:
        for user in sorted(one.users & self._reachable):
            preference = self._preferences.get(user) or Preference(user_id=user)
            if one.telling.news not in preference.muted:
                due = due_of(preference, one.telling.news, now)
                row = _delivery(one, Channel.MAIL, due, now, bundled=due > now)
                row.user_id = user
                yield row, one


def due_of(preference: Preference, news: str, now: datetime) -> datetime:
    """When this person wants this kind of news in the mail: at once, in the letter of the day, or when
    the quiet hours are over."""
    zone = timezone.get_default_timezone()
    at = next_letter(now, preference.gathered_at, zone) if news in preference.gathered else now
    return after_quiet(at, preference.quiet_from, preference.quiet_until, zone)


def _ring(one: Told, endpoint: Endpoint, now: datetime) -> tuple[Delivery, Told]:
    program = endpoint.kind == EndpointKind.WEBHOOK
    channel = Channel.WEBHOOK if program else Channel.ROBOT
    row = _delivery(one, channel, now, now, bundled=not program)
    row.endpoint_id = endpoint.pk
    return row, one


def _delivery(one: Told, channel: Channel, due: datetime, now: datetime, *, bundled: bool) -> Delivery:
    return Delivery(event=one.fact.event, channel=channel, due_at=due, created_at=now, bundled=bundled)


def _forget(facts: Sequence[Fact], now: datetime) -> None:
    """Somebody has left a merchant: what was told to them as one of its people goes."""
    for fact in facts:
        user, merchant = fact.payload["user"], fact.merchant
        of = {"news__side": Side.MERCHANT, "news__merchant": merchant, "user": user}
        Notice.objects.filter(**of).delete()
        waiting = Delivery.objects.filter(**of, state=DeliveryState.WAITING)
        waiting.update(state=DeliveryState.DROPPED, ended_at=now, detail="left the merchant")
