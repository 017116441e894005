from django.db import models

from guanjia.people.models import Pool, User


class FactDefinition(models.Model):
    """A fact the marketplace holds about merchants: its name per language, and its source."""

    key = models.SlugField(max_length=60, primary_key=True)
    titles = models.JSONField()
    source = models.CharField(max_length=120)


class Merchant(models.Model):
    """A merchant. `ref` is the marketplace's own id; `facts` are known values by fact key.

    `home_pool` is never null: whenever no responsibility says otherwise, that pool is the
    accountable account manager, so an instant without one cannot be written down (design §3.2).
    """

    ref = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    home_pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="merchants")
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class MemberRole(models.TextChoices):
    OWNER = "owner", "店主"
    STAFF = "staff", "运营"
    FINANCE = "finance", "财务"
    VIEWER = "viewer", "只读"


class Member(models.Model):
    """One of a merchant's own people (子账号); what each role may do is in `coverage.rules`."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=MemberRole)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["merchant", "user"], name="member_once_per_merchant")]
