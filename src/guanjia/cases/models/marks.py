"""What people put on a case besides words: tags, and who follows it."""

from django.db import models

from guanjia.cases.models.case import Case
from guanjia.cases.models.talk import Message
from guanjia.people.models import User


class Tag(models.Model):
    """A word that the house sorts its cases by. `name` is in one form only (see `cases.marking`), so that
    two spellings are one tag."""

    name = models.CharField(max_length=30, unique=True)

    def __str__(self) -> str:
        return self.name


class Tagging(models.Model):
    """A tag on a case. A tag that is used is never deleted."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="taggings", db_index=False)
    tag = models.ForeignKey(Tag, on_delete=models.PROTECT, related_name="taggings", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "tag"], name="tag_once_per_case")]
        indexes = [models.Index(fields=["tag", "-case"], name="case_by_tag")]


class Watch(models.Model):
    """Somebody of the house follows a case. It gives no right: who may no longer see the merchant is told
    nothing, and finds the case in no list."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="watches", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "user"], name="watch_once_per_case")]
        indexes = [models.Index(fields=["user", "-id"], name="watch_of_user", include=["case"])]


class Mention(models.Model):
    """Somebody of the house was named with an @ in a word or a note."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="mentions", db_index=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "user"], name="mention_once_per_word")]
        indexes = [models.Index(fields=["user", "-id"], name="mention_of_user", include=["case"])]
