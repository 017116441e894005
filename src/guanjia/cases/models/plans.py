"""Plans: several tasks that belong together, written once and applied to many cases."""

from django.db import models

from guanjia.cases.models.case import Case
from guanjia.people.models import User


class Plan(models.Model):
    """A template of tasks, in versions: a change is a new version, cases keep the one they began with."""

    name = models.CharField(max_length=80, unique=True)
    created_by = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class PlanVersion(models.Model):
    """What a plan holds from `made_at` on. `steps` are those of `core.plan.Step`, in order."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveSmallIntegerField()
    about = models.CharField(max_length=300, blank=True)
    steps = models.JSONField()
    made_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "number"], name="plan_version_once")]


class AppliedPlan(models.Model):
    """A plan at work on a case: once, in the version of that day."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="plans", db_index=False)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+", db_index=False)
    version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    applied_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    applied_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "plan"], name="plan_once_per_case")]
