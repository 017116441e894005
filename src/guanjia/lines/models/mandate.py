from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.models import F, Q

from guanjia.lines.models.line import Line, Service, Silence
from guanjia.people.models import Holder, User


class MandatePeriod(models.TextChoices):
    DAY = "day", "每天"
    WEEK = "week", "每周"
    MONTH = "month", "每月"


class MandateAction(models.TextChoices):
    COMMIT = "commit", "直接办理"


class Mandate(Holder):
    """What a holder may commit on a line without asking: action, limits, grantor, validity.

    Amounts are minor units of `currency`. `service` null means every service of the line. `silence`
    is what the line's silence counts as for a use beyond the limits.
    """

    line = models.ForeignKey(Line, on_delete=models.CASCADE, related_name="mandates")
    service = models.ForeignKey(Service, null=True, on_delete=models.CASCADE, related_name="+")
    action = models.CharField(max_length=20, choices=MandateAction, default=MandateAction.COMMIT)
    currency = models.CharField(max_length=3, default="CNY")
    amount_per_use = models.BigIntegerField()
    amount_per_period = models.BigIntegerField()
    uses_per_period = models.PositiveIntegerField()
    period = models.CharField(max_length=10, choices=MandatePeriod)
    silence = models.CharField(max_length=10, choices=Silence, default=Silence.REFUSAL)
    during = DateTimeRangeField()
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="mandate_one_holder", condition=Holder.ONE_HOLDER),
            models.CheckConstraint(
                name="mandate_limits_make_sense",
                condition=Q(amount_per_use__gte=0) & Q(amount_per_period__gte=F("amount_per_use")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["person", "line"],
                name="mandate_of_person",
                condition=Q(person__isnull=False),
            )
        ]


class MandateSpend(models.Model):
    """What is used of a mandate in one period: one row, on whose lock concurrent uses meet."""

    mandate = models.ForeignKey(Mandate, on_delete=models.CASCADE, related_name="spends")
    period_start = models.DateField()
    amount = models.BigIntegerField()
    uses = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mandate", "period_start"], name="spend_once_per_period"),
            models.CheckConstraint(name="spend_not_negative", condition=Q(amount__gte=0)),
        ]


class MandateUse(models.Model):
    """One use, by the item it was for; `returned_at` when the package was released."""

    mandate = models.ForeignKey(Mandate, on_delete=models.PROTECT, related_name="uses")
    item = models.UUIDField(unique=True)
    amount = models.BigIntegerField()
    period_start = models.DateField()
    used_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    used_at = models.DateTimeField()
    returned_at = models.DateTimeField(null=True)
