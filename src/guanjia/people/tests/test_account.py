"""My account: each part of it, and that it costs the same however much there is."""

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client

from guanjia.people.actions import issue_token
from guanjia.people.actors import actor_of
from guanjia.people.models import ApiToken, User

PASSWORD = "quiet-celadon-river"
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def mira(cast):
    cast.mira.set_password(PASSWORD)
    cast.mira.save()
    return cast.mira


@pytest.fixture
def inside(mira, client):
    client.post("/sign-in", {"login": "mira", "password": PASSWORD})
    return client


def test_name_and_language_are_kept_here_and_in_the_browser(inside, mira):
    answer = inside.post("/account/person", {"name": "米拉", "language": "en"})
    assert (answer.status_code, answer["Location"]) == (303, "/account/")
    mira.refresh_from_db()
    assert (mira.name, mira.language) == ("米拉", "en")
    assert "Name and language are saved." in inside.get("/account/").content.decode()


@pytest.mark.parametrize("given", [{"name": " ", "language": "en"}, {"name": "米拉", "language": "fr"}])
def test_what_cannot_be_is_refused_and_nothing_changes(inside, unchanged, given):
    with unchanged():
        assert inside.post("/account/person", given).status_code == 422


def test_a_new_password_signs_out_everywhere_else(inside, mira):
    other = Client()
    other.force_login(User.objects.get(pk=mira.pk))
    given = {"current": PASSWORD, "password": "another-long-one", "again": "another-long-one"}
    assert inside.post("/account/password", given).status_code == 303
    assert inside.get("/account/").status_code == 200
    assert other.get("/account/").status_code == 302
    assert User.objects.get(pk=mira.pk).check_password("another-long-one")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"current": "x", "password": "another-long-one", "again": "another-long-one"}, "was not changed"),
        ({"current": PASSWORD, "password": "another-long-one", "again": "other"}, "not the same"),
        ({"current": PASSWORD, "password": "0123456789012", "again": "0123456789012"}, "entirely numeric"),
    ],
)
def test_a_password_that_will_not_do_changes_nothing(inside, mira, given, said):
    inside.post("/language", {"language": "en", "next": "/"})
    answer = inside.post("/account/password", given)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert User.objects.get(pk=mira.pk).check_password(PASSWORD)


def test_somebody_at_an_open_screen_cannot_guess_for_long(inside, mira):
    wrong = {"current": "x", "password": "another-long-one", "again": "another-long-one"}
    for _ in range(5):
        inside.post("/account/password", wrong)
    right = {**wrong, "current": PASSWORD}
    assert inside.post("/account/password", right).status_code == 422
    assert User.objects.get(pk=mira.pk).check_password(PASSWORD)


def test_one_session_or_all_others_can_be_ended(inside, mira):
    others = [Client(), Client()]
    for one in others:
        one.post("/sign-in", {"login": "mira", "password": PASSWORD})
    first = UserSession.objects.get(session_key=others[0].session.session_key)
    inside.post("/account/sessions", {"session": first.pk})
    assert [one.get("/account/").status_code for one in (*others, inside)] == [302, 200, 200]
    inside.post("/account/sessions")
    assert [one.get("/account/").status_code for one in (*others, inside)] == [302, 302, 200]


def test_nobody_ends_somebody_elses_session(inside, cast):
    cast.mo.set_password(PASSWORD)
    cast.mo.save()
    mo = Client()
    mo.post("/sign-in", {"login": "mo", "password": PASSWORD})
    inside.post("/account/sessions", {"session": UserSession.objects.get(user=cast.mo).pk})
    inside.post("/account/sessions", {"session": "x"})
    assert mo.get("/account/").status_code == 200


def test_a_token_is_shown_once_works_and_can_be_revoked(inside, mira):
    answer = inside.post("/account/tokens", {"label": "ERP"})
    kept = ApiToken.objects.get(user=mira)
    [token] = [
        word
        for word in answer.content.decode().replace("<", " ").replace(">", " ").split()
        if word.startswith("gj_")
    ]
    assert token not in inside.get("/account/").content.decode()
    api = Client(headers={"Authorization": f"Bearer {token}"})
    assert api.get("/api/v1/cases").status_code != 401
    inside.post(f"/account/tokens/{kept.pk}/revoke")
    assert not ApiToken.objects.filter(pk=kept.pk).exists()


def test_a_token_needs_a_purpose_and_is_only_its_owners(inside, cast, noon, unchanged):
    issue_token(actor=actor_of(cast.mo), user=cast.mo, label="x", now=noon)
    theirs = ApiToken.objects.get(user=cast.mo)
    with unchanged():
        assert inside.post("/account/tokens", {"label": " "}).status_code == 422
        assert inside.post(f"/account/tokens/{theirs.pk}/revoke").status_code == 404


def test_it_costs_the_same_however_much_there_is(inside, mira, noon, django_assert_num_queries):
    counts = []
    for more in (1, 3):
        for _ in range(more):
            issue_token(actor=actor_of(mira), user=mira, label="x", now=noon)
            Client().post("/sign-in", {"login": "mira", "password": PASSWORD})
        with django_assert_num_queries(7):
            answer = inside.get("/account/")
        counts.append(answer.content.decode().count("revoke"))
    assert answer.status_code == 200


def test_reading_and_writing_are_told_apart(inside):
    assert inside.get("/account/person").status_code == 405
    assert inside.post("/account/").status_code == 405
