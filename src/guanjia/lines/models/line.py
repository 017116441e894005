from django.db import models

from guanjia.people.models import User


class LineKind(models.TextChoices):
    REMOTE = "remote", "自有系统"
    HOSTED = "hosted", "托管"


class Line(models.Model):
    """A business line and where it answers LP/1; the secret is sealed, see `base.seal`."""

    slug = models.SlugField(max_length=40, unique=True)
    titles = models.JSONField()
    kind = models.CharField(max_length=10, choices=LineKind)
    base_url = models.URLField(max_length=300)
    sealed_secret = models.BinaryField()
    lead = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    active = models.BooleanField(default=True)
    checked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.slug


class LineVital(models.Model):
    """How calls to a line went lately, as the worker that called it last has written it down.

    `fault` says why the last failed call failed. Milliseconds are of the last `calls` attempts.
    """

    line = models.OneToOneField(Line, primary_key=True, on_delete=models.CASCADE, related_name="vital")
    circuit = models.CharField(max_length=10)
    retry_at = models.DateTimeField(null=True)
    ok_at = models.DateTimeField(null=True)
    fault_at = models.DateTimeField(null=True)
    fault = models.CharField(max_length=120, blank=True, default="")
    calls = models.PositiveIntegerField()
    p50_ms = models.PositiveIntegerField(null=True)
    p95_ms = models.PositiveIntegerField(null=True)
    seen_at = models.DateTimeField()


class Conformance(models.Model):
    """One run of the conformance kit against a line: `report` as `guanjia line check --json` prints it.

    `may_confirm`: one real, final confirm per service was asked for. `passed` is None until it is
    finished, and stays so for a run that could not be made; `report` then says why.
    """

    line = models.ForeignKey(Line, on_delete=models.CASCADE, related_name="conformance")
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    may_confirm = models.BooleanField(default=False)
    finished_at = models.DateTimeField(null=True)
    passed = models.BooleanField(null=True)
    report = models.JSONField(null=True)

    class Meta:
        indexes = [models.Index(fields=["line", "-id"], name="conformance_newest")]


class LineStaff(models.Model):
    """A line specialist: may publish services, grant mandates and decide on this line."""

    line = models.ForeignKey(Line, on_delete=models.CASCADE, related_name="staff")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="lines")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["line", "user"], name="line_staff_once")]


class DecisionRuleChoice(models.TextChoices):
    NEVER = "never", "无需审批"
    BEYOND_MANDATE = "beyond_mandate", "超出授权时审批"
    ALWAYS = "always", "一律审批"


class Silence(models.TextChoices):
    CONSENT = "consent", "视为同意"
    REFUSAL = "refusal", "视为拒绝"


class Service(models.Model):
    """Something a line can do for a merchant, as the line's manifest publishes it (LP/1 §4.1)."""

    line = models.ForeignKey(Line, on_delete=models.CASCADE, related_name="services")
    code = models.SlugField(max_length=60)
    titles = models.JSONField()
    schema = models.JSONField()
    price_amount = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="CNY")
    hold_ttl_seconds = models.PositiveIntegerField()
    decision_rule = models.CharField(max_length=20, choices=DecisionRuleChoice)
    decision_within_seconds = models.PositiveIntegerField()
    decision_grace_seconds = models.PositiveIntegerField()
    silence = models.CharField(max_length=10, choices=Silence)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["line", "code"], name="service_once_per_line")]

    def __str__(self) -> str:
        return self.code
