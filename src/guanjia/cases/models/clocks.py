"""Waits, each with an owner and a deadline."""

from django.db import models
from django.db.models import Q, Value

from guanjia.cases.models.case import Case
from guanjia.lines.models import Line
from guanjia.people.models import User


class ClockKind(models.TextChoices):
    FIRST_ANSWER = "first_answer", "首次答复"
    NEXT_ANSWER = "next_answer", "再次答复"
    RESOLUTION = "resolution", "办结"
    LINE_DECISION = "line_decision", "业务线答复"
    MERCHANT_ANSWER = "merchant_answer", "商家确认"
    REPLY_APPROVAL = "reply_approval", "答复待审"
    FOLLOW_UP = "follow_up", "答应的回复"


class ClockStatus(models.TextChoices):
    RUNNING = "running", "计时中"
    PAUSED = "paused", "暂停"
    STOPPED = "stopped", "已停止"
    CANCELLED = "cancelled", "已取消"


class PauseReason(models.TextChoices):
    """Why a clock stands still; `cases.explaining` puts it into words for either side."""

    MERCHANT = "merchant", "等商家确认"
    HELD = "held", "暂缓"


LIVE_CLOCKS = (ClockStatus.RUNNING, ClockStatus.PAUSED)


class Clock(models.Model):
    """A wait with an owner and a deadline. A line's clock names the line, and the package's item.

    `promised` and `target` are seconds that the calendar called `calendar` is open (without one: any
    seconds); `history` holds what has happened to it since, as `cases.promises` reads it. What follows from
    these is kept beside them, so that lists and deadlines cost no arithmetic: as of `counted_at`,
    `remaining` seconds were left by version `counted_with` of the calendar, so that it ends at `due_at`.
    While it is paused there is no `due_at`; a clock that has ended keeps its last. `acts_at` is when its
    warning or breach is told.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="clocks", db_index=False)
    kind = models.CharField(max_length=20, choices=ClockKind)
    status = models.CharField(
        max_length=10, choices=ClockStatus, default=ClockStatus.RUNNING, db_default=ClockStatus.RUNNING
    )
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    line = models.ForeignKey(Line, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    item = models.UUIDField(null=True)
    calendar = models.CharField(max_length=40, default="", db_default="")
    counted_with = models.IntegerField(default=0, db_default=0)
    promised = models.IntegerField(default=0, db_default=0)
    target = models.IntegerField(default=0, db_default=0)
    remaining = models.IntegerField(default=0, db_default=0)
    counted_at = models.DateTimeField(null=True)
    warn_share = models.SmallIntegerField(default=75, db_default=75)
    history = models.JSONField(default=list, db_default=Value([], models.JSONField()))
    started_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)
    acts_at = models.DateTimeField(null=True)
    warned_at = models.DateTimeField(null=True)
    breached_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "kind", "item"],
                name="clock_runs_once",
                condition=Q(stopped_at=None),
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="clock_is_in_one_state",
                condition=Q(status=ClockStatus.RUNNING, stopped_at=None, due_at__isnull=False)
                | Q(status=ClockStatus.PAUSED, stopped_at=None, due_at=None)
                | Q(status__in=(ClockStatus.STOPPED, ClockStatus.CANCELLED), stopped_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["case"], name="clock_by_case"),
            models.Index(
                fields=["item"], name="clock_by_item", condition=Q(stopped_at=None, item__isnull=False)
            ),
            models.Index(fields=["due_at"], name="clock_running", condition=Q(stopped_at=None)),
            models.Index(fields=["acts_at"], name="clock_acts", condition=Q(acts_at__isnull=False)),
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
