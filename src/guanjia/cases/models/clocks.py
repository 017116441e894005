"""Waits, each with an owner and a deadline."""

from django.db import models
from django.db.models import Q

from guanjia.cases.models.case import Case
from guanjia.lines.models import Line
from guanjia.people.models import User


class ClockKind(models.TextChoices):
    FIRST_ANSWER = "first_answer", "首次答复"
    RESOLUTION = "resolution", "办结"
    LINE_DECISION = "line_decision", "业务线答复"
    MERCHANT_ANSWER = "merchant_answer", "商家确认"
    REPLY_APPROVAL = "reply_approval", "答复待审"
    FOLLOW_UP = "follow_up", "答应的回复"


class Clock(models.Model):
    """A wait with an owner and a deadline. A line's clock names the line, and the package's item."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="clocks", db_index=False)
    kind = models.CharField(max_length=20, choices=ClockKind)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    line = models.ForeignKey(Line, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    item = models.UUIDField(null=True)
    started_at = models.DateTimeField()
    due_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "kind", "item"],
                name="clock_runs_once",
                condition=Q(stopped_at=None),
                nulls_distinct=False,
            )
        ]
        indexes = [
            models.Index(fields=["case"], name="clock_by_case"),
            models.Index(
                fields=["item"], name="clock_by_item", condition=Q(stopped_at=None, item__isnull=False)
            ),
            models.Index(fields=["due_at"], name="clock_running", condition=Q(stopped_at=None)),
            # With what the promises kept are counted from, so that a count reads the index alone.
            models.Index(
                fields=["line", "started_at"],
                include=["due_at", "stopped_at"],
                name="clock_of_line",
                condition=Q(line__isnull=False),
            ),
            models.Index(
                fields=["line", "due_at"],
                name="clock_line_runs",
                condition=Q(stopped_at=None, line__isnull=False),
            ),
        ]
