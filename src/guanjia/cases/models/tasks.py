"""Work for one named person."""

from django.db import models
from django.db.models import Q

from guanjia.cases.models.case import Case
from guanjia.people.models import User


class TaskKind(models.TextChoices):
    STUCK_CONFIRM = "stuck_confirm", "确认卡住"
    STUCK_RELEASE = "stuck_release", "释放卡住"
    LINE_FAULT = "line_fault", "业务线接口异常"
    OVERDUE_DECISION = "overdue_decision", "业务线超时未答复"


class Task(models.Model):
    """Work for one named person; never unassigned."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="tasks", db_index=False)
    kind = models.CharField(max_length=20, choices=TaskKind)
    assignee = models.ForeignKey(User, on_delete=models.PROTECT, related_name="tasks", db_index=False)
    item = models.UUIDField(null=True)
    detail = models.TextField()
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "item"],
                name="task_once_per_item",
                condition=Q(done_at=None, item__isnull=False),
            )
        ]
        indexes = [models.Index(fields=["assignee", "due_at"], name="task_open", condition=Q(done_at=None))]
