"""Texts that are written often, and what is done along with them."""

from django.db import models
from django.db.models import Q

from guanjia.cases.models.case import CaseKind, Priority
from guanjia.people.models import Team, User


class Macro(models.Model):
    """A named text with variables, and what happens when it is sent. With a team, its members see it;
    `everyone`: all who work at the desk."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="macros")
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="macros")
    everyone = models.BooleanField(default=False)
    name = models.CharField(max_length=40)
    internal = models.BooleanField(default=False)
    body = models.TextField()
    priority = models.SmallIntegerField(choices=Priority, null=True)
    kind = models.CharField(max_length=20, choices=CaseKind, blank=True)
    tags = models.JSONField(default=list)
    wait_days = models.PositiveSmallIntegerField(null=True)
    solve = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="macro_name_once"),
            models.CheckConstraint(name="macro_of_one_circle", condition=Q(team=None) | Q(everyone=False)),
            models.CheckConstraint(
                name="macro_waits_or_solves", condition=Q(wait_days=None) | Q(solve=False)
            ),
        ]
        indexes = [
            models.Index(fields=["name"], name="macro_of_everyone", condition=Q(everyone=True)),
        ]

    def __str__(self) -> str:
        return self.name
