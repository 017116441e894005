"""What a merchant said, once."""

from django.db import models
from django.db.models import Q

from guanjia.merchants.models import Merchant
from guanjia.people.models import Holder, User


class CaseState(models.TextChoices):
    OPEN = "open", "办理中"
    WAITING_LINE = "waiting_line", "等业务线"
    WAITING_MERCHANT = "waiting_merchant", "等商家"
    SOLVED = "solved", "已办结"
    CLOSED = "closed", "已关闭"


class Priority(models.IntegerChoices):
    """How soon: the promises follow from it (see `Promise`)."""

    URGENT = 1, "紧急"
    HIGH = 2, "优先"
    NORMAL = 3, "一般"
    LOW = 4, "不急"


class CaseKind(models.TextChoices):
    """What sort of thing was said."""

    NEED = "need", "需求"
    QUESTION = "question", "问题"
    COMPLAINT = "complaint", "投诉"
    MAJOR = "major", "重大事项"


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
    priority = models.SmallIntegerField(choices=Priority, default=Priority.NORMAL, db_default=Priority.NORMAL)
    kind = models.CharField(max_length=20, choices=CaseKind, default=CaseKind.NEED, db_default=CaseKind.NEED)
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    first_contact = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    opened_at = models.DateTimeField()
    solved_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="case_one_owner", condition=Holder.ONE_HOLDER),
            models.CheckConstraint(
                name="case_closed_says_when",
                condition=Q(state=CaseState.CLOSED, closed_at__isnull=False)
                | ~Q(state=CaseState.CLOSED) & Q(closed_at=None),
            ),
        ]
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
