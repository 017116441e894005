"""What a merchant says about how it was done."""

from django.db import models
from django.db.models import Q

from guanjia.cases.models.case import Case
from guanjia.people.models import Holder, User


class Score(models.IntegerChoices):
    VERY_BAD = 1, "很不满意"
    BAD = 2, "不满意"
    FAIR = 3, "还可以"
    GOOD = 4, "满意"
    VERY_GOOD = 5, "很满意"


class Rating(Holder):
    """One rating a case, by one of the merchant's own people; it may be changed until the case is closed.

    The holder is who was accountable when it was first rated: a later hand-over does not move it.
    """

    case = models.OneToOneField(Case, primary_key=True, on_delete=models.CASCADE, related_name="rating")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    score = models.SmallIntegerField(choices=Score)
    words = models.TextField(default="")
    rated_at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="rating_one_holder", condition=Holder.ONE_HOLDER),
            models.CheckConstraint(name="rating_of_five", condition=Q(score__gte=1, score__lte=5)),
        ]


class RatingTally(Holder):
    """How many ratings somebody was given in a month (its first day), and their sum: an average for the
    board that reads a handful of rows."""

    month = models.DateField()
    ratings = models.IntegerField()
    total = models.IntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="tally_one_holder", condition=Holder.ONE_HOLDER),
            models.UniqueConstraint(
                fields=["month", "person", "team", "pool"], name="tally_once", nulls_distinct=False
            ),
        ]
