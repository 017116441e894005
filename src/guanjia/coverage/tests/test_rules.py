"""The whole table of rights, cell by cell, against a table written down here a second time."""

from datetime import timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from guanjia.base.actors import Actor
from guanjia.base.errors import Forbidden, Missing
from guanjia.coverage.models import Responsibility, ResponsibilityRole
from guanjia.coverage.rules import MAY, Relation, Verb, access_merchant, relations
from guanjia.demo.cast import make_user
from guanjia.merchants.models import Member, MemberRole
from guanjia.people.models import Absence, Pool, Team, User

AM, BACKUP = ResponsibilityRole.ACCOUNT_MANAGER, ResponsibilityRole.BACKUP

# One letter per verb that a relation allows; see LETTERS.
LETTERS = {
    "s": Verb.SEE,
    "o": Verb.OPEN_CASE,
    "p": Verb.SPEAK,
    "n": Verb.NOTE,
    "c": Verb.COMPOSE,
    "a": Verb.ACCEPT,
    "x": Verb.CANCEL,
    "d": Verb.SOLVE,
    "e": Verb.PEOPLE,
    "h": Verb.SETTLE_BY_HAND,
}
RIGHTS = {
    Relation.OWNER: "sopcaxde",
    Relation.STAFF: "sopcxd",
    Relation.FINANCE: "spa",
    Relation.VIEWER: "s",
    Relation.MANAGER: "sopncxdh",
    Relation.BACKUP: "sopncd",
    Relation.SUBSTITUTE: "sopncxdh",
    Relation.LEAD: "snh",
    Relation.ROUTINE: "spnd",
}


def test_every_verb_has_a_letter_and_every_relation_a_line():
    assert set(LETTERS.values()) == set(Verb) == set(MAY)
    assert set(RIGHTS) == set(Relation)


@pytest.fixture
def people(cast, noon):
    """One person for each relation to Mira's merchant, and nothing but that relation."""
    backup = make_user("bo", "Bo")
    hold(cast.mira_shop, noon, role=BACKUP, person=backup)
    stand_in = make_user("sue", "Sue")
    week = DateTimeTZRange(noon, noon + timedelta(days=7))
    by = {"set_by": cast.wei, "set_at": noon, "during": week}
    Absence.objects.create(user=cast.lin, substitute=stand_in, **by)
    routine = make_user("routine", "routine")
    routine.acts_as = Actor("routine", "1")
    hands = {role: make_user(role, role) for role in MemberRole if role != MemberRole.OWNER}
    for role, user in hands.items():
        Member.objects.create(merchant=cast.mira_shop, user=user, role=role)
    return {
        Relation.OWNER: cast.mira,
        **{Relation(role): user for role, user in hands.items()},
        Relation.MANAGER: cast.lin,
        Relation.BACKUP: backup,
        Relation.SUBSTITUTE: stand_in,
        Relation.LEAD: cast.wei,
        Relation.ROUTINE: routine,
    }


def hold(merchant, since, until=None, role=AM, **holder):
    return Responsibility.objects.create(
        merchant=merchant, role=role, during=(since, until), reason="x", **holder
    )


@pytest.mark.parametrize("letter", LETTERS)
@pytest.mark.parametrize("relation", Relation)
def test_a_relation_allows_what_its_line_says_and_no_more(cast, noon, people, relation, letter):
    ask = {"actor": people[relation], "ref": "M-1042", "verb": LETTERS[letter], "now": noon}
    if letter in RIGHTS[relation]:
        assert access_merchant(**ask) == cast.mira_shop
    else:
        with pytest.raises(Forbidden):
            access_merchant(**ask)


@pytest.mark.parametrize("verb", Verb)
def test_for_a_stranger_a_merchant_does_not_exist(cast, noon, verb):
    for stranger in (cast.mo, cast.otto, cast.yan):
        with pytest.raises(Missing) as theirs:
            access_merchant(actor=stranger, ref="M-1042", verb=verb, now=noon)
        with pytest.raises(Missing) as nobodys:
            access_merchant(actor=stranger, ref="M-0000", verb=verb, now=noon)
        assert theirs.value.message.replace("M-1042", "M-0000") == nobodys.value.message


def test_each_relation_is_what_it_is_called(cast, noon, people):
    for relation, person in people.items():
        assert relations(person, cast.mira_shop, at=noon) == {relation}


def test_an_inactive_person_has_no_relation(cast, noon):
    cast.mira.is_active = False
    assert relations(cast.mira, cast.mira_shop, at=noon) == set()


def test_a_relation_ends_with_the_responsibility(cast, noon):
    Responsibility.objects.filter(person=cast.lin).update(during=(noon, noon + timedelta(hours=1)))
    at = [relations(cast.lin, cast.mira_shop, at=noon + timedelta(hours=hours)) for hours in (0, 1)]
    assert at == [{Relation.MANAGER}, set()]


@pytest.mark.parametrize("kind", [Team, Pool])
def test_whoever_works_in_or_leads_the_accountable_group_is_a_manager(cast, noon, kind):
    member, lead = make_user("a", "A"), make_user("b", "B")
    group = kind.objects.create(code="giants", name="专班", lead=lead)
    group.members.add(member)
    for person in (member, lead):
        assert relations(person, cast.mo_shop, at=noon) == set()
    hold(cast.mo_shop, noon, **{kind.__name__.lower(): group})
    for person in (member, lead):
        assert relations(person, cast.mo_shop, at=noon) == {Relation.MANAGER}


def test_the_home_pool_manages_only_where_nobody_else_does(cast, noon):
    member = make_user("a", "A")
    cast.pool.members.add(member)
    assert relations(member, cast.mo_shop, at=noon) == {Relation.MANAGER}
    assert relations(member, cast.mira_shop, at=noon) == set()
    assert relations(cast.wei, cast.mo_shop, at=noon) == {Relation.MANAGER, Relation.LEAD}


def test_one_person_may_stand_in_several_relations(cast, noon):
    hold(cast.mira_shop, noon, role=BACKUP, person=cast.lin)
    hold(cast.mira_shop, noon, role=ResponsibilityRole.SPONSOR, person=cast.mira)
    assert relations(cast.lin, cast.mira_shop, at=noon) == {Relation.MANAGER, Relation.BACKUP}
    assert relations(cast.mira, cast.mira_shop, at=noon) == {Relation.OWNER, Relation.BACKUP}


def test_relations_take_one_statement_and_access_one_more(cast, noon, people, django_assert_num_queries):
    for relation, person in people.items():
        with django_assert_num_queries(1):
            assert relations(person, cast.mira_shop, at=noon) == {relation}
        with django_assert_num_queries(2):
            access_merchant(actor=person, ref="M-1042", verb=Verb.SEE, now=noon)


def test_where_the_manager_is_gone_the_home_pool_manages(cast, noon):
    member = make_user("a", "A")
    cast.pool.members.add(member)
    User.objects.filter(pk=cast.lin.pk).update(is_active=False)
    assert relations(member, cast.mira_shop, at=noon) == {Relation.MANAGER}
