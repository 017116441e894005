"""Lists that somebody wants to find again."""

from django.db import models

from guanjia.lines.models import Line
from guanjia.people.models import Team, User


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
