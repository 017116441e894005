from __future__ import annotations

import hashlib
from datetime import datetime

from guanjia.people.models import ApiToken, User


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
