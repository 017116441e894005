"""Who may do what for which merchant: one table, read by every door.

A relation says how a person stands to a merchant; `MAY` says which relation allows which verb. Access
follows the relation: without one, a merchant does not exist for that person.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from django.db.models import Q
from django.utils.translation import gettext as _

from guanjia.base.errors import Forbidden, Missing
from guanjia.coverage.models import Responsibility, ResponsibilityRole
from guanjia.merchants.models import Member, Merchant
from guanjia.people.models import Role, RoleGrant, User
from guanjia.people.queries import groups_of


class Relation(StrEnum):
    MEMBER = "member"  # one of the merchant's own people
    MANAGER = "manager"  # accountable for it, alone or as one of a team or pool
    BACKUP = "backup"  # any other responsibility for it
    LEAD = "lead"  # service lead: sees all, files nothing


class Verb(StrEnum):
    SEE = "see"
    OPEN_CASE = "open_case"
    SPEAK = "speak"
    NOTE = "note"  # internal notes: never for the merchant
    COMPOSE = "compose"
    ACCEPT = "accept"  # the merchant's own yes to a price
    CANCEL = "cancel"
    SETTLE_BY_HAND = "settle_by_hand"


_R = Relation
_STAFF = frozenset({_R.MANAGER, _R.BACKUP})
MAY: Mapping[Verb, frozenset[Relation]] = {
    Verb.SEE: _STAFF | {_R.MEMBER, _R.LEAD},
    Verb.OPEN_CASE: _STAFF | {_R.MEMBER},
    Verb.SPEAK: _STAFF | {_R.MEMBER},
    Verb.NOTE: _STAFF | {_R.LEAD},
    Verb.COMPOSE: _STAFF | {_R.MEMBER},
    Verb.ACCEPT: frozenset({_R.MEMBER}),
    Verb.CANCEL: frozenset({_R.MEMBER, _R.MANAGER}),
    Verb.SETTLE_BY_HAND: frozenset({_R.MANAGER, _R.LEAD}),
}


def relations(user: User, merchant: Merchant, *, at: datetime) -> frozenset[Relation]:
    """How this person stands to this merchant at an instant; empty for a stranger."""
    if not user.is_active:
        return frozenset()
    found = set()
    if Member.objects.filter(merchant=merchant, user=user).exists():
        found.add(_R.MEMBER)
    if RoleGrant.objects.filter(user=user, role=Role.SERVICE_LEAD).exists():
        found.add(_R.LEAD)
    return frozenset(found | _responsible(user, merchant, at))


def _responsible(user: User, merchant: Merchant, at: datetime) -> set[Relation]:
    teams, pools = groups_of(user)
    now = Responsibility.objects.filter(merchant=merchant, during__contains=at)
    mine = now.filter(Q(person=user) | Q(team__in=teams) | Q(pool__in=pools))
    roles = set(mine.values_list("role", flat=True))
    found = {_R.BACKUP} if roles - {ResponsibilityRole.ACCOUNT_MANAGER} else set()
    at_home = merchant.home_pool_id in pools and not _has_manager(merchant, at)
    if at_home or ResponsibilityRole.ACCOUNT_MANAGER in roles:
        found.add(_R.MANAGER)
    return found


def _has_manager(merchant: Merchant, at: datetime) -> bool:
    return Responsibility.objects.filter(
        merchant=merchant, role=ResponsibilityRole.ACCOUNT_MANAGER, during__contains=at
    ).exists()


def access_merchant(*, actor: User, ref: str, verb: Verb, now: datetime) -> Merchant:
    """The merchant with this reference, if this person may do this for it.

    Raises Missing without a relation (whether or not it exists), Forbidden without the right.
    """
    merchant = Merchant.objects.select_related("home_pool__lead").filter(ref=ref).first()
    if merchant is None:
        raise _no_merchant(ref)
    require(actor, merchant, verb, now=now)
    return merchant


def require(actor: User, merchant: Merchant, verb: Verb, *, now: datetime) -> None:
    """Raises Missing for a stranger to this merchant, Forbidden for someone without this right."""
    held = relations(actor, merchant, at=now)
    if not held:
        raise _no_merchant(merchant.ref)
    if not held & MAY[verb]:
        raise Forbidden(_("您与这家商家的关系不允许这样做。"), hint=_("请商家本人或其客户经理来办。"))


def _no_merchant(ref: str) -> Missing:
    return Missing(
        _("没有找到商家“%(ref)s”。") % {"ref": ref[:64]},
        hint=_("请核对商家编号；只有商家成员和负责人能看到它。"),
    )
