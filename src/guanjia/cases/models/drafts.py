"""A text that several people write on."""

from django.db import models

from guanjia.cases.models.case import Case
from guanjia.people.models import User


class SharedDraft(models.Model):
    """A draft that all who may write in this box see and go on with: one per box of a case.

    `version` counts the writes. Who writes says which one they have read, so that nobody overwrites what
    they have not seen.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="shared_drafts", db_index=False)
    internal = models.BooleanField(default=False)
    body = models.TextField()
    version = models.PositiveIntegerField(default=1)
    written_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    written_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "internal"], name="shared_draft_once_per_box")]
