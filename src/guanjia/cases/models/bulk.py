"""One change for many cases, case by case."""

from django.db import models

from guanjia.cases.models.case import Case
from guanjia.people.models import User


class BulkChange(models.Model):
    """What somebody asked to be done with many cases. `change` is what, in the form of `cases.changing`."""

    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    change = models.JSONField()
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)


class BulkRow(models.Model):
    """One case of it. Done once: `done_at` is written in the transaction of the change itself."""

    bulk = models.ForeignKey(BulkChange, on_delete=models.CASCADE, related_name="rows", db_index=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+", db_index=False)
    done_at = models.DateTimeField(null=True)
    changed = models.BooleanField(default=False)
    before = models.JSONField(null=True)
    refusal = models.TextField(default="")
    undone = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bulk", "case"], name="bulk_row_once")]
