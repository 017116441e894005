import uuid

from django.db import models
from django.db.models import Q

from guanjia.cases.models import Case
from guanjia.core.package import ItemState, Mode, PackageState
from guanjia.lines.models import Mandate, Service
from guanjia.merchants.models import Merchant
from guanjia.people.models import User

_MODES = [
    (Mode.ALL_OR_NOTHING, "全部办成或全部不占用"),
    (Mode.CORE_AND_OPTIONAL, "核心必须办成，其余尽量"),
    (Mode.BEST_EFFORT, "能办几项办几项"),
]


class Package(models.Model):
    """Several lines' services as one whole: takes effect on all, or on none, as `mode` says.

    Its state and its items' states are written by `packages.settle` alone, from `core.package`.
    """

    number = models.CharField(max_length=20, unique=True)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="packages", db_index=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="packages")
    mode = models.CharField(max_length=20, choices=_MODES)
    state = models.CharField(max_length=12, choices=[(s, s) for s in PackageState])
    composed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    currency = models.CharField(max_length=3, default="CNY")
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    accept_due_at = models.DateTimeField(null=True)
    cancel_requested = models.BooleanField(default=False)
    confirming_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["merchant", "-id"], name="package_by_merchant"),
        ]

    def __str__(self) -> str:
        return self.number


class Item(models.Model):
    """One service on one line within a package; the line knows it by `hold_id` (LP/1 §4.2)."""

    uid = models.UUIDField(unique=True, default=uuid.uuid4)
    package = models.ForeignKey(Package, on_delete=models.CASCADE, related_name="items", db_index=False)
    position = models.PositiveSmallIntegerField()
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+", db_index=False)
    params = models.JSONField()
    core = models.BooleanField(default=True)
    state = models.CharField(max_length=20, choices=[(s, s) for s in ItemState])
    mandate = models.ForeignKey(
        Mandate, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    within_mandate = models.BooleanField(default=False)
    generation = models.PositiveSmallIntegerField(default=0)
    hold_id = models.UUIDField(unique=True)
    ttl_seconds = models.PositiveIntegerField()
    grace_seconds = models.PositiveIntegerField()
    silence_consents = models.BooleanField(default=False)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    give_up_at = models.DateTimeField(null=True)
    hold_expires_at = models.DateTimeField(null=True)
    decision_due_at = models.DateTimeField(null=True)
    escalated = models.BooleanField(default=False)
    by_silence = models.BooleanField(default=False)
    stuck = models.BooleanField(default=False)
    declined = models.BooleanField(default=False)
    accepted_amount = models.BigIntegerField(null=True)
    quote_amount = models.BigIntegerField(null=True)
    reference = models.CharField(max_length=200, default="")
    reason_code = models.CharField(max_length=64, default="")
    reason = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["package", "position"], name="item_position_once"),
            models.CheckConstraint(
                name="item_confirmed_was_priced",
                condition=~Q(state=ItemState.CONFIRMED)
                | Q(quote_amount=None)
                | Q(quote_amount=0)
                | Q(accepted_amount__gte=models.F("quote_amount")),
            ),
        ]


class Composition(models.Model):
    """What somebody is putting together on a case and has not submitted: it survives the browser.

    `items` holds, in order, what was chosen and what was typed so far, right or wrong; see
    `composition.Chosen`. `key` makes submitting it twice have one effect.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+", db_index=False)
    author = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.UUIDField()
    mode = models.CharField(max_length=20, choices=_MODES)
    items = models.JSONField()
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "author"], name="composition_once_per_author")]
