"""The link with which one member rates one case, without signing in.

It opens a page that asks; only pressing a button there rates, so that a mail scanner that follows every
link rates nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.urls import reverse

from guanjia.cases.models import Case
from guanjia.people.models import User

LINK_LIVES = timedelta(days=30)
_SALT = "guanjia.cases.rating"


@dataclass(frozen=True, slots=True)
class Invited:
    """Who is asked about which case, by their ids."""

    case: int
    member: int


def rating_link(case: Case, member: User, *, score: int | None = None) -> str:
    """The address of the page that asks this member about this case; with a score, that one is chosen.

    It lives LINK_LIVES, opens nothing else, and is worth nothing once the person has left the merchant.
    """
    token = signing.dumps([case.pk, member.pk], salt=_SALT)
    chosen = f"?score={score}" if score else ""
    return f"{settings.BASE_URL}{reverse('rate', args=[token])}{chosen}"


def invited(token: str) -> Invited | None:
    """Whom a link invites; None for one that is not ours or too old."""
    try:
        case, member = signing.loads(token, salt=_SALT, max_age=LINK_LIVES)
    except signing.BadSignature:
        return None
    return Invited(case, member)
