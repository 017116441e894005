from django.db import models
from django.db.models import Q

from guanjia.lines.models import Line
from guanjia.merchants.models import Merchant
from guanjia.people.models import Holder, Team, User


class CaseState(models.TextChoices):
    OPEN = "open", "办理中"
    WAITING_LINE = "waiting_line", "等业务线"
    WAITING_MERCHANT = "waiting_merchant", "等商家"
    SOLVED = "solved", "已办结"
    CLOSED = "closed", "已关闭"


LIVE = (CaseState.OPEN, CaseState.WAITING_LINE, CaseState.WAITING_MERCHANT)


def _live(holder: str = "") -> Q:
    live = Q(state__in=LIVE)
    return live & Q(**{f"{holder}__isnull": False}) if holder else live


def _waits(holder: str = "") -> Q:
    """For lists of what waits for somebody else: what has just been taken in costs them nothing."""
    waiting = (CaseState.WAITING_LINE, CaseState.WAITING_MERCHANT)
    waits = Q(state__in=waiting)
    return waits & Q(**{f"{holder}__isnull": False}) if holder else waits


class Case(Holder):
    """What a merchant said, once: numbered, owned, clocked.

    `due_at` is the earliest deadline of its running clocks, and whom a live case waits for follows from
    them too: a trigger on the clocks writes both, so that no list can disagree with the clock. The holder
    is the accountable owner and moves with the responsibility. `first_contact` is whoever took it in; a
    database trigger refuses to change or clear it.
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
    due_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(name="case_one_owner", condition=Holder.ONE_HOLDER)]
        indexes = [
            models.Index(fields=["merchant", "-id"], name="case_by_merchant"),
            models.Index(fields=["merchant", "due_at"], name="case_live_merchant", condition=_live()),
            models.Index(
                fields=["person", "due_at", "id"], name="case_live_person", condition=_live("person")
            ),
            models.Index(fields=["team", "due_at", "id"], name="case_live_team", condition=_live("team")),
            models.Index(fields=["pool", "due_at", "id"], name="case_live_pool", condition=_live("pool")),
            models.Index(
                fields=["person", "state", "due_at", "id"],
                name="case_waits_person",
                condition=_waits("person"),
            ),
            models.Index(
                fields=["team", "state", "due_at", "id"], name="case_waits_team", condition=_waits("team")
            ),
            models.Index(
                fields=["merchant", "state", "due_at"], name="case_waits_merchant", condition=_waits()
            ),
            models.Index(
                fields=["person", "solved_at", "id"],
                name="case_solved_person",
                condition=Q(person__isnull=False, solved_at__isnull=False),
            ),
            models.Index(
                fields=["team", "solved_at", "id"],
                name="case_solved_team",
                condition=Q(team__isnull=False, solved_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.number


class ClockKind(models.TextChoices):
    FIRST_ANSWER = "first_answer", "首次答复"
    RESOLUTION = "resolution", "办结"
    LINE_DECISION = "line_decision", "业务线答复"
    MERCHANT_ANSWER = "merchant_answer", "商家确认"


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


class Draft(models.Model):
    """What somebody has begun to write on a case and not sent: it survives the browser."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="drafts", db_index=False)
    author = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    internal = models.BooleanField(default=False)
    body = models.TextField()
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "author", "internal"], name="draft_once_per_box")
        ]


class Presence(models.Model):
    """Who has a case open now, and whether they are writing: so that two do not answer at once."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="present", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    seen_at = models.DateTimeField()
    writing = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "user"], name="present_once_per_case")]


class SavedView(models.Model):
    """A list of cases that somebody wants to find again; with a team, all its members see it.

    `base` is one of the views every desk has, `line` and `words` narrow it.
    """

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=40)
    base = models.CharField(max_length=20)
    line = models.ForeignKey(Line, null=True, on_delete=models.CASCADE, related_name="+")
    words = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="view_name_once")]
