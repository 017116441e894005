"""What the account page shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings

from guanjia.people.browsers import name_of_browser
from guanjia.people.models import User
from guanjia.people.queries import factors_of, linked_of, sessions_of, tokens_of


@dataclass(frozen=True, slots=True)
class Place:
    """One browser in which somebody is signed in."""

    id: int
    browser: str
    ip: str
    since: datetime
    here: bool


@dataclass(frozen=True, slots=True)
class Factors:
    """`codes` is how many recovery codes are left, None where there are none."""

    totp: Authenticator | None
    passkeys: list[Authenticator]
    codes: int | None


def account_content(user: User, session_key: str | None, now: datetime) -> dict[str, Any]:
    """Five statements, whatever there is."""
    titles = {one.id: one.title for one in settings.SIGN_IN_PROVIDERS}
    return {
        "languages": settings.LANGUAGES,
        "factors": _factors(factors_of(user)),
        "places": [_place(one, session_key) for one in sessions_of(user, now=now)],
        "linked": [(titles.get(one.provider, one.provider), one) for one in linked_of(user)],
        "tokens": tokens_of(user, now=now),
        "has_password": user.has_usable_password(),
    }


def _factors(found: list[Authenticator]) -> Factors:
    by_type = {one.type: one for one in found}
    codes = by_type.get(Authenticator.Type.RECOVERY_CODES)
    return Factors(
        totp=by_type.get(Authenticator.Type.TOTP),
        passkeys=[one for one in found if one.type == Authenticator.Type.WEBAUTHN],
        codes=len(codes.wrap().get_unused_codes()) if codes else None,
    )


def _place(session: UserSession, here: str | None) -> Place:
    browser = name_of_browser(session.user_agent)
    return Place(session.pk, browser, session.ip, session.created_at, session.session_key == here)
