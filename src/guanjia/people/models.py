from __future__ import annotations

from datetime import time
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from guanjia.base.actors import Actor


class UserManager(BaseUserManager["User"]):
    pass


class User(AbstractBaseUser):
    """Anyone who acts: a merchant's member, an account manager, a line specialist, a lead."""

    username = models.CharField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    email = models.EmailField(blank=True, default="")
    language = models.CharField(max_length=10, default="zh-hans")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        # By whom a mail comes; two people may have one address.
        indexes = [models.Index(Upper("email"), name="user_by_email", condition=~Q(email=""))]

    objects: ClassVar[UserManager] = UserManager()

    acts_as: Actor | None = None
    """Set on the house's own hand alone, while a routine works: what events name instead of a person."""

    USERNAME_FIELD = "username"

    def __str__(self) -> str:
        return self.name


class Preference(models.Model):
    """How somebody wants to be told. `muted` lists the kinds of news not wanted by mail, `gathered` those
    that come in one letter a day at `gathered_at`; the house's own pages always show all. All hours are in
    the marketplace's time zone, and the quiet ones may cross midnight."""

    user = models.OneToOneField(User, primary_key=True, on_delete=models.CASCADE, related_name="preference")
    muted = models.JSONField(default=list)
    gathered = models.JSONField(default=list)
    gathered_at = models.TimeField(default=time(9))
    quiet_from = models.TimeField(null=True)
    quiet_until = models.TimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="quiet_hours_have_both_ends",
                condition=Q(quiet_from=None, quiet_until=None)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
            )
        ]


class Role(models.TextChoices):
    ACCOUNT_MANAGER = "account_manager", "客户经理"
    SERVICE_LEAD = "service_lead", "服务体系负责人"
    INTEGRITY_OFFICER = "integrity_officer", "廉政"
    OPERATOR = "operator", "运维"


class RoleGrant(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants")
    role = models.CharField(max_length=20, choices=Role)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "role"], name="role_granted_once")]


class _Group(models.Model):
    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    lead = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    members = models.ManyToManyField(User, related_name="%(class)ss")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class Team(_Group):
    """A dedicated team (专班): several people for one very large merchant, one of them its lead."""


class Pool(_Group):
    """A shared pool (共享池): the home of every merchant that nobody looks after in person."""


class Holder(models.Model):
    """Who is answerable: exactly one of a person, a team or a pool."""

    person = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT, related_name="+")
    pool = models.ForeignKey(Pool, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True

    ONE_HOLDER: ClassVar[Q] = (
        Q(person__isnull=False, team=None, pool=None)
        | Q(person=None, team__isnull=False, pool=None)
        | Q(person=None, team=None, pool__isnull=False)
    )

    @property
    def holder(self) -> User | Team | Pool:
        holder = self.person or self.team or self.pool
        assert holder is not None  # held by the check constraint built from ONE_HOLDER
        return holder

    @property
    def answerable(self) -> User:
        """The one person to turn to: a team and a pool are answered for by their lead."""
        return self.person or self.holder.lead  # type: ignore[union-attr]


class Absence(models.Model):
    """Somebody is away for a time, and one other person stands in for them: sees what they see, and
    answers in both names. Ended early, it is cut; what was never begun is deleted."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="absences", db_index=False)
    substitute = models.ForeignKey(User, on_delete=models.PROTECT, related_name="stands_in")
    during = DateTimeRangeField()
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="absence_by_another", condition=~Q(user=F("substitute"))),
            models.CheckConstraint(
                name="absence_has_both_ends",
                condition=Q(during__isempty=False, during__lower_inf=False, during__upper_inf=False),
            ),
            ExclusionConstraint(
                name="one_substitute_at_every_instant",
                expressions=[("user", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
            ),
        ]


class ApiToken(models.Model):
    """A bearer token; only its SHA-256 is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    digest = models.BinaryField(max_length=32, unique=True)
    label = models.CharField(max_length=80)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()


class WrongTries(models.Model):
    """Passwords tried in a row for one login name, be it anybody's or not; gone when one fits."""

    digest = models.BinaryField(max_length=32, primary_key=True)
    tries = models.SmallIntegerField()
    last_at = models.DateTimeField()
