from __future__ import annotations

import hashlib
from datetime import datetime

from guanjia.people.models import ApiToken, Pool, Team, User


def token_digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def user_of_token(token: str, *, now: datetime) -> User | None:
    """The active person a bearer token belongs to, or None."""
    found = (
        ApiToken.objects.select_related("user")
        .filter(digest=token_digest(token), expires_at__gt=now, user__is_active=True)
        .first()
    )
    return found.user if found else None


def groups_of(user: User) -> tuple[list[int], list[int]]:
    """Ids of the teams and pools a person works in or leads."""
    teams = Team.objects.filter(members=user) | Team.objects.filter(lead=user)
    pools = Pool.objects.filter(members=user) | Pool.objects.filter(lead=user)
    return [t.pk for t in teams.distinct()], [p.pk for p in pools.distinct()]
