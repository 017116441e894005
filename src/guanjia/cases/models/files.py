"""Files on a case."""

from django.db import models
from django.db.models import Q

from guanjia.cases.models.case import Case
from guanjia.cases.models.talk import Message
from guanjia.people.models import User


class Attachment(models.Model):
    """A file that came with a message, or, without one, with the need itself.

    Who may see the message may see it: a file of an internal note is as internal as the note. What it is
    (`media_type`) was read from its content, never taken from whoever sent it. An erased file keeps its
    row, without name, digest and content.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="files", db_index=False)
    message = models.ForeignKey(Message, null=True, on_delete=models.CASCADE, related_name="files")
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=150)
    media_type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    digest = models.BinaryField(max_length=32, null=True)
    blob = models.UUIDField(null=True, unique=True)
    added_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="file_is_there_or_erased",
                condition=Q(erased_at=None, blob__isnull=False, digest__isnull=False)
                | Q(erased_at__isnull=False, blob=None, digest=None, name=""),
            )
        ]
        indexes = [models.Index(fields=["case", "id"], name="file_by_case")]
