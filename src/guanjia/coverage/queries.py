"""Who answers for a merchant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from guanjia.coverage.models import Responsibility, ResponsibilityRole
from guanjia.coverage.standing import ANSWERS
from guanjia.merchants.models import Merchant
from guanjia.people.models import Pool, Team, User


@dataclass(frozen=True, slots=True)
class Accountable:
    """The one accountable account manager at an instant, and the one person to turn to."""

    person: User | None
    team: Team | None
    pool: Pool | None
    answerable: User


def accountable_for(merchant: Merchant, *, at: datetime) -> Accountable:
    """The accountable account manager: a responsibility that covers `at`, else the home pool."""
    held = (
        Responsibility.objects.select_related("person", "team__lead", "pool__lead")
        .filter(ANSWERS, merchant=merchant, role=ResponsibilityRole.ACCOUNT_MANAGER, during__contains=at)
        .first()
    )
    if held is None:
        return Accountable(None, None, merchant.home_pool, merchant.home_pool.lead)
    return Accountable(held.person, held.team, held.pool, held.answerable)
