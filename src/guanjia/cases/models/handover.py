"""A case goes from one hand to another; and what somebody has said they will do, by when."""

from uuid import uuid4

from django.db import models
from django.db.models import Q

from guanjia.cases.models.case import Case
from guanjia.people.models import Holder, Pool, Team, User


class HandoverState(models.TextChoices):
    OFFERED = "offered", "等接手"
    ACCEPTED = "accepted", "已接手"
    DECLINED = "declined", "没有接"
    PULLED_BACK = "pulled_back", "没人接，已收回"
    OVERTAKEN = "overtaken", "又转给了别人"


class Handover(Holder):
    """A case given to its new holder, by whom and why.

    It takes effect at once: the case is never nobody's. Until `answer_by` the receiver may decline, and
    who declined is not asked again; without a word it goes back then. The reason stays in the house.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="handovers", db_index=False)
    from_person = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    from_team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT, related_name="+")
    from_pool = models.ForeignKey(Pool, null=True, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(max_length=200)
    note = models.TextField(default="", blank=True)
    at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=HandoverState, default=HandoverState.OFFERED)
    answer_by = models.DateTimeField()
    answered_by = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    answered_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=200, default="", blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="handover_one_holder", condition=Holder.ONE_HOLDER),
            models.CheckConstraint(
                name="handover_from_one_holder",
                condition=Q(from_person__isnull=False, from_team=None, from_pool=None)
                | Q(from_person=None, from_team__isnull=False, from_pool=None)
                | Q(from_person=None, from_team=None, from_pool__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["case"], name="handover_offered_once", condition=Q(state="offered")
            ),
        ]
        indexes = [models.Index(fields=["case", "-id"], name="handover_by_case")]

    @property
    def giver(self) -> User | Team | Pool:
        giver = self.from_person or self.from_team or self.from_pool
        assert giver is not None  # held by the check constraint
        return giver


class FollowUpKind(models.TextChoices):
    """How the promise is kept: a public word keeps the first, the others somebody ticks off."""

    ANSWER = "answer", "在这里答复"
    CALL = "call", "打电话"
    MEET = "meet", "见面"
    OTHER = "other", "办一件事"


class FollowUp(models.Model):
    """A promise to the merchant with a fixed instant: "I will call Thursday 15:00".

    Its clock is the running one of kind FOLLOW_UP whose item is this `key`.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="follow_ups", db_index=False)
    key = models.UUIDField(default=uuid4, unique=True)
    kind = models.CharField(max_length=10, choices=FollowUpKind)
    text = models.CharField(max_length=200)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    made_at = models.DateTimeField()
    due_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    kept = models.BooleanField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="follow_up_ended_one_way",
                condition=Q(ended_at=None, kept=None) | Q(ended_at__isnull=False, kept__isnull=False),
            )
        ]
        indexes = [models.Index(fields=["case", "due_at"], name="follow_up_by_case")]
