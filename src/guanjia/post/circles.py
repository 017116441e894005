"""Circles of people: whom an event may concern. Each is a function of the fact."""

from __future__ import annotations

from guanjia.merchants.models import MemberRole
from guanjia.post.facts import Circle, Fact


def merchant_people(fact: Fact) -> set[int]:
    """Those of the merchant who take part; who only reads is not written to."""
    return fact.batch.members(fact.merchant, MemberRole.OWNER, MemberRole.STAFF, MemberRole.FINANCE)


def merchant_deciders(fact: Fact) -> set[int]:
    """Those of the merchant who may say yes to a price."""
    return fact.batch.members(fact.merchant, MemberRole.OWNER, MemberRole.FINANCE)


def desk(fact: Fact) -> set[int]:
    """Who is answerable for the case, has spoken on it, or follows it. Whom the word itself names is told
    of that instead."""
    return fact.batch.around(fact.case) - fact.batch.mentioned(fact.message) if fact.case else set()


def holders(fact: Fact) -> set[int]:
    """Whose case it is: the person, or all of a team."""
    return fact.batch.holders(fact.case) if fact.case else set()


def answerable(fact: Fact) -> set[int]:
    return {fact.case.answerable.pk} if fact.case else set()


def leads(fact: Fact) -> set[int]:
    return fact.batch.leads


def line_people(fact: Fact) -> set[int]:
    return fact.batch.line_people(fact.slugs)


def deciding(fact: Fact) -> set[int]:
    """The people of the lines that have begun to decide in this event."""
    asked = {move["line"] for move in fact.payload.get("items", ()) if move["after"] == "pending_decision"}
    return fact.batch.line_people(asked)


def mandated(fact: Fact) -> set[int]:
    return fact.batch.mandated(fact.payload.get("mandate"))


def named(*members: str) -> Circle:
    """The people whom the payload names in these members, one or many."""

    def found(fact: Fact) -> set[int]:
        given = [fact.payload.get(member) for member in members]
        flat = [one for value in given for one in (value if isinstance(value, list) else [value])]
        return {one for one in flat if isinstance(one, int) and not isinstance(one, bool)}

    return found


def all_of(*circles: Circle) -> Circle:
    return lambda fact: set().union(*(circle(fact) for circle in circles))
