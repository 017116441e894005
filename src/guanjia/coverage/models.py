from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Q

from guanjia.merchants.models import Merchant
from guanjia.people.models import Holder, User


class ResponsibilityRole(models.TextChoices):
    ACCOUNT_MANAGER = "account_manager", "客户经理"
    BACKUP = "backup", "替补"
    SPECIALIST = "specialist", "专员"
    SPONSOR = "sponsor", "高层联系人"


class Responsibility(Holder):
    """A role that links a person, a team or a pool to a merchant over a time range.

    Two account managers at one instant are refused by the exclusion constraint; an instant without
    one cannot exist, because a merchant's home pool answers wherever no row does.
    """

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="responsibilities")
    role = models.CharField(max_length=20, choices=ResponsibilityRole)
    during = DateTimeRangeField()
    reason = models.CharField(max_length=300)
    granted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(name="responsibility_one_holder", condition=Holder.ONE_HOLDER),
            models.CheckConstraint(
                name="responsibility_not_empty",
                condition=Q(during__isempty=False) & Q(during__lower_inf=False),
            ),
            ExclusionConstraint(
                name="one_account_manager_at_every_instant",
                expressions=[
                    ("merchant", RangeOperators.EQUAL),
                    ("during", RangeOperators.OVERLAPS),
                ],
                condition=Q(role=ResponsibilityRole.ACCOUNT_MANAGER),
            ),
        ]
        indexes = [
            models.Index(fields=["person"], name="portfolio_of_person", condition=Q(person__isnull=False)),
            models.Index(fields=["team"], name="portfolio_of_team", condition=Q(team__isnull=False)),
        ]
