"""Rules of work: what a lead has laid down, and what came of it."""

from django.db import models
from django.db.models import Q

from guanjia.cases.models import Case
from guanjia.people.models import User


class RoutineKind(models.TextChoices):
    TRIGGER = "trigger", "发生时"
    SCHEDULE = "schedule", "定时"


class Routine(models.Model):
    """A rule of work under a name. It is on while it has a `live` version; `next_at` is a schedule's next
    time. `failures` counts cases in a row that failed: too many, and it turns itself off, saying why."""

    name = models.CharField(max_length=60, unique=True)
    kind = models.CharField(max_length=10, choices=RoutineKind)
    live = models.ForeignKey("Version", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    next_at = models.DateTimeField(null=True)
    failures = models.PositiveSmallIntegerField(default=0)
    off_reason = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Version(models.Model):
    """What a routine says, as `rule.Rule` writes it. Once it has been switched on it never changes again: a
    database trigger refuses it, so that the log says for good what a run went by."""

    routine = models.ForeignKey(Routine, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    content = models.JSONField()
    saved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    saved_at = models.DateTimeField()
    activated_by = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    activated_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["routine", "number"], name="version_number_once")]


class Listening(models.Model):
    """Which kinds of events routines that are on wait for: what the trigger on the event log looks up."""

    routine = models.ForeignKey(Routine, on_delete=models.CASCADE, related_name="listening", db_index=False)
    kind = models.CharField(max_length=60)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "routine"], name="listens_once")]


class Heard(models.Model):
    """An event that a routine waits for, until it has been looked at. `cause` is the outcome in which a
    routine brought it about, if one did."""

    event = models.BigIntegerField(primary_key=True)
    cause = models.BigIntegerField(null=True)


class Run(models.Model):
    """One time that a routine went to work: for an event, or at a time of its schedule."""

    routine = models.ForeignKey(Routine, on_delete=models.CASCADE, related_name="runs", db_index=False)
    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="+", db_index=False)
    event = models.BigIntegerField(null=True)
    due_at = models.DateTimeField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    after = models.BigIntegerField(default=0)
    looked = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["routine", "event"], name="run_once_per_event", condition=Q(event__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["routine"], name="one_run_at_a_time", condition=Q(event=None, ended_at=None)
            ),
        ]
        indexes = [
            models.Index(fields=["routine", "-id"], name="run_of_routine"),
            models.Index(fields=["started_at"], name="run_by_age"),
        ]


class Result(models.TextChoices):
    CHANGED = "changed", "已办"
    SKIPPED = "skipped", "略过"
    FAILED = "failed", "失败"


class Outcome(models.Model):
    """What a run did to one case, and why. `chain` are the routines that led here, this one last."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="outcomes", db_index=False)
    routine = models.ForeignKey(Routine, on_delete=models.CASCADE, related_name="+", db_index=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+", db_index=False)
    result = models.CharField(max_length=10, choices=Result)
    did = models.JSONField(default=list)
    why = models.CharField(max_length=300, blank=True)
    chain = models.JSONField(default=list)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "case"], name="outcome_once_per_case")]
        indexes = [
            models.Index(fields=["routine", "at"], name="outcome_changed", condition=Q(result="changed")),
        ]


class Touched(models.Model):
    """When a routine last changed a case: what "once per case" goes by. It outlives the log."""

    routine = models.ForeignKey(Routine, on_delete=models.CASCADE, related_name="+", db_index=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+", db_index=False)
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["routine", "case"], name="touched_once")]
