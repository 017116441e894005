"""When we work, and what we promise: documents with versions, each in force from its instant."""

from django.db import models

from guanjia.people.models import User


class CalendarVersion(models.Model):
    """Open hours from `since` on, until the next version of the same `code`. Never changed, never removed.

    `week` has seven lists of `[from, to]` in minutes after midnight, from Monday on; `days` maps a date to
    the hours of a day that differs: none for a holiday, some for a make-up workday. `note` says why.
    """

    code = models.SlugField(max_length=40)
    version = models.PositiveIntegerField()
    since = models.DateTimeField()
    name = models.CharField(max_length=80)
    zone = models.CharField(max_length=60)
    week = models.JSONField()
    days = models.JSONField(default=dict)
    made_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="calendar_version_once"),
            models.UniqueConstraint(fields=["code", "since"], name="calendar_since_once"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.version}"


class PromiseVersion(models.Model):
    """The table of promises from `since` on; the first of `rules` that fits a case holds for it."""

    version = models.PositiveIntegerField(unique=True)
    since = models.DateTimeField(unique=True)
    rules = models.JSONField()
    made_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.version)
