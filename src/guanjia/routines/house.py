"""Who a routine works as: the house's own hand, a person's row that nobody can sign in with.

An action asks this person for a right as it asks anybody (`Relation.ROUTINE` in `coverage.rules`), and what
it writes to the event log names the routine.
"""

from __future__ import annotations

from guanjia.base.actors import Actor
from guanjia.people.models import User

USERNAME = "guanjia.routines"


def hand_of(routine: int) -> User:
    """The house's hand, at work for this routine."""
    hand, _new = User.objects.get_or_create(
        username=USERNAME, defaults={"name": "自动规则", "is_active": False, "password": "!"}
    )
    hand.acts_as = Actor("routine", str(routine))
    return hand
