"""Who stands in for somebody has their access for that time, to the second, and for no longer."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from guanjia.base.actors import SYSTEM
from guanjia.base.errors import BadInput, Forbidden, Missing
from guanjia.coverage.models import Responsibility, ResponsibilityRole
from guanjia.coverage.rules import MAY, Relation, Verb, relations
from guanjia.demo.cast import make_user
from guanjia.people.absences import absences, away, present, stands_in_for
from guanjia.people.actions import end_absence, grant_role, set_absence
from guanjia.people.actions.absence import AwayAlready
from guanjia.people.models import Absence, Role, Team

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def lea(cast, noon):
    lea = make_user("lea", "Lea")
    grant_role(actor=SYSTEM, user=lea, role=Role.ACCOUNT_MANAGER, now=noon)
    return lea


def leave(cast, lea, noon, **more):
    times = {"since": noon, "until": noon + 3 * DAY, "now": noon}
    return set_absence(**{"actor": cast.lin, "user": cast.lin, "substitute": lea, **times, **more})


def test_from_the_first_instant_to_the_last_and_not_beyond(cast, noon, lea):
    leave(cast, lea, noon, since=noon + DAY)
    shop = cast.mira_shop
    assert relations(lea, shop, at=noon + DAY - SECOND) == set()
    assert relations(lea, shop, at=noon + DAY) == {Relation.SUBSTITUTE}
    assert relations(lea, shop, at=noon + 3 * DAY - SECOND) == {Relation.SUBSTITUTE}
    assert relations(lea, shop, at=noon + 3 * DAY) == set()
    assert relations(cast.lin, shop, at=noon + DAY) == {Relation.MANAGER}
    assert relations(lea, cast.mo_shop, at=noon + DAY) == set()  # not Lin's


def test_what_a_team_or_the_home_pool_gives_is_stood_in_for_too(cast, noon, lea):
    set_absence(actor=cast.wei, user=cast.wei, substitute=lea, since=noon, until=noon + DAY, now=noon)
    assert relations(lea, cast.mo_shop, at=noon) == {Relation.SUBSTITUTE}  # Wei leads its home pool
    assert Relation.LEAD not in relations(lea, cast.mira_shop, at=noon)
    team = Team.objects.create(code="t", name="专班", lead=cast.yan)
    team.members.add(cast.wei)
    Responsibility.objects.create(
        merchant=cast.mira_shop, role=ResponsibilityRole.BACKUP, team=team, during=(noon, None), reason="x"
    )
    assert relations(lea, cast.mira_shop, at=noon) == {Relation.BACKUP}


def test_a_substitute_does_what_the_house_does_and_never_what_the_merchant_does():
    can = {verb for verb in Verb if Relation.SUBSTITUTE in MAY[verb]}
    manager = {verb for verb in Verb if Relation.MANAGER in MAY[verb]}
    assert can == manager
    assert not can & {Verb.ACCEPT, Verb.PEOPLE}


def test_reading_it_takes_one_statement(cast, noon, lea, django_assert_num_queries):
    leave(cast, lea, noon)
    with django_assert_num_queries(1):
        assert relations(lea, cast.mira_shop, at=noon) == {Relation.SUBSTITUTE}


def test_back_early_ends_it_at_once(cast, noon, lea):
    absence = leave(cast, lea, noon)
    end_absence(actor=cast.lin, absence=absence.pk, now=noon + DAY)
    assert relations(lea, cast.mira_shop, at=noon + DAY) == set()
    assert stands_in_for(lea, at=noon + DAY) == []
    absence.refresh_from_db()
    assert absence.during.upper == noon + DAY
    planned = leave(cast, lea, noon + DAY, since=noon + 2 * DAY, until=noon + 4 * DAY)
    end_absence(actor=cast.wei, absence=planned.pk, now=noon + DAY)
    assert not Absence.objects.filter(pk=planned.pk).exists()


def test_queries_say_who_is_away(cast, noon, lea):
    absence = leave(cast, lea, noon)
    assert away([cast.lin.pk, cast.wei.pk], at=noon) == {cast.lin.pk: lea.pk}
    assert present(cast.lin, at=noon) == lea
    assert present(cast.lin, at=noon + 3 * DAY) == cast.lin
    assert (
        stands_in_for(lea, at=noon) == absences(cast.lin, now=noon) == absences(None, now=noon) == [absence]
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"until": -DAY},
        {"until": timedelta(0)},
        {"until": 400 * DAY},
        {"since": 400 * DAY, "until": 401 * DAY},
        {"substitute": "lin"},
        {"substitute": "mira"},
        {"substitute": "otto"},
        {"user": "mira", "substitute": "lea", "actor": "mira"},
    ],
)
def test_what_is_refused_changes_nothing(cast, noon, lea, unchanged, wrong):
    people = {"lin": cast.lin, "mira": cast.mira, "otto": cast.otto, "lea": lea}
    given = {k: noon + v if isinstance(v, timedelta) else people[v] for k, v in wrong.items()}
    with unchanged(), pytest.raises(BadInput):
        leave(cast, lea, noon, **given)


def test_nobody_sends_another_away_but_the_lead(cast, noon, lea, unchanged):
    with unchanged(), pytest.raises(Forbidden):
        leave(cast, lea, noon, actor=lea)
    absence = leave(cast, lea, noon, actor=cast.wei)
    with unchanged(), pytest.raises(Missing):
        end_absence(actor=lea, absence=absence.pk, now=noon)
    with unchanged(), pytest.raises(Missing):
        end_absence(actor=cast.lin, absence=absence.pk, now=noon + 3 * DAY)


def test_who_is_away_stands_in_for_nobody(cast, noon, lea, unchanged):
    leave(cast, lea, noon)
    with unchanged():
        for user, substitute in ((lea, cast.wei), (cast.wei, cast.lin), (cast.lin, cast.wei)):
            with pytest.raises(AwayAlready, match="Lin"):
                leave(cast, lea, noon, actor=cast.wei, user=user, substitute=substitute)


def test_the_database_refuses_a_second_substitute_at_one_instant(cast, noon, lea):
    absence = leave(cast, lea, noon)
    twice = {"substitute": cast.wei, "set_by": cast.wei, "set_at": noon, "during": absence.during}
    with pytest.raises(IntegrityError), transaction.atomic():
        Absence.objects.create(user=cast.lin, **twice)
    endless = {**twice, "during": DateTimeTZRange(noon + 9 * DAY, None)}
    with pytest.raises(IntegrityError), transaction.atomic():
        Absence.objects.create(user=cast.lin, **endless)
