"""What a package must satisfy, and the refusals it gives."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Missing, Refusal
from guanjia.coverage.rules import Verb, require
from guanjia.packages.models import Package
from guanjia.people.models import User

ITEMS_MOST = 50


class UnknownService(BadInput):
    code = "unknown_service"


class PriceChanged(Refusal):
    code = "price_changed"


class QuoteExpired(Refusal):
    code = "quote_expired"


class NothingToAccept(Refusal):
    code = "nothing_to_accept"


class TooLate(Refusal):
    code = "too_late"


class NotByHand(Refusal):
    code = "not_by_hand"


class NotDeclinable(Refusal):
    code = "not_declinable"


def access_package(*, actor: User, number: str, verb: Verb, now: datetime) -> Package:
    """The package with this number, if this person may do this with it (see `coverage.rules`)."""
    found = Package.objects.select_related("merchant__home_pool__lead", "case")
    package = found.filter(number=number).first()
    if package is None:
        raise no_package(number)
    try:
        require(actor, package.merchant, verb, now=now)
    except Missing:
        raise no_package(number) from None
    return package


def no_package(number: str) -> Missing:
    return Missing(_("没有找到一揽子 %(number)s。") % {"number": number[:40]}, hint=_("请核对编号。"))
