from django.db import models
from django.db.models import Q

from guanjia.merchants.models import Merchant
from guanjia.people.models import Holder, User


class CaseState(models.TextChoices):
    OPEN = "open", "办理中"
    WAITING_MERCHANT = "waiting_merchant", "等您确认"
    SOLVED = "solved", "已办结"
    CLOSED = "closed", "已关闭"


class Case(Holder):
    """What a merchant said, once: numbered, owned, clocked.

    The holder is the accountable owner and moves with the responsibility. `first_contact` is
    whoever took it in; a database trigger refuses to change or clear it.
    """

    number = models.CharField(max_length=20, unique=True)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="cases", db_index=False)
    title = models.CharField(max_length=200)
    need = models.TextField()
    state = models.CharField(max_length=20, choices=CaseState, default=CaseState.OPEN)
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    first_contact = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    opened_at = models.DateTimeField()
    solved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(name="case_one_owner", condition=Holder.ONE_HOLDER)]
        indexes = [
            models.Index(fields=["merchant", "-id"], name="case_by_merchant"),
            models.Index(fields=["person", "-id"], name="case_open_of_person", condition=Q(state="open")),
        ]

    def __str__(self) -> str:
        return self.number


class ClockKind(models.TextChoices):
    FIRST_ANSWER = "first_answer", "首次答复"
    RESOLUTION = "resolution", "办结"
    LINE_DECISION = "line_decision", "业务线答复"
    MERCHANT_ANSWER = "merchant_answer", "商家确认"


class Clock(models.Model):
    """A wait with an owner and a deadline. `item` names the package item a line clock is about."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="clocks", db_index=False)
    kind = models.CharField(max_length=20, choices=ClockKind)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
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
        ]


class Message(models.Model):
    """A word on a case. `internal` never reaches a merchant by any door.

    What the house itself has to say is a `notice` (kind and values), put into words in the reader's
    language by `cases.notices`.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="messages", db_index=False)
    author = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    internal = models.BooleanField(default=False)
    body = models.TextField(default="")
    notice = models.JSONField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="message_says_something", condition=~Q(body="") | Q(notice__isnull=False)
            )
        ]
        indexes = [models.Index(fields=["case", "id"], name="message_by_case")]


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
