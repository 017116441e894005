"""Mail that went out and came in, and the mailbox it comes from."""

from django.db import models
from django.db.models import Q

from guanjia.cases.models import Case, Message
from guanjia.people.models import User


class SentMail(models.Model):
    """A letter that was handed to a mail server: an answer to it, or its return, finds the way by this.

    `delivery` is the post room's, and its Message-ID is made from it. Addresses are not kept here.
    """

    delivery = models.UUIDField(primary_key=True)
    case = models.ForeignKey(Case, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    sent_at = models.DateTimeField()
    returned_at = models.DateTimeField(null=True)


class MailState(models.TextChoices):
    NEW = "new", "待处理"
    TAKEN = "taken", "已收下"
    HELD = "held", "待人看"
    NOTED = "noted", "只记下"
    RETURNED = "returned", "退信"
    REPEATED = "repeated", "重复"
    DROPPED = "dropped", "不收"


class IncomingMail(models.Model):
    """A mail as it came: stored before it is judged, so that nothing is lost.

    `digest` is of its raw bytes and keeps a repeated fetch from having a second effect; `content` is of what
    it says, so that the same mail by two ways is taken in once. After some days the raw mail, its sender
    and its subject are forgotten (`purged_at`); what became of it stays. `cut`: too large, and only its
    beginning is kept.
    """

    digest = models.BinaryField(max_length=32, unique=True)
    blob = models.UUIDField(null=True, unique=True)
    size = models.BigIntegerField()
    cut = models.BooleanField(default=False)
    received_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=MailState, default=MailState.NEW)
    reason = models.CharField(max_length=40, default="")
    mail_id = models.CharField(max_length=250, default="")
    content = models.BinaryField(max_length=32, null=True)
    sender = models.CharField(max_length=254, default="")
    subject = models.CharField(max_length=200, default="")
    case = models.ForeignKey(Case, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    message = models.ForeignKey(
        Message, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    judged_at = models.DateTimeField(null=True)
    judged_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    purged_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["content"], name="mail_taken_once", condition=Q(state="taken", content__isnull=False)
            )
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="mail_by_state"),
            models.Index(fields=["sender", "received_at"], name="mail_by_sender", condition=Q(state="taken")),
            models.Index(fields=["case", "-id"], name="mail_by_case", condition=Q(case__isnull=False)),
            models.Index(fields=["received_at"], name="mail_unpurged", condition=Q(purged_at=None)),
        ]


class Mailbox(models.Model):
    """How far the mailbox has been read, and whether it answers. One row for each folder that is read."""

    name = models.CharField(max_length=250, primary_key=True)
    validity = models.BigIntegerField(default=0)
    seen = models.BigIntegerField(default=0)
    asked_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    failures = models.IntegerField(default=0)
    failure = models.CharField(max_length=200, default="")
