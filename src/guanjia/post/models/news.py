"""What an event means to one side, and who was told."""

from django.db import models
from django.db.models import Q

from guanjia.cases.models import Case, Message
from guanjia.merchants.models import Merchant
from guanjia.people.models import User


class Side(models.TextChoices):
    """For whose eyes: what is told to a merchant's people is made of public facts only, and what is told
    to a line's of what the line has been asked."""

    MERCHANT = "merchant", "商家"
    HOUSE = "house", "服务团队"
    LINE = "line", "业务线"


class News(models.Model):
    """What one event of the log means to one side; `code` names its telling (`post.tellings`).

    It holds numbers and codes: words are made when it is read, in the reader's language. A trigger refuses
    an internal note in news for a merchant.
    """

    event = models.BigIntegerField()
    code = models.CharField(max_length=60)
    side = models.CharField(max_length=10, choices=Side)
    at = models.DateTimeField()
    actor = models.BigIntegerField(null=True)
    merchant = models.ForeignKey(
        Merchant, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    case = models.ForeignKey(Case, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    message = models.ForeignKey(
        Message, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    values = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "code"], name="news_once_per_event")]
        indexes = [models.Index(fields=["at"], name="news_by_age")]


class Notice(models.Model):
    """A person was told, in the notification centre. Once for each event, whatever it means to whom."""

    news = models.ForeignKey(News, on_delete=models.CASCADE, related_name="notices")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    event = models.BigIntegerField()
    unread = models.BooleanField(default=True)
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "user"], name="told_once_per_event"),
            models.CheckConstraint(
                name="notice_read_or_not",
                condition=Q(unread=True, read_at=None) | Q(unread=False, read_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["user", "unread", "id"], name="notice_of_user"),
            models.Index(fields=["read_at"], name="notice_read", condition=Q(read_at__isnull=False)),
        ]
