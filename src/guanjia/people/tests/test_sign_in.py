"""The door itself: passwords, the lock, where it leads, and that it asks no more of ordinary pages."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.cache import cache

from guanjia.base.sql import rows
from guanjia.ledger.models import Event
from guanjia.people.actions import sign_in
from guanjia.people.models import WrongTries

PASSWORD = "quiet-celadon-river"
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def mira(cast):
    cast.mira.set_password(PASSWORD)
    cast.mira.save()
    return cast.mira


def enter(client, username="mira", password=PASSWORD, **more):
    return client.post("/sign-in", {"login": username, "password": password, **more}, headers=ENGLISH)


def who(client):
    return client.session.get("_auth_user_id")


def test_the_right_password_opens_and_renews_the_session(mira, client):
    client.get("/sign-in")
    client.session["x"] = 1
    before = client.session.session_key
    answer = enter(client)
    assert answer.status_code == 302
    assert answer["Location"] == "/"
    assert who(client) == str(mira.pk)
    assert client.session.session_key != before
    assert WrongTries.objects.count() == 0


@pytest.mark.parametrize("username", ["mira", "nobody"])
def test_a_wrong_password_says_the_same_whether_the_person_exists(mira, client, username):
    answer = enter(client, username, "wrong-password-1")
    assert answer.status_code == 200
    assert "The login name or password is wrong." in answer.content.decode()
    assert f'value="{username}"' in answer.content.decode()
    assert "wrong-password-1" not in answer.content.decode()
    assert who(client) is None


@pytest.mark.parametrize("username", ["mira", "nobody"])
def test_after_five_wrong_tries_the_name_is_locked_and_says_until_when(mira, client, username):
    for _ in range(5):
        enter(client, username, "wrong-password-1")
    answer = enter(client, username)
    assert "You can try again in 15 minutes." in answer.content.decode()
    assert who(client) is None
    known = mira.pk if username == "mira" else None
    assert [one.payload for one in Event.objects.filter(kind="people.sign_in_locked")] == [{"user": known}]


def test_the_lock_ends_by_itself_and_a_right_password_forgets(mira, noon):
    for _ in range(5):
        sign_in.begin_try(username="mira", now=noon)
    later = noon + timedelta(minutes=14, seconds=1)
    with pytest.raises(sign_in.LockedOut, match="1 分钟后"):
        sign_in.begin_try(username="MIRA", now=later)
    sign_in.begin_try(username="mira", now=noon + timedelta(minutes=15))
    sign_in.forget_tries(username="mira")
    assert WrongTries.objects.count() == 0


def test_a_locked_name_does_not_lock_another(mira, cast, client):
    for _ in range(6):
        enter(client, "mo", "wrong-password-1")
    enter(client)
    assert who(client) == str(mira.pk)


def test_somebody_who_left_is_told_nothing_more(mira, client):
    mira.is_active = False
    mira.save()
    answer = enter(client)
    assert who(client) is None
    assert answer.status_code in (200, 302)


@pytest.mark.parametrize(
    ("onward", "leads"),
    [
        ("/account/", "/account/"),
        ("https://elsewhere.example/", "/"),
        ("//elsewhere.example/", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_it_leads_on_inside_the_house_only(mira, client, onward, leads):
    assert enter(client, next=onward)["Location"] == leads


def test_a_stranger_is_sent_to_sign_in_and_back(mira, client):
    assert client.get("/account/")["Location"] == "/sign-in?next=/account/"
    assert 'name="next" value="/account/"' in client.get("/sign-in?next=/account/").content.decode()


def test_there_is_no_sign_up(mira, client):
    assert client.get("/sign-in/new")["Location"] == "/sign-in"
    assert client.post("/sign-in/new", {"username": "eve", "password1": PASSWORD}).status_code == 302
    assert not type(mira).objects.filter(username="eve").exists()


def test_signing_out_ends_the_session(mira, client):
    enter(client)
    key = client.session.session_key
    assert client.get("/sign-out", headers=ENGLISH).status_code == 200
    assert client.post("/sign-out")["Location"] == "/"
    assert not Session.objects.filter(session_key=key).exists()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_person_s_language_holds_after_signing_in(mira, client, language):
    mira.language = language
    mira.save()
    enter(client)
    assert client.cookies["django_language"].value == language


def test_a_language_chosen_in_this_browser_stays(mira, client):
    client.post("/language", {"language": "en", "next": "/"})
    enter(client)
    assert client.cookies["django_language"].value == "en"


def test_each_session_is_listed(mira, client):
    enter(client)
    assert UserSession.objects.get(user=mira).session_key == client.session.session_key


@pytest.mark.parametrize("library", [True, False])
def test_the_library_adds_no_statement_to_an_ordinary_page(
    mira, client, settings, library, django_assert_num_queries
):
    if not library:
        settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if not one.startswith("allauth.")]
    with django_assert_num_queries(0):
        client.get("/healthz")
    client.force_login(mira)
    with django_assert_num_queries(3):  # session, person, the doors they have
        client.get("/healthz/x/account")
        assert client.get("/account/person").status_code == 405
        assert client.get("/account/tokens/1/revoke").status_code == 405


def test_cached_values_are_shared_by_all_processes(db):
    cache.set("a", 1, 60)
    assert rows("SELECT count(*) FROM people_short_lived") == [(1,)]
