"""Whose replies are read first: the lead's page."""

import pytest

from guanjia.cases.models import Apprentice
from guanjia.people.models import Team


@pytest.fixture
def wei(cast, client):
    client.force_login(cast.wei)
    return client


def test_a_lead_says_who_is_read_and_ends_it(cast, wei):
    answer = wei.post("/lead/apprentices/", {"user": "lin", "approver": "wei"})
    assert answer.status_code == 303
    one = Apprentice.objects.get()
    assert (one.user, one.team, one.approver, one.set_by) == (cast.lin, None, cast.wei, cast.wei)
    assert "林晓 Lin" in wei.get("/lead/apprentices/").content.decode()
    assert wei.post(f"/lead/apprentices/{one.pk}/end").status_code == 303
    assert not Apprentice.objects.exists()
    assert wei.post(f"/lead/apprentices/{one.pk}/end").status_code == 404


def test_a_team_is_chosen(cast, wei):
    team = Team.objects.create(code="mall", name="万合专班", lead=cast.wei)
    wei.post("/lead/apprentices/", {"team": "mall", "approver": "lin"})
    assert Apprentice.objects.get().team == team


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"user": "lin", "approver": "lin"}, 422),
        ({"user": "lin", "team": "mall", "approver": "wei"}, 422),
        ({"approver": "wei"}, 422),
        ({"user": "nobody", "approver": "wei"}, 422),
        ({"team": "nowhere", "approver": "wei"}, 422),
        ({"user": "lin", "approver": ""}, 422),
    ],
)
def test_what_does_not_fit_stays_in_the_form(cast, wei, unchanged, form, status):
    Team.objects.create(code="mall", name="万合专班", lead=cast.wei)
    wei.get("/lead/apprentices/")
    with unchanged():
        answer = wei.post("/lead/apprentices/", form)
    assert answer.status_code == status
    assert f'value="{form.get("user", "")}"' in answer.content.decode()


@pytest.mark.parametrize("who", ["lin", "mira", "yan"])
def test_nobody_else_sees_it(cast, client, unchanged, who):
    client.force_login(getattr(cast, who))
    with unchanged():
        assert client.get("/lead/apprentices/").status_code == 403
        assert client.post("/lead/apprentices/", {"user": "lin", "approver": "wei"}).status_code == 403


def test_it_costs_the_same_with_one_and_three(cast, wei, django_assert_num_queries, noon):
    about = {"approver": cast.wei, "set_by": cast.wei, "since": noon}
    for number in (1, 3):
        for user in (cast.lin, cast.otto, cast.yan)[:number]:
            Apprentice.objects.get_or_create(user=user, team=None, defaults=about)
        with django_assert_num_queries(COST):
            wei.get("/lead/apprentices/")


COST = 7
