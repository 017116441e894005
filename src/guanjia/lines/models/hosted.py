from django.db import models
from django.db.models import Q

from guanjia.lines.models.line import Service


class HostedSlot(models.Model):
    """Inventory of a hosted service: `capacity` units under `key`, the slot a hold asks for."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="slots")
    key = models.CharField(max_length=120)
    capacity = models.PositiveIntegerField()
    taken = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "key"], name="slot_once_per_service"),
            models.CheckConstraint(
                name="slot_never_overbooked", condition=Q(taken__lte=models.F("capacity"))
            ),
        ]


class HostedHold(models.Model):
    """The fence record of a hold on a hosted line (LP/1 §6), next to the inventory it guards."""

    hold_id = models.UUIDField(primary_key=True)
    line_slug = models.SlugField(max_length=40)
    service_code = models.SlugField(max_length=60, default="")
    slot = models.ForeignKey(HostedSlot, null=True, on_delete=models.PROTECT, related_name="holds")
    record = models.JSONField()
    state = models.CharField(max_length=12)
    expires_at = models.DateTimeField(null=True)
    decision_due_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(
                fields=["line_slug", "decision_due_at"],
                name="hosted_decision_queue",
                condition=Q(state="pending"),
            ),
            models.Index(
                fields=["line_slug", "expires_at"],
                name="hosted_expiry",
                condition=Q(state__in=["held", "pending"]),
            ),
        ]
