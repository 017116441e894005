"""Work on a case for one named person, and the short lists that people tick off."""

from django.db import models
from django.db.models import F, Q

from guanjia.cases.models.case import Case
from guanjia.cases.models.plans import AppliedPlan
from guanjia.lines.models import Line
from guanjia.people.models import Pool, Team, User


class TaskKind(models.TextChoices):
    STUCK_CONFIRM = "stuck_confirm", "确认卡住"
    STUCK_RELEASE = "stuck_release", "释放卡住"
    LINE_FAULT = "line_fault", "业务线接口异常"
    OVERDUE_DECISION = "overdue_decision", "业务线超时未答复"
    BROKEN_PROMISE = "broken_promise", "承诺超时"
    BY_HAND = "by_hand", "人工任务"


class TaskState(models.TextChoices):
    OPEN = "open", "待办"
    BLOCKED = "blocked", "等前面的任务"
    DONE = "done", "已完成"
    DROPPED = "dropped", "不做了"


ENDED = (TaskState.DONE, TaskState.DROPPED)


class Task(models.Model):
    """Work for one named person; never unassigned.

    With a line, a team or a pool anybody of it may do the work, and the assignee is whom to turn to.
    `holds`: the case cannot be solved before the task has ended. A task behind others is blocked until
    all of them have ended; then it may begin after `lag_days` working days, and `work_days` later it is
    due. Until then `due_at` is what is expected. `visible` tasks are shown to the merchant.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="tasks", db_index=False)
    kind = models.CharField(max_length=20, choices=TaskKind)
    title = models.CharField(max_length=200, default="", db_default="")
    assignee = models.ForeignKey(User, on_delete=models.PROTECT, related_name="tasks", db_index=False)
    line = models.ForeignKey(Line, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    pool = models.ForeignKey(Pool, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    item = models.UUIDField(null=True)
    detail = models.TextField()
    state = models.CharField(
        max_length=10, choices=TaskState, default=TaskState.OPEN, db_default=TaskState.OPEN
    )
    holds = models.BooleanField(default=False, db_default=False)
    visible = models.BooleanField(default=False, db_default=False)
    plan = models.ForeignKey(
        AppliedPlan, null=True, on_delete=models.CASCADE, related_name="tasks", db_index=False
    )
    lag_days = models.PositiveSmallIntegerField(default=0, db_default=0)
    work_days = models.PositiveSmallIntegerField(null=True)
    created_by = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    created_at = models.DateTimeField()
    starts_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    escalated_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "item"],
                name="task_once_per_item",
                condition=Q(done_at=None, item__isnull=False),
            ),
            models.CheckConstraint(
                name="task_ended_has_its_instant",
                condition=Q(state__in=ENDED, done_at__isnull=False) | (~Q(state__in=ENDED) & Q(done_at=None)),
            ),
            models.CheckConstraint(
                name="task_by_hand_has_a_title", condition=~Q(kind="by_hand") | ~Q(title="")
            ),
        ]
        indexes = [
            models.Index(fields=["assignee", "due_at"], name="task_open", condition=Q(done_at=None)),
            models.Index(fields=["case"], name="task_by_case"),
            models.Index(
                fields=["line", "due_at"], name="task_of_line", condition=Q(done_at=None, line__isnull=False)
            ),
            models.Index(
                fields=["team", "due_at"], name="task_of_team", condition=Q(done_at=None, team__isnull=False)
            ),
            models.Index(
                fields=["pool", "due_at"], name="task_of_pool", condition=Q(done_at=None, pool__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.get_kind_display()


class TaskBlock(models.Model):
    """`task` waits until `by` has ended. A trigger refuses circles, and tasks of two cases."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="blocks", db_index=False)
    by = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="followers")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "by"], name="task_blocked_once_by_another"),
            models.CheckConstraint(name="task_not_blocked_by_itself", condition=~Q(task=F("by"))),
        ]


class TaskWord(models.Model):
    """What is said about a task between who asked and who does it; never for the merchant."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="words")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    body = models.TextField()
    asks = models.BooleanField(default=False)
    at = models.DateTimeField()


class CheckLine(models.Model):
    """One line of a case's checklist: a text, ticked by somebody or not."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="checklist")
    text = models.CharField(max_length=200)
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    added_at = models.DateTimeField()
    ticked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    ticked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="tick_has_who_and_when",
                condition=Q(ticked_by=None, ticked_at=None)
                | Q(ticked_by__isnull=False, ticked_at__isnull=False),
            )
        ]
