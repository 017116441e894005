"""What people do about how they are told. One verb, one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, FieldError
from guanjia.base.seal import seal
from guanjia.base.texts import clean
from guanjia.coverage.rules import Verb, access_merchant
from guanjia.ledger.actions import Entry, Payload, record
from guanjia.lines.protocol.signing import new_secret
from guanjia.lines.ssrf import DestinationRefused, Network, check_url
from guanjia.merchants.models import Merchant
from guanjia.people.actors import actor_of
from guanjia.people.models import Team, User
from guanjia.post.events import EndpointAdded, EndpointChanged, EndpointRemoved, Replayed
from guanjia.post.models import Channel, Delivery, DeliveryState, Endpoint, EndpointKind, Notice, Side
from guanjia.post.rules import (
    ENDPOINTS_MOST,
    LABEL_MOST,
    URL_MOST,
    EndpointRefused,
    TooManyEndpoints,
    leads_service,
    no_endpoint,
    require_service_lead,
)
from guanjia.post.telling import wake_deliveries
from guanjia.post.tellings import kinds_for

REPLAY_MOST = 1000


@dataclass(frozen=True, slots=True)
class Wish:
    """An endpoint as somebody types it. An empty `url` or `secret` leaves what is there."""

    kind: str
    label: str
    url: str
    secret: str
    news: Sequence[str]


# --- reading --------------------------------------------------------------------------------------


def mark_read(*, user: User, notices: Collection[int], now: datetime) -> None:
    """Bookkeeping of one's own: somebody else's are not touched."""
    Notice.objects.filter(user=user, pk__in=notices, unread=True).update(unread=False, read_at=now)


def mark_all_read(*, user: User, upto: int, now: datetime) -> None:
    """All that were there when the list was shown; what came since stays unread."""
    Notice.objects.filter(user=user, unread=True, pk__lte=upto).update(unread=False, read_at=now)


# --- endpoints ------------------------------------------------------------------------------------


@transaction.atomic
def add_endpoint(
    *,
    actor: User,
    merchant_ref: str | None,
    team: int | None,
    wish: Wish,
    language: str,
    allowed: Sequence[Network],
    now: datetime,
) -> tuple[Endpoint, str]:
    """A new address for news of a merchant, a team or (with neither) the whole house, and for a webhook its
    secret, shown this once. Raises Missing, Forbidden, BadInput, TooManyEndpoints."""
    merchant = _merchant(actor, merchant_ref, now)
    if merchant is None:
        _require_group(actor, team)
    kind = _kind(wish.kind)
    _refuse_too_many(merchant, team)
    secret = new_secret() if kind is EndpointKind.WEBHOOK else wish.secret.strip()
    endpoint = Endpoint(merchant=merchant, team_id=team, kind=kind, language=language, created_by=actor)
    _fill(endpoint, wish, allowed)
    endpoint.sealed_secret = seal(secret) if secret else None
    endpoint.created_at = now
    endpoint.save()
    _log(actor, endpoint, EndpointAdded(endpoint.pk, kind, team), now)
    return endpoint, secret if kind is EndpointKind.WEBHOOK else ""


@transaction.atomic
def change_endpoint(
    *, actor: User, endpoint: int, wish: Wish, active: bool, allowed: Sequence[Network], now: datetime
) -> Endpoint:
    """What it wants, where it is, and whether it is on; turned on, it starts afresh."""
    found = access_endpoint(actor=actor, endpoint=endpoint, now=now, lock=True)
    _fill(found, wish, allowed)
    if wish.secret.strip() and found.kind != EndpointKind.WEBHOOK:
        found.sealed_secret = seal(wish.secret.strip())
    if active and not found.active:
        found.failures, found.failing_since, found.disabled_at = 0, None, None
    found.active = active
    found.save()
    _log(actor, found, EndpointChanged(found.pk, "settings"), now)
    return found


@transaction.atomic
def renew_secret(*, actor: User, endpoint: int, now: datetime) -> str:
    """A webhook's new secret, shown this once; the old one signs nothing more."""
    found = access_endpoint(actor=actor, endpoint=endpoint, now=now, lock=True)
    if found.kind != EndpointKind.WEBHOOK:
        raise BadInput(_("机器人的密钥由它自己的平台给出。"), hint=_("请在那边重置后填到这里。"))
    secret = new_secret()
    found.sealed_secret = seal(secret)
    found.save(update_fields=["sealed_secret"])
    _log(actor, found, EndpointChanged(found.pk, "secret"), now)
    return secret


@transaction.atomic
def remove_endpoint(*, actor: User, endpoint: int, now: datetime) -> None:
    """With its deliveries: what was not sent is not sent any more."""
    found = access_endpoint(actor=actor, endpoint=endpoint, now=now, lock=True)
    _log(actor, found, EndpointRemoved(found.pk), now)
    found.delete()


@transaction.atomic
def try_endpoint(*, actor: User, endpoint: int, now: datetime) -> Delivery:
    """Send a trial, once; the log says how it went."""
    found = access_endpoint(actor=actor, endpoint=endpoint, now=now, lock=True)
    if not found.active:
        raise BadInput(_("这个地址已停用，没有试发。"), hint=_("请先启用它，再试发。"))
    channel = Channel.WEBHOOK if found.kind == EndpointKind.WEBHOOK else Channel.ROBOT
    trial = Delivery.objects.create(endpoint=found, channel=channel, due_at=now, created_at=now)
    wake_deliveries([(trial.pk, now)], now)
    _log(actor, found, EndpointChanged(found.pk, "trial"), now)
    return trial


def access_endpoint(*, actor: User, endpoint: int, now: datetime, lock: bool = False) -> Endpoint:
    """The endpoint, for the owner of its merchant, the lead of its team, or who leads the service."""
    found = Endpoint.objects.select_for_update() if lock else Endpoint.objects
    one = found.filter(pk=endpoint).first()
    if one is None:
        raise no_endpoint()
    if one.merchant_id is not None:
        access_merchant(
            actor=actor, ref=Merchant.objects.get(pk=one.merchant_id).ref, verb=Verb.PEOPLE, now=now
        )
    elif not leads_service(actor) and not (one.team_id and _leads(actor, one.team_id)):
        raise no_endpoint()
    return one


def _leads(actor: User, team: int) -> bool:
    return Team.objects.filter(pk=team, lead=actor).exists()


def _require_group(actor: User, team: int | None) -> None:
    if team is None or not _leads(actor, team):
        require_service_lead(actor)
    if team is not None and not Team.objects.filter(pk=team).exists():
        raise BadInput(_("没有这个专班。"))


def _merchant(actor: User, ref: str | None, now: datetime) -> Merchant | None:
    return None if ref is None else access_merchant(actor=actor, ref=ref, verb=Verb.PEOPLE, now=now)


def _refuse_too_many(merchant: Merchant | None, team: int | None) -> None:
    if Endpoint.objects.filter(merchant=merchant, team=team).count() >= ENDPOINTS_MOST:
        raise TooManyEndpoints(
            _("通知地址最多 %(most)d 个。") % {"most": ENDPOINTS_MOST}, hint=_("请先删掉不用的。")
        )


def _kind(text: str) -> EndpointKind:
    if text not in EndpointKind:
        raise BadInput(_("没有这种通知地址。"), errors=[FieldError("/kind", _("种类"), _("请选一种。"))])
    return EndpointKind(text)


def _fill(endpoint: Endpoint, wish: Wish, allowed: Sequence[Network]) -> None:
    endpoint.label = clean(wish.label, field=_("名称"), most=LABEL_MOST)
    side = {Side.MERCHANT} if endpoint.merchant_id is not None else {Side.HOUSE}
    endpoint.news = [kind for kind in kinds_for(side, personal=False) if kind in wish.news]
    if wish.url.strip() or not endpoint.pk:
        url = clean(wish.url, field=_("地址"), most=URL_MOST)
        endpoint.host = _host(url, allowed if endpoint.merchant_id is None else ())
        endpoint.sealed_url = seal(url)


def _host(url: str, allowed: Sequence[Network]) -> str:
    """Where it leads. Raises EndpointRefused for where we do not connect to."""
    try:
        return check_url(url, allowed=allowed).host or ""
    except DestinationRefused:
        wrong = FieldError("/url", _("地址"), _("只能是公网上的 https 地址，不带用户名。"))
        raise EndpointRefused(_("这个地址不能用。"), errors=[wrong]) from None


# --- replay ---------------------------------------------------------------------------------------


@transaction.atomic
def replay(
    *, actor: User, deliveries: Sequence[int] | None, now: datetime, endpoint: int | None = None
) -> int:
    """Try again what was given up: these, or (None) all of the house or of one endpoint, at most
    REPLAY_MOST at a time. Returns how many. Raises Forbidden."""
    if endpoint is not None:
        access_endpoint(actor=actor, endpoint=endpoint, now=now)
    else:
        require_service_lead(actor)
    dead = Delivery.objects.filter(state=DeliveryState.DEAD, news__isnull=False)
    dead = dead.filter(endpoint=endpoint) if endpoint is not None else dead
    dead = dead.filter(pk__in=deliveries) if deliveries is not None else dead
    keys = list(dead.order_by("pk").select_for_update().values_list("pk", flat=True)[:REPLAY_MOST])
    Delivery.objects.filter(pk__in=keys).update(
        state=DeliveryState.WAITING, ended_at=None, attempts=0, together=None, due_at=now
    )
    wake_deliveries([(key, now) for key in keys], now)
    record([Entry(now, actor_of(actor), "post:deliveries", Replayed(len(keys), endpoint))])
    return len(keys)


def _log(actor: User, endpoint: Endpoint, payload: Payload, now: datetime) -> None:
    record([Entry(now, actor_of(actor), f"endpoint:{endpoint.pk}", payload, endpoint.merchant_id)])
