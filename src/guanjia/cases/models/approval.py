"""Replies of juniors: held until somebody has read them."""

from django.db import models
from django.db.models import Q

from guanjia.cases.models.case import Case
from guanjia.cases.models.talk import Message
from guanjia.people.models import Team, User


class Apprentice(models.Model):
    """Whose public replies somebody reads first: one person, or all of a team but its lead and the
    approver."""

    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    approver = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user"], name="apprentice_once", condition=Q(team=None)),
            models.UniqueConstraint(fields=["team"], name="apprentice_team_once", condition=Q(user=None)),
            models.CheckConstraint(
                name="apprentice_person_or_team",
                condition=Q(user=None, team__isnull=False) | Q(user__isnull=False, team=None),
            ),
        ]


class HeldState(models.TextChoices):
    WAITING = "waiting", "待审"
    SENT = "sent", "已发出"
    RETURNED = "returned", "已退回"


class HeldReply(models.Model):
    """A public reply that waits for its approver, with what shall be done along with it. No door of a
    merchant reads this table; the message comes to be when it is sent."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="held_replies", db_index=False)
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    approver = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    body = models.TextField()
    then = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=HeldState, default=HeldState.WAITING)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True)
    reason = models.TextField(default="")
    message = models.OneToOneField(Message, null=True, on_delete=models.PROTECT, related_name="held")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="held_reply_sent_is_a_message",
                condition=Q(state="sent", message__isnull=False) | (~Q(state="sent") & Q(message=None)),
            )
        ]
        indexes = [
            models.Index(fields=["case", "-id"], name="held_by_case"),
            models.Index(fields=["approver", "due_at"], name="held_waiting", condition=Q(state="waiting")),
            models.Index(fields=["author", "-id"], name="held_of_author"),
        ]
