from datetime import timedelta

import pytest
from django.utils import translation

from guanjia.base.actors import SYSTEM, Actor
from guanjia.base.errors import BadInput, Forbidden, Missing
from guanjia.coverage.actions import (
    EndedAlready,
    PastIsKept,
    PlannedAlready,
    assign,
    end_responsibility,
    ensure_default_pool,
)
from guanjia.coverage.models import Responsibility, ResponsibilityRole
from guanjia.coverage.queries import accountable_for
from guanjia.demo.cast import make_user
from guanjia.ledger.models import Event
from guanjia.people.actors import actor_of
from guanjia.people.models import Pool, Role, RoleGrant, Team, User

AM, BACKUP = ResponsibilityRole.ACCOUNT_MANAGER, ResponsibilityRole.BACKUP
HOUR = timedelta(hours=1)


@pytest.fixture
def later(noon):
    return noon + HOUR


@pytest.fixture
def nan(cast):
    return make_user("nan", "南星 Nan")


def given(cast, holder, now, **more):
    values = {"actor": actor_of(cast.wei), "merchant": cast.mira_shop, "role": AM, "reason": "轮岗"}
    return assign(**{**values, "holder": holder, "now": now, **more})


def history(merchant):
    """(holder, from, to) of the account managers, in order."""
    held = Responsibility.objects.filter(merchant=merchant, role=AM).order_by("during")
    return [(one.holder, one.during.lower, one.during.upper) for one in held]


def test_a_handover_ends_one_and_begins_the_other_at_the_same_instant(cast, noon, later, nan):
    before = Responsibility.objects.get(merchant=cast.mira_shop)
    made = given(cast, nan, later)
    assert history(cast.mira_shop) == [(cast.lin, noon, later), (nan, later, None)]
    assert (made.reason, made.granted_by) == ("轮岗", cast.wei)
    event = Event.objects.latest("id")
    assert (event.kind, event.actor, event.merchant_id) == (
        "coverage.assigned",
        f"user:{cast.wei.pk}",
        cast.mira_shop.pk,
    )
    assert event.payload == {
        "responsibility": made.pk,
        "role": "account_manager",
        "holder": f"person:{nan.pk}",
        "since": later.isoformat(),
        "closed": before.pk,
    }


def test_a_handover_may_be_planned(cast, noon, later, nan):
    given(cast, nan, noon, from_=later)
    just_before = later - timedelta(microseconds=1)
    assert accountable_for(cast.mira_shop, at=just_before).person == cast.lin
    assert accountable_for(cast.mira_shop, at=later).person == nan


@pytest.mark.parametrize("kind", [Team, Pool])
def test_a_team_or_a_pool_may_take_over_and_its_lead_answers(cast, later, kind):
    group = kind.objects.create(code="giants", name="专班", lead=cast.yan)
    given(cast, group, later)
    found = accountable_for(cast.mira_shop, at=later)
    assert {found.person, found.team, found.pool} == {None, group}
    assert found.answerable == cast.yan


def test_who_holds_it_already_keeps_it(cast, later, unchanged):
    with unchanged():
        kept = given(cast, cast.lin, later)
    assert kept.holder == cast.lin


def test_other_roles_stand_beside_each_other(cast, later, nan, unchanged):
    given(cast, nan, later, role=BACKUP)
    given(cast, cast.yan, later, role=BACKUP)
    assert Responsibility.objects.filter(merchant=cast.mira_shop, role=BACKUP).count() == 2
    assert accountable_for(cast.mira_shop, at=later).person == cast.lin
    with unchanged():
        given(cast, nan, later, role=BACKUP)


def test_a_plan_in_the_way_is_named(cast, noon, later, nan, unchanged):
    given(cast, nan, noon, from_=later)
    with translation.override("zh-hans"), unchanged(), pytest.raises(PlannedAlready, match="11月10日 13:00"):
        given(cast, cast.yan, noon, from_=noon + HOUR / 2)


def test_the_past_is_not_rewritten(cast, noon, later, nan, unchanged):
    with unchanged(), pytest.raises(PastIsKept):
        given(cast, nan, later, from_=noon + HOUR / 2)


def test_where_nobody_was_named_the_beginning_may_lie_in_the_past(cast, noon, nan):
    given(cast, nan, noon, merchant=cast.mo_shop, from_=noon - HOUR)
    assert history(cast.mo_shop) == [(nan, noon - HOUR, None)]


def test_a_reason_is_needed(cast, later, nan, unchanged):
    with unchanged(), pytest.raises(BadInput):
        given(cast, nan, later, reason=" ")


@pytest.mark.parametrize("who", ["lin", "mira", "otto", "yan"])
def test_only_a_service_lead_hands_over(cast, later, nan, unchanged, who):
    actor = actor_of(getattr(cast, who))
    [held] = Responsibility.objects.filter(merchant=cast.mira_shop)
    with unchanged(), pytest.raises(Forbidden):
        given(cast, nan, later, actor=actor)
    with unchanged(), pytest.raises(Forbidden):
        end_responsibility(actor=actor, responsibility=held.pk, now=later)


def test_the_house_itself_may_and_then_nobody_granted_it(cast, later, nan):
    assert given(cast, nan, later, actor=Actor("cli", "operator")).granted_by is None


def test_when_a_responsibility_ends_the_home_pool_answers(cast, noon, later, unchanged):
    [held] = Responsibility.objects.filter(merchant=cast.mira_shop)
    end_responsibility(actor=actor_of(cast.wei), responsibility=held.pk, now=later)
    assert history(cast.mira_shop) == [(cast.lin, noon, later)]
    assert accountable_for(cast.mira_shop, at=later).pool == cast.pool
    event = Event.objects.latest("id")
    assert (event.kind, event.payload) == (
        "coverage.ended",
        {"responsibility": held.pk, "role": "account_manager", "at": later.isoformat()},
    )
    with unchanged(), pytest.raises(EndedAlready):
        end_responsibility(actor=actor_of(cast.wei), responsibility=held.pk, now=later)


def test_a_plan_that_never_began_is_withdrawn(cast, noon, later, nan):
    planned = given(cast, nan, noon, from_=later)
    end_responsibility(actor=actor_of(cast.wei), responsibility=planned.pk, now=noon)
    assert history(cast.mira_shop) == [(cast.lin, noon, later)]
    event = Event.objects.latest("id")
    assert (event.kind, event.payload["holder"]) == ("coverage.withdrawn", f"person:{nan.pk}")


def test_an_unknown_responsibility_cannot_be_ended(cast, noon, unchanged):
    with unchanged(), pytest.raises(Missing):
        end_responsibility(actor=SYSTEM, responsibility=0, now=noon)


def test_the_default_pool_is_led_by_the_service_lead(cast, noon, unchanged):
    pool = ensure_default_pool(now=noon)
    assert (pool.code, pool.lead) == ("commons", cast.wei)
    assert Event.objects.latest("id").payload == {"pool": pool.pk, "code": "commons", "lead": cast.wei.pk}
    with unchanged():
        assert ensure_default_pool(now=noon) == pool


def test_without_a_service_lead_an_account_without_password_is_made(db, noon):
    lead = ensure_default_pool(now=noon).lead
    assert (lead.username, lead.has_usable_password()) == ("service-lead", False)
    assert RoleGrant.objects.get(user=lead).role == Role.SERVICE_LEAD
    assert list(User.objects.all()) == [lead]
