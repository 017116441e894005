from django.db import models
from django.db.models import F, Q

from guanjia.lines.models.line import Line, Service
from guanjia.people.models import User


class HostedSlot(models.Model):
    """Inventory of a hosted service: `capacity` units under `key`, the slot a hold asks for.

    The row is also the lock of its holds: who writes a hold that took units here holds this lock.
    """

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="slots")
    key = models.CharField(max_length=120)
    capacity = models.PositiveIntegerField()
    taken = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "key"], name="slot_once_per_service"),
            models.CheckConstraint(name="slot_never_overbooked", condition=Q(taken__lte=F("capacity"))),
        ]


class HostedHold(models.Model):
    """The fence record of a hold on a hosted line (LP/1 §6), next to the inventory it guards.

    `slot` and `quantity` say what it took, and never change; a refused hold and a tombstone took
    nothing. `state` is what was last written: past `expires_at`, `held` and `pending` are lapsed.
    """

    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="holds")
    hold_id = models.UUIDField()
    slot = models.ForeignKey(HostedSlot, null=True, on_delete=models.PROTECT, related_name="holds")
    quantity = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=12)
    expires_at = models.DateTimeField(null=True)
    decision_due_at = models.DateTimeField(null=True)
    record = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["line", "hold_id"], name="hosted_hold_once_per_line"),
            models.CheckConstraint(
                name="hosted_hold_takes_from_a_slot",
                condition=Q(slot=None, quantity=0) | Q(slot__isnull=False, quantity__gte=1),
            ),
        ]
        indexes = [
            models.Index(
                fields=["line", "decision_due_at"],
                name="hosted_decision_queue",
                condition=Q(state="pending"),
            ),
            models.Index(
                fields=["slot", "expires_at"],
                name="hosted_expiry",
                condition=Q(state__in=["held", "pending"]),
            ),
        ]


class HostedDecision(models.Model):
    """What a specialist decided about a pending hold, and the webhook that tells Guanjia (LP/1 §5).

    `body` is the webhook as it is sent, the same on every attempt; `told_at` when it was taken.
    """

    hold = models.OneToOneField(
        HostedHold, primary_key=True, on_delete=models.PROTECT, related_name="decision"
    )
    approved = models.BooleanField()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    body = models.TextField()
    attempts = models.PositiveIntegerField(default=0)
    told_at = models.DateTimeField(null=True)
