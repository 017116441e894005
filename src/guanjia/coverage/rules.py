"""Who may do what for which merchant: one table, read by every door.

A relation says how a person stands to a merchant; `MAY` says which relation allows which verb. Access
follows the relation: without one, a merchant does not exist for that person.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext as _

from guanjia.base.errors import Forbidden, Missing
from guanjia.coverage.models import ResponsibilityRole
from guanjia.coverage.standing import Standing, standing
from guanjia.merchants.models import Merchant
from guanjia.people.models import User


class Relation(StrEnum):
    OWNER = "owner"  # the merchant's own people, by what their role there is
    STAFF = "staff"
    FINANCE = "finance"
    VIEWER = "viewer"
    MANAGER = "manager"  # accountable for it, alone or as one of a team or pool
    BACKUP = "backup"  # any other responsibility for it
    SUBSTITUTE = "substitute"  # stands in for a manager who is away; for a backup, one is a backup
    LEAD = "lead"  # service lead: sees all, files nothing
    ROUTINE = "routine"  # a rule of work that a lead has switched on


class Verb(StrEnum):
    SEE = "see"
    OPEN_CASE = "open_case"
    SPEAK = "speak"
    NOTE = "note"  # internal notes: never for the merchant
    COMPOSE = "compose"
    ACCEPT = "accept"  # the merchant's own yes or no to a price
    CANCEL = "cancel"
    SOLVE = "solve"  # a case is done, or is not done after all
    PEOPLE = "people"  # who belongs to the merchant, and as what
    SETTLE_BY_HAND = "settle_by_hand"


_R = Relation
MEMBERS = frozenset({_R.OWNER, _R.STAFF, _R.FINANCE, _R.VIEWER})
_FILING = frozenset({_R.OWNER, _R.STAFF, _R.MANAGER, _R.BACKUP, _R.SUBSTITUTE})
_HOUSE = frozenset({_R.MANAGER, _R.BACKUP, _R.SUBSTITUTE, _R.LEAD, _R.ROUTINE})
MAY: Mapping[Verb, frozenset[Relation]] = {
    Verb.SEE: MEMBERS | _HOUSE,
    Verb.OPEN_CASE: _FILING,
    Verb.SPEAK: _FILING | {_R.FINANCE, _R.ROUTINE},
    Verb.NOTE: _HOUSE,
    Verb.COMPOSE: _FILING,
    Verb.ACCEPT: frozenset({_R.OWNER, _R.FINANCE}),
    Verb.CANCEL: frozenset({_R.OWNER, _R.STAFF, _R.MANAGER, _R.SUBSTITUTE}),
    Verb.SOLVE: _FILING | {_R.ROUTINE},
    Verb.PEOPLE: frozenset({_R.OWNER}),
    Verb.SETTLE_BY_HAND: frozenset({_R.MANAGER, _R.SUBSTITUTE, _R.LEAD}),
}


def relations(user: User, merchant: Merchant, *, at: datetime) -> frozenset[Relation]:
    """How this person stands to this merchant at an instant; empty for a stranger. One statement."""
    return relations_of(user, standing(user, merchant.ref, at=at))


def relations_of(user: User, found: Standing | None) -> frozenset[Relation]:
    """The relations in what was read; somebody who may not sign in has none."""
    if found is not None and user.acts_as is not None:
        return frozenset({_R.ROUTINE})
    if found is None or not user.is_active:
        return frozenset()
    held = {Relation(found.member)} if found.member else set()
    if found.leads:
        held.add(_R.LEAD)
    if found.at_home or ResponsibilityRole.ACCOUNT_MANAGER in found.roles:
        held.add(_R.MANAGER)
    stood = frozenset(() if found.member else found.stands_in)
    if ResponsibilityRole.ACCOUNT_MANAGER in stood:
        held.add(_R.SUBSTITUTE)
    if (found.roles | stood) - {ResponsibilityRole.ACCOUNT_MANAGER}:
        held.add(_R.BACKUP)
    return frozenset(held)


def access_standing(*, actor: User, ref: str, verb: Verb, now: datetime) -> Standing:
    """`access_merchant` for a door that needs no more of the merchant than this; one statement."""
    found = standing(actor, ref, at=now)
    check(relations_of(actor, found), ref, verb)
    assert found is not None  # a merchant that is not there has no relations
    return found


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
    check(relations(actor, merchant, at=now), merchant.ref, verb)


def check(held: frozenset[Relation], ref: str, verb: Verb) -> None:
    """`require`, for relations that were read before."""
    if not held:
        raise _no_merchant(ref)
    if not held & MAY[verb]:
        raise Forbidden(_("您与这家商家的关系不允许这样做。"), hint=_("请商家本人或其客户经理来办。"))


def _no_merchant(ref: str) -> Missing:
    return Missing(
        _("没有找到商家“%(ref)s”。") % {"ref": ref[:64]},
        hint=_("请核对商家编号；只有商家成员和负责人能看到它。"),
    )
