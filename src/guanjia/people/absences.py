"""Who stands in for whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from guanjia.people.models import Absence, User

LISTED_MOST = 100


def away(people: Iterable[int], *, at: datetime) -> Mapping[int, int]:
    """Of these people (their ids) those who are away at this instant, with who stands in for each."""
    found = Absence.objects.filter(user__in=set(people), during__contains=at, substitute__is_active=True)
    return dict(found.values_list("user", "substitute"))


def stands_in_for(user: User, *, at: datetime) -> list[Absence]:
    """The absences in which this person stands in for somebody at this instant, by name."""
    found = Absence.objects.select_related("user").filter(substitute=user, during__contains=at)
    return list(found.order_by("user__name", "pk")[:LISTED_MOST])


def present(user: User, *, at: datetime) -> User:
    """This person, or while they are away whoever stands in for them."""
    found = Absence.objects.select_related("substitute").filter(user=user, during__contains=at).first()
    return found.substitute if found and found.substitute.is_active else user


def stood_in_for(user: User, owner: int | None, *, at: datetime) -> int | None:
    """The owner's id, if this person stands in for them at this instant."""
    if owner is None or owner == user.pk:
        return None
    stands = Absence.objects.filter(user=owner, substitute=user, during__contains=at).exists()
    return owner if stands else None


def absences(user: User | None, *, now: datetime) -> list[Absence]:
    """Those of one person, or of everybody, that are not over; the next first."""
    found = Absence.objects.select_related("user", "substitute").filter(during__endswith__gt=now)
    mine = found.filter(user=user) if user else found
    return list(mine.order_by("during", "pk")[:LISTED_MOST])
