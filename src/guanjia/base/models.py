from django.db import models
from django.db.models import Q


class Flow(models.Model):
    """A durable wait: "look at `key` of flow `name` when `due_at` comes". See `base.flows`.

    The row and what it is about commit together. What the flow has reached is in the room's own
    rows, never here: one truth, and a replay cannot disagree with it.
    """

    pk = models.CompositePrimaryKey("name", "key")
    name = models.CharField(max_length=40)
    key = models.BigIntegerField()
    due_at = models.DateTimeField()
    lease = models.BigIntegerField(null=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="flow_lease_is_whole",
                condition=Q(lease=None, lease_until=None) | Q(lease__isnull=False, lease_until__isnull=False),
            )
        ]
        indexes = [
            models.Index(fields=["due_at"], name="flow_due", condition=Q(lease=None)),
            models.Index(fields=["lease_until"], name="flow_leased", condition=Q(lease__isnull=False)),
        ]


class IdempotencyKey(models.Model):
    """What a caller's key has brought about: a repeat is answered, not repeated."""

    scope = models.CharField(max_length=80)
    key = models.CharField(max_length=200)
    fingerprint = models.BinaryField(max_length=32)
    result = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope", "key"], name="idempotency_key_once_per_scope")
        ]


class Figures(models.Model):
    """Figures that are dear to compute, kept with their age; see `base.figures`.

    `tried_at` is the latest attempt: one that ran out of time leaves the figures before it in place.
    """

    name = models.CharField(max_length=40, primary_key=True)
    content = models.JSONField(null=True)
    computed_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField()


class Piece(models.Model):
    """Part of a file or a raw mail, up to `base.blobs.PIECE` bytes; its owner's row names the `blob`."""

    pk = models.CompositePrimaryKey("blob", "position")
    blob = models.UUIDField()
    position = models.SmallIntegerField()
    content = models.BinaryField()
