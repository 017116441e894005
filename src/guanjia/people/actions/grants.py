"""Roles of the house and tokens of the API."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.actors import Actor
from guanjia.base.errors import Missing
from guanjia.ledger.actions import Entry, record
from guanjia.people.events import RoleGranted, TokenIssued, TokenRevoked
from guanjia.people.models import ApiToken, Role, RoleGrant, User
from guanjia.people.queries import token_digest

TOKEN_LIFE = timedelta(days=365)


@transaction.atomic
def issue_token(*, actor: Actor, user: User, label: str, now: datetime) -> str:
    """A new bearer token for the API. It is shown once and kept only as its digest."""
    token = "gj_" + secrets.token_urlsafe(32)
    kept = ApiToken.objects.create(
        user=user, digest=token_digest(token), label=label, expires_at=now + TOKEN_LIFE
    )
    record([Entry(now, actor, f"user:{user.pk}", TokenIssued(kept.pk, user.pk))])
    return token


@transaction.atomic
def revoke_token(*, actor: Actor, user: User, token_id: int, now: datetime) -> None:
    """From now on nobody comes in with it. Raises Missing for one that is not this person's."""
    gone, _each = ApiToken.objects.filter(pk=token_id, user=user).delete()
    if not gone:
        raise Missing(_("没有这个令牌，或者它已经作废。"))
    record([Entry(now, actor, f"user:{user.pk}", TokenRevoked(token_id, user.pk))])


@transaction.atomic
def grant_role(*, actor: Actor, user: User, role: Role, now: datetime) -> None:
    """Give a person a role of the house; giving it twice changes nothing."""
    _each, new = RoleGrant.objects.get_or_create(user=user, role=role)
    if new:
        record([Entry(now, actor, f"user:{user.pk}", RoleGranted(user.pk, role))])
