"""What leaves the house, each try of it, and how it ended."""

import uuid

from django.db import models
from django.db.models import Q

from guanjia.people.models import User
from guanjia.post.models.endpoints import Endpoint
from guanjia.post.models.news import News


class Channel(models.TextChoices):
    MAIL = "mail", "邮件"
    ROBOT = "robot", "群机器人"
    WEBHOOK = "webhook", "Webhook"


class DeliveryState(models.TextChoices):
    WAITING = "waiting", "待送"
    SENT = "sent", "已送达"
    DEAD = "dead", "未送达"
    DROPPED = "dropped", "不再需要"


class Delivery(models.Model):
    """News on its way to one person's mail or to one endpoint; without `news` it is a trial.

    `together`: it travels in that one's letter. `uid` is what the other side knows it by, the same at
    every try.
    """

    uid = models.UUIDField(unique=True, default=uuid.uuid4)
    news = models.ForeignKey(News, null=True, on_delete=models.CASCADE, related_name="deliveries")
    event = models.BigIntegerField(null=True)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    endpoint = models.ForeignKey(
        Endpoint, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    channel = models.CharField(max_length=10, choices=Channel)
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.WAITING)
    bundled = models.BooleanField(default=False)
    together = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="carried")
    due_at = models.DateTimeField()
    created_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)
    detail = models.CharField(max_length=200, blank=True, default="")
    reference = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["event", "user", "channel"],
                name="delivered_once_to_person",
                condition=Q(user__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["event", "endpoint"],
                name="delivered_once_to_endpoint",
                condition=Q(endpoint__isnull=False),
            ),
            models.CheckConstraint(
                name="delivery_to_one",
                condition=Q(user__isnull=False, endpoint=None) | Q(user=None, endpoint__isnull=False),
            ),
            models.CheckConstraint(
                name="delivery_ends_with_a_time",
                condition=Q(state="waiting", ended_at=None)
                | (~Q(state="waiting") & Q(ended_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="delivery_by_state"),
            models.Index(fields=["endpoint", "-id"], name="delivery_by_endpoint"),
            models.Index(fields=["user", "-id"], name="delivery_by_user"),
            models.Index(
                fields=["user", "due_at"],
                name="delivery_waits_person",
                condition=Q(state="waiting", bundled=True, user__isnull=False),
            ),
            models.Index(
                fields=["endpoint", "due_at"],
                name="delivery_waits_endpoint",
                condition=Q(state="waiting", bundled=True, endpoint__isnull=False),
            ),
            models.Index(fields=["ended_at"], name="delivery_ended", condition=Q(ended_at__isnull=False)),
        ]


class Attempt(models.Model):
    """One try of a delivery: what came of it, and how long it took."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField()
    outcome = models.CharField(max_length=10)
    detail = models.CharField(max_length=200)
    milliseconds = models.PositiveIntegerField()
