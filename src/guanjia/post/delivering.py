"""What becomes of deliveries: the settle of flow `post.deliver`.

A turn without answers decides whether and with what a delivery goes out; a turn with them writes down what
came of it. Locks are taken in one order, deliveries by key and then endpoints, and what somebody else holds
is left to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from guanjia.base.actors import SYSTEM
from guanjia.base.flows import Turn
from guanjia.base.seal import unseal
from guanjia.cases.colleagues import colleagues
from guanjia.ledger.actions import Entry, record
from guanjia.merchants.models import Member
from guanjia.people.models import User
from guanjia.post.calls import Answer, Call, Hook
from guanjia.post.composing import letter_of, robot_text, webhook_body
from guanjia.post.events import EndpointDisabled
from guanjia.post.models import Attempt, Delivery, DeliveryState, Endpoint, EndpointKind, News, Side
from guanjia.post.robots import PACE
from guanjia.post.rules import owners_of
from guanjia.post.timing import TRIES_MOST, pause_after

BUNDLE_MOST = 50
FAILURES_LEAST = 5
DISABLE_AFTER = timedelta(days=1)
"""An endpoint that has failed for so long, and so often, is left alone until somebody turns it on."""


def settle(batch: Sequence[tuple[int, Sequence[Answer]]], now: datetime) -> list[Turn[Call]]:
    keys = [key for key, _answers in batch]
    waiting = Delivery.objects.filter(pk__in=keys, state=DeliveryState.WAITING).order_by("pk")
    whole = waiting.select_related("user", "endpoint", "news").select_for_update(of=("self",))
    found = {delivery.pk: delivery for delivery in whole}
    return [_turn(key, found.get(key), answers, now) for key, answers in batch]


def _turn(key: int, delivery: Delivery | None, answers: Sequence[Answer], now: datetime) -> Turn[Call]:
    if delivery is None:
        return Turn(key, (), None)
    if answers:
        return Turn(key, (), _write_down(delivery, answers[-1], now))
    delivery.refresh_from_db(fields=["together", "due_at"])  # an earlier one of this batch may carry it
    if delivery.together_id is not None:
        return Turn(key, (), None)
    if delivery.due_at > now:
        return Turn(key, (), delivery.due_at)
    if reason := _needless(delivery):
        _end([delivery], DeliveryState.DROPPED, reason, now)
        return Turn(key, (), None)
    return _send(delivery, now)


def _needless(delivery: Delivery) -> str:
    """Why nobody wants it any more; empty if somebody does."""
    if delivery.endpoint is not None:
        return "" if delivery.endpoint.active else "the endpoint is off"
    user, news = delivery.user, delivery.news
    assert user is not None
    if not user.is_active or not user.email:
        return "no address"
    if news is None:
        return "nothing to tell"
    return "" if _may_know(user, news, delivery.due_at) else "no longer concerned"


def _may_know(user: User, news: News, now: datetime) -> bool:
    """A letter may have waited for hours: who has left since then does not get it."""
    if news.side == Side.MERCHANT:
        return Member.objects.filter(merchant=news.merchant_id, user=user).exists()
    if news.side == Side.HOUSE and news.merchant_id is not None:
        return bool(colleagues(news.merchant_id, now=now, among=[user.pk]))
    return True


# --- out ------------------------------------------------------------------------------------------


def _send(delivery: Delivery, now: datetime) -> Turn[Call]:
    if delivery.endpoint is None:
        assert delivery.user is not None
        together = _gather(delivery, now)
        letter = letter_of(delivery.uid, delivery.user, _news(together))
        return Turn(delivery.pk, (letter,), None)
    if delivery.endpoint.kind == EndpointKind.WEBHOOK:
        language = delivery.endpoint.language
        body = webhook_body(delivery.news_id, delivery.event, language)
        return Turn(delivery.pk, (_hook(delivery, body),), None)
    return _ring(delivery, now)


def _ring(delivery: Delivery, now: datetime) -> Turn[Call]:
    """A robot takes few messages: the next waits for its slot, and takes along what has come meanwhile."""
    assert delivery.endpoint is not None
    robot = Endpoint.objects.select_for_update(no_key=True).get(pk=delivery.endpoint.pk)
    if robot.paced_until is not None and robot.paced_until > now:
        return Turn(delivery.pk, (), robot.paced_until)
    Endpoint.objects.filter(pk=robot.pk).update(paced_until=now + PACE)
    text = robot_text(_news(_gather(delivery, now)), robot.language)
    return Turn(delivery.pk, (_hook(delivery, text.encode()),), None)


def _gather(leader: Delivery, now: datetime) -> list[Delivery]:
    """The delivery and those that wait for the same address and may travel with it."""
    carried = list(leader.carried.filter(state=DeliveryState.WAITING).order_by("pk"))
    if not leader.bundled or carried or leader.attempts:
        return [leader, *carried]
    waiting = Delivery.objects.filter(
        user=leader.user_id, endpoint=leader.endpoint_id, channel=leader.channel,
        state=DeliveryState.WAITING, bundled=True, together=None, due_at__lte=now,
    ).exclude(pk=leader.pk)  # fmt: skip
    more = list(waiting.order_by("due_at", "pk").select_for_update(skip_locked=True)[:BUNDLE_MOST])
    more = [one for one in more if not one.carried.exists()]
    Delivery.objects.filter(pk__in=[one.pk for one in more]).update(together=leader)
    return sorted([leader, *more], key=lambda one: one.pk)


def _news(together: Sequence[Delivery]) -> list[int]:
    return [one.news_id for one in together if one.news_id is not None]


def _hook(delivery: Delivery, content: bytes) -> Hook:
    endpoint = delivery.endpoint
    assert endpoint is not None
    secret = unseal(endpoint.sealed_secret) if endpoint.sealed_secret is not None else ""
    return Hook(
        delivery.uid,
        endpoint.kind,
        unseal(endpoint.sealed_url),
        secret,
        content,
        endpoint.merchant_id is None,
    )


# --- and back -------------------------------------------------------------------------------------


def _write_down(delivery: Delivery, answer: Answer, now: datetime) -> datetime | None:
    """When to try again; None when it has ended."""
    outcome = answer.outcome
    Attempt.objects.create(
        delivery=delivery, at=now, outcome=outcome.kind, detail=outcome.detail[:200],
        milliseconds=answer.milliseconds,
    )  # fmt: skip
    delivery.attempts += 1
    delivery.save(update_fields=["attempts"])
    if delivery.endpoint_id is not None:
        _health(delivery.endpoint_id, outcome.kind == "sent", answer.gone, now)
    together = [delivery, *delivery.carried.filter(state=DeliveryState.WAITING)]
    if outcome.kind == "sent":
        Delivery.objects.filter(pk=delivery.pk).update(reference=outcome.reference[:200])
        _end(together, DeliveryState.SENT, "", now)
        return None
    tries = TRIES_MOST if delivery.news_id is not None else 1  # a trial answers at once
    if outcome.kind == "refused" or delivery.attempts >= tries:
        _end(together, DeliveryState.DEAD, outcome.detail, now)
        return None
    due_at = now + pause_after(delivery.attempts)
    Delivery.objects.filter(pk=delivery.pk).update(due_at=due_at, detail=outcome.detail[:200])
    return due_at


def _end(deliveries: Sequence[Delivery], state: DeliveryState, detail: str, now: datetime) -> None:
    keys = [one.pk for one in deliveries]
    Delivery.objects.filter(pk__in=keys).update(state=state, ended_at=now, detail=detail[:200])


def _health(endpoint: int, well: bool, gone: bool, now: datetime) -> None:
    found = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint)
    if well:
        if found.failures:
            Endpoint.objects.filter(pk=endpoint).update(failures=0, failing_since=None)
        return
    since, failures = found.failing_since or now, found.failures + 1
    Endpoint.objects.filter(pk=endpoint).update(failures=failures, failing_since=since)
    if found.active and (gone or (failures >= FAILURES_LEAST and now - since >= DISABLE_AFTER)):
        _disable(found, failures, now)


def _disable(found: Endpoint, failures: int, now: datetime) -> None:
    Endpoint.objects.filter(pk=found.pk).update(active=False, disabled_at=now)
    payload = EndpointDisabled(found.pk, failures, owners_of(found))
    record([Entry(now, SYSTEM, f"endpoint:{found.pk}", payload, found.merchant_id)])
