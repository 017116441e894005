from datetime import timedelta

import pytest

from guanjia.coverage.models import Responsibility, ResponsibilityRole
from guanjia.coverage.queries import Accountable, accountable_for
from guanjia.coverage.standing import standing
from guanjia.people.models import Team, User

AM = ResponsibilityRole.ACCOUNT_MANAGER
TICK = timedelta(microseconds=1)


def hold(merchant, since, until=None, role=AM, **holder):
    return Responsibility.objects.create(
        merchant=merchant, role=role, during=(since, until), reason="x", **holder
    )


def test_without_a_responsibility_the_home_pool_answers_by_its_lead(cast, noon):
    assert accountable_for(cast.mo_shop, at=noon) == Accountable(None, None, cast.pool, cast.wei)


def test_a_responsibility_holds_from_its_first_instant_until_before_its_last(cast, noon):
    hold(cast.mo_shop, noon, noon + TICK, person=cast.lin)
    at = [accountable_for(cast.mo_shop, at=noon + n * TICK) for n in (-1, 0, 1)]
    assert [(one.person, one.pool) for one in at] == [(None, cast.pool), (cast.lin, None), (None, cast.pool)]


@pytest.mark.parametrize("role", [role for role in ResponsibilityRole if role != AM])
def test_no_other_role_is_accountable(cast, noon, role):
    hold(cast.mo_shop, noon, role=role, person=cast.lin)
    assert accountable_for(cast.mo_shop, at=noon).pool == cast.pool


def test_a_team_is_answered_for_by_its_lead(cast, noon):
    team = Team.objects.create(code="giants", name="专班", lead=cast.yan)
    hold(cast.mo_shop, noon, team=team)
    assert accountable_for(cast.mo_shop, at=noon) == Accountable(None, team, None, cast.yan)


def test_it_takes_one_query(cast, noon, django_assert_num_queries):
    team = Team.objects.create(code="giants", name="专班", lead=cast.yan)
    hold(cast.mo_shop, noon, team=team)
    with django_assert_num_queries(1):
        assert accountable_for(cast.mo_shop, at=noon).answerable == cast.yan


@pytest.mark.parametrize("kind", ["person", "team"])
def test_whoever_is_gone_is_not_named_and_the_home_pool_answers(cast, noon, kind):
    team = Team.objects.create(code="giants", name="专班", lead=cast.lin)
    hold(cast.mo_shop, noon, **{"person": {"person": cast.lin}, "team": {"team": team}}[kind])
    assert accountable_for(cast.mo_shop, at=noon).answerable == cast.lin
    User.objects.filter(pk=cast.lin.pk).update(is_active=False)
    assert accountable_for(cast.mo_shop, at=noon) == Accountable(None, None, cast.pool, cast.wei)
    found = standing(cast.mo, "M-2077", at=noon)
    assert found
    assert (found.person, found.team, found.pool) == (None, None, cast.pool.pk)
    assert (found.holder, found.answerable) == (cast.pool.name, cast.wei.pk)


def test_what_is_read_at_once_says_the_same(cast, noon):
    for shop, actor in ((cast.mira_shop, cast.lin), (cast.mo_shop, cast.mo)):
        named = accountable_for(shop, at=noon)
        found = standing(actor, shop.ref, at=noon)
        assert found
        assert (found.merchant, found.answerable) == (shop.pk, named.answerable.pk)
        assert (found.person, found.pool) == (
            named.person and named.person.pk,
            named.pool and named.pool.pk,
        )
    assert standing(cast.mo, "M-9", at=noon) is None
