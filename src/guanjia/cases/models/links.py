"""Cases that belong together, and words of one case that another one refers to."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least

from guanjia.cases.models.case import Case
from guanjia.cases.models.talk import Message
from guanjia.people.models import User


class LinkKind(models.TextChoices):
    """What the source of a link is to its target."""

    RELATED = "related", "相关"
    DUPLICATE = "duplicate", "与它重复"
    PART = "part", "是它的一部分"
    SPLIT = "split", "从它拆出"
    FOLLOWS = "follows", "接着它办"
    MERGED = "merged", "并入它"


BY_HAND = (LinkKind.RELATED, LinkKind.DUPLICATE, LinkKind.PART)
"""What people make and unmake; the others come about by splitting, merging, and a late word."""


class CaseLink(models.Model):
    """Two cases of one merchant belong together. Database triggers refuse strangers, and a case that is
    both merged and merged into, or both a part and made of parts: so there are no chains and no circles.

    `undo` says what a merge has changed, so that it can be taken back.
    """

    kind = models.CharField(max_length=10, choices=LinkKind)
    source = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="links_out", db_index=False)
    target = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="links_in", db_index=False)
    made_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    undo = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="link_joins_two", condition=~Q(source=F("target"))),
            models.UniqueConstraint(
                Least("source", "target"),
                Greatest("source", "target"),
                name="link_once_per_pair",
                condition=~Q(kind=LinkKind.MERGED),
            ),
            models.UniqueConstraint(fields=["source"], name="merged_once", condition=Q(kind=LinkKind.MERGED)),
            models.UniqueConstraint(fields=["source"], name="part_of_one", condition=Q(kind=LinkKind.PART)),
        ]
        indexes = [
            models.Index(fields=["source"], name="link_by_source"),
            models.Index(fields=["target"], name="link_by_target"),
        ]


class Quote(models.Model):
    """A word of another case that this one was split off with: shown here, still said there."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="quotes", db_index=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "message"], name="quoted_once")]
