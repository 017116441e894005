from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils.http import urlsafe_base64_decode
from django.utils.translation import gettext as _

from guanjia.base.errors import Missing
from guanjia.base.sql import prepared
from guanjia.people.links import welcome_token
from guanjia.people.models import ApiToken, Pool, Preference, Team, User

TOKENS_MOST = 50
SESSIONS_MOST = 50


def token_digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


_COLUMNS = [field.attname for field in User._meta.concrete_fields]
_OF_TOKEN = f"""
SELECT {", ".join(f"u.{name}" for name in _COLUMNS)}
FROM people_apitoken t JOIN people_user u ON u.id = t.user_id
WHERE t.digest = %(digest)s AND t.expires_at > %(now)s::timestamptz AND u.is_active
"""  # noqa: S608 - names of columns


def user_of_token(token: str, *, now: datetime) -> User | None:
    """The active person a bearer token belongs to, or None. Every call of the API asks this."""
    for values in prepared(_OF_TOKEN, {"digest": token_digest(token), "now": now}):
        return User.from_db(connection.alias, _COLUMNS, values)
    return None


def groups_of(user: User) -> tuple[list[int], list[int]]:
    """Ids of the teams and pools a person works in or leads."""
    teams = Team.objects.filter(members=user) | Team.objects.filter(lead=user)
    pools = Pool.objects.filter(members=user) | Pool.objects.filter(lead=user)
    return [t.pk for t in teams.distinct()], [p.pk for p in pools.distinct()]


def invited_by_link(uid: str, token: str, *, lock: bool = False) -> User | None:
    """The active person whose invitation this is, while it still works; `lock` until the transaction ends."""
    try:
        key = int(urlsafe_base64_decode(uid).decode("ascii"))
    except (ValueError, OverflowError):
        return None
    people = User.objects.select_for_update() if lock else User.objects
    user = people.filter(pk=key, is_active=True).first() if 0 < key < 2**63 else None
    return user if user and welcome_token.check_token(user, token) else None


def tokens_of(user: User, *, now: datetime) -> list[ApiToken]:
    """Their API tokens that still work, the newest first, at most TOKENS_MOST."""
    return list(ApiToken.objects.filter(user=user, expires_at__gt=now).order_by("-pk")[:TOKENS_MOST])


def preference_of(user: User) -> Preference:
    """How they want to be told; what holds by itself until they say otherwise."""
    return Preference.objects.filter(user=user).first() or Preference(user=user)


def sessions_of(user: User, *, now: datetime) -> list[UserSession]:
    """Where they are signed in, the latest first; a session that has ended elsewhere is not among them."""
    open_keys = Session.objects.filter(expire_date__gt=now).values("session_key")
    found = UserSession.objects.filter(user_id=user.pk, session_key__in=open_keys)
    return list(found.order_by("-last_seen_at", "-pk")[:SESSIONS_MOST])


def linked_of(user: User) -> list[SocialAccount]:
    return list(SocialAccount.objects.filter(user_id=user.pk).order_by("provider", "pk"))


def factors_of(user: User) -> list[Authenticator]:
    """Their second factors and passkeys, the oldest first."""
    return list(Authenticator.objects.filter(user_id=user.pk).order_by("pk"))


def person_named(username: str) -> User:
    """The active person with this username. Raises Missing."""
    found = User.objects.filter(username=username, is_active=True).first()
    if found is None:
        raise Missing(_("没有叫“%(name)s”的人。") % {"name": username[:80]}, hint=_("请核对登录名。"))
    return found


def person_to_link(claim: str) -> User | None:
    """The active person with exactly this username."""
    return User.objects.filter(username=claim, is_active=True).first()


def session_keys(user: User, number: str | None = None) -> list[str]:
    """The keys of this person's sessions: of the one with that number, or of all."""
    found = UserSession.objects.filter(user_id=user.pk)
    if number is not None:
        found = found.filter(pk=int(number)) if number.isdecimal() and len(number) < 19 else found.none()
    return list(found.values_list("session_key", flat=True))


def people_named(usernames: Iterable[str]) -> dict[str, User]:
    """The active people with these usernames, by username."""
    return {user.username: user for user in User.objects.filter(username__in=list(usernames), is_active=True)}
