from django.db import models


class Event(models.Model):
    """One fact in the append-only log; the database refuses to change or delete it.

    `merchant_id` and `actor` are bare numbers: an event outlives the rows it speaks of, and holds
    no personal data in the clear.
    """

    at = models.DateTimeField()
    kind = models.CharField(max_length=60)
    actor = models.CharField(max_length=80)
    merchant_id = models.BigIntegerField(null=True)
    subject = models.CharField(max_length=80)
    payload = models.JSONField()

    class Meta:
        indexes = [
            models.Index(fields=["subject", "id"], name="event_by_subject"),
            models.Index(
                fields=["merchant_id", "id"],
                name="event_by_merchant",
                condition=models.Q(merchant_id__isnull=False),
            ),
        ]
