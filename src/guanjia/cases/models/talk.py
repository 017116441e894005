"""What is said on a case, what is begun to be said, and who is there."""

from django.db import models
from django.db.models import Q

from guanjia.cases.models.case import Case
from guanjia.people.models import User


class Message(models.Model):
    """A word on a case. `internal` never reaches a merchant by any door.

    What the house itself has to say is a `notice` (kind and values), put into words in the reader's
    language by `cases.notices`. `standing_in` is for whom its author stood in.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="messages", db_index=False)
    author = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    standing_in = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    internal = models.BooleanField(default=False)
    body = models.TextField(default="")
    notice = models.JSONField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="message_says_something", condition=~Q(body="") | Q(notice__isnull=False)
            )
        ]
        indexes = [models.Index(fields=["case", "id"], name="message_by_case")]


class Draft(models.Model):
    """What somebody has begun to write on a case and not sent: it survives the browser."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="drafts", db_index=False)
    author = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    internal = models.BooleanField(default=False)
    body = models.TextField()
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "author", "internal"], name="draft_once_per_box")
        ]


class Presence(models.Model):
    """Who has a case open now, and whether they are writing: so that two do not answer at once."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="present", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    seen_at = models.DateTimeField()
    writing = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "user"], name="present_once_per_case")]
