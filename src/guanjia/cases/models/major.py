"""One cause for many merchants: it is told once, and each merchant has a case of its own."""

from django.db import models
from django.db.models import Q

from guanjia.cases.models.case import Case
from guanjia.merchants.models import Merchant
from guanjia.people.models import User


class MajorState(models.TextChoices):
    OPENING = "opening", "正在通知"
    STOPPED = "stopped", "已暂停通知"
    OPEN = "open", "处理中"
    SOLVING = "solving", "正在办结"
    SOLVED = "solved", "已办结"


class MajorCase(models.Model):
    """What has happened to many merchants at once. It has no merchant: each `Recipient` has its own case.

    `said` is the first word that every recipient gets, `due_at` the promise on every child case, and
    `criteria` how the recipients were found.
    """

    number = models.CharField(max_length=20, unique=True)
    title = models.CharField(max_length=200)
    said = models.TextField()
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=10, choices=MajorState, default=MajorState.OPENING)
    criteria = models.JSONField()
    recipients = models.PositiveIntegerField()
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    solved_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.number


class Recipient(models.Model):
    """A merchant whom a major case is about. `case` comes when its turn does; `heard` is the last update
    that has reached it; `kept_open`: solving the major case leaves this one alone."""

    major = models.ForeignKey(MajorCase, on_delete=models.CASCADE, related_name="+", db_index=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="+", db_index=False)
    case = models.OneToOneField(Case, null=True, on_delete=models.PROTECT, related_name="recipient")
    heard = models.PositiveIntegerField(default=0)
    kept_open = models.BooleanField(default=False)
    finished = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["major", "merchant"], name="recipient_once_per_major")]
        indexes = [
            models.Index(fields=["major", "id"], name="recipient_by_major"),
            models.Index(fields=["major", "id"], name="recipient_waits", condition=Q(case=None)),
            models.Index(fields=["major", "heard", "id"], name="recipient_to_hear"),
            models.Index(fields=["major", "id"], name="recipient_unfinished", condition=Q(finished=False)),
        ]


class MajorUpdate(models.Model):
    """A public word that reaches every child case of a major case; the n-th of it."""

    major = models.ForeignKey(MajorCase, on_delete=models.CASCADE, related_name="updates", db_index=False)
    n = models.PositiveIntegerField()
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    body = models.TextField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["major", "n"], name="update_in_order")]
