"""What is looked through instead of the conversations themselves; see `search.indexing`.

The rows are written a moment after what they are about, by a flow, and can be made again at any time.
"""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from guanjia.cases.models import Case
from guanjia.merchants.models import Merchant

PENDING = 256
"""Kilobytes of new entries that an index keeps unsorted: every search reads through them."""


class CaseWords(models.Model):
    """The terms of one case (see `search.terms`); those of internal notes are marked as such."""

    case = models.OneToOneField(Case, primary_key=True, on_delete=models.CASCADE, related_name="+")
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+", db_index=False)
    terms = SearchVectorField()

    class Meta:
        indexes = [GinIndex(fields=["terms"], name="case_by_terms", gin_pending_list_limit=PENDING)]


class MerchantWords(models.Model):
    """The terms of a merchant's name and reference."""

    merchant = models.OneToOneField(Merchant, primary_key=True, on_delete=models.CASCADE, related_name="+")
    terms = SearchVectorField()

    class Meta:
        indexes = [GinIndex(fields=["terms"], name="merchant_by_terms", gin_pending_list_limit=PENDING)]
