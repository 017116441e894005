"""Lists that somebody wants to find again."""

from django.db import models

from guanjia.cases.models.case import CaseKind, Priority
from guanjia.cases.models.marks import Tag
from guanjia.lines.models import Line
from guanjia.people.models import Team, User


class SavedView(models.Model):
    """A list of cases that somebody wants to find again; with a team, all its members see it.

    `base` is one of the views every desk has; line, words, priority, kind and tag narrow it.
    """

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=40)
    base = models.CharField(max_length=20)
    line = models.ForeignKey(Line, null=True, on_delete=models.CASCADE, related_name="+")
    words = models.CharField(max_length=60, blank=True)
    priority = models.SmallIntegerField(choices=Priority, null=True)
    kind = models.CharField(max_length=20, choices=CaseKind, blank=True)
    tag = models.ForeignKey(Tag, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="view_name_once")]
