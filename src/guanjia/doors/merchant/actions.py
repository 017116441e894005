"""What an owner does to the people of the own merchant: rooms below do the work, here is who may."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.errors import Refusal
from guanjia.coverage.rules import Verb, access_merchant
from guanjia.merchants import actions as merchants
from guanjia.merchants.models import MemberRole
from guanjia.merchants.queries import member_of
from guanjia.people.actions import Invitation, invite, renew_invitation
from guanjia.people.actors import actor_of
from guanjia.people.models import User


class HasJoined(Refusal):
    code = "has_joined"


@transaction.atomic
def invite_member(
    *, actor: User, ref: str, username: str, name: str, email: str, role: MemberRole, now: datetime
) -> Invitation:
    """A new person for this merchant, and the link to hand over; nothing without both.

    Raises Missing, Forbidden, BadInput, UsernameTaken.
    """
    merchant = access_merchant(actor=actor, ref=ref, verb=Verb.PEOPLE, now=now)
    who = actor_of(actor)
    invitation = invite(actor=who, username=username, name=name, email=email, now=now)
    merchants.add_member(actor=who, merchant=merchant, user=invitation.user, role=role, now=now)
    return invitation


@transaction.atomic
def invite_again(*, actor: User, ref: str, member_id: int, now: datetime) -> Invitation:
    """A new link for a member who never used the first. Somebody with a password of their own is refused
    (HasJoined): the link would let an owner in under their name."""
    merchant = access_merchant(actor=actor, ref=ref, verb=Verb.PEOPLE, now=now)
    member = member_of(merchant, member_id)
    if member.user.has_usable_password():
        raise HasJoined(_("%(name)s已经加入，不需要链接。") % {"name": member.user.name})
    return renew_invitation(actor=actor_of(actor), user=member.user, now=now)


@transaction.atomic
def give_role(*, actor: User, ref: str, member_id: int, role: MemberRole, now: datetime) -> None:
    """Raises Missing, Forbidden, LastOwner."""
    merchant = access_merchant(actor=actor, ref=ref, verb=Verb.PEOPLE, now=now)
    merchants.change_role(actor=actor_of(actor), merchant=merchant, member_id=member_id, role=role, now=now)


@transaction.atomic
def part_with(*, actor: User, ref: str, member_id: int, now: datetime) -> None:
    """Raises Missing, Forbidden, LastOwner."""
    merchant = access_merchant(actor=actor, ref=ref, verb=Verb.PEOPLE, now=now)
    merchants.remove_member(actor=actor_of(actor), merchant=merchant, member_id=member_id, now=now)
