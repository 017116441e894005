"""A link that works once, and for a week."""

from urllib.parse import urlsplit

import pytest
from django.test import Client

from guanjia.base.actors import SYSTEM
from guanjia.base.errors import BadInput
from guanjia.ledger.models import Event
from guanjia.people.actions import invite, renew_invitation
from guanjia.people.actions.invitations import UsernameTaken
from guanjia.people.links import welcome_token
from guanjia.people.models import User

PASSWORD = "quiet-celadon-river"
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def nan(db, noon):
    return invite(actor=SYSTEM, username="nan", name="小南", email="nan@example.com", now=noon)


def path_of(invitation):
    return urlsplit(invitation.url).path


def test_an_invited_person_chooses_a_password_and_is_in(nan, client):
    path = path_of(nan)
    assert not nan.user.has_usable_password()
    page = client.get(path, headers=ENGLISH).content.decode()
    assert "Your login name is nan" in page
    answer = client.post(path, {"password": PASSWORD, "again": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.session["_auth_user_id"] == str(nan.user.pk)
    assert User.objects.get(username="nan").check_password(PASSWORD)
    kinds = Event.objects.filter(subject=f"user:{nan.user.pk}").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["people.invited", "people.invitation_accepted"]


def test_the_link_works_once(nan, client):
    path = path_of(nan)
    client.post(path, {"password": PASSWORD, "again": PASSWORD})
    stranger = Client()
    assert stranger.get(path).status_code == 410
    assert (
        stranger.post(path, {"password": "another-long-one", "again": "another-long-one"}).status_code == 410
    )
    assert User.objects.get(username="nan").check_password(PASSWORD)


def test_the_link_ends_after_a_week(nan, client, settings):
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert client.get(path_of(nan)).status_code == 410


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("short", "short", "at least 10 characters"),
        ("1234567890123", "1234567890123", "entirely numeric"),
        ("password123", "password123", "too common"),
        (PASSWORD, PASSWORD + "x", "not the same"),
    ],
)
def test_a_weak_password_is_refused_and_nothing_changes(nan, client, unchanged, first, second, said):
    with unchanged():
        answer = client.post(path_of(nan), {"password": first, "again": second}, headers=ENGLISH)
    assert answer.status_code == 422
    assert said in answer.content.decode()


@pytest.mark.parametrize(
    "link",
    ["/welcome/MQ/x-y/", "/welcome/%FF/x/", "/welcome/LTE/a-b/", "/welcome/OTk5OTk5OTk5OTk5OTk5OTk5OTk5/a/"],
)
def test_a_wrong_link_is_told_calmly(db, client, link):
    assert client.get(link).status_code == 410


def test_somebody_elses_token_does_not_open_it(nan, cast, client):
    theirs = path_of(nan).split("/")
    theirs[3] = welcome_token.make_token(cast.mo)
    assert client.get("/".join(theirs)).status_code == 410


def test_a_username_is_given_once(nan, noon, unchanged):
    with unchanged(), pytest.raises(UsernameTaken):
        invite(actor=SYSTEM, username="nan", name="别人", now=noon)


@pytest.mark.parametrize(
    ("username", "name", "email", "path"),
    [("a b", "x", "", "/username"), ("ab", " ", "", "/name"), ("ab", "x", "not-mail", "/email")],
)
def test_what_cannot_be_a_person_is_refused_by_field(db, noon, unchanged, username, name, email, path):
    with unchanged(), pytest.raises(BadInput) as caught:
        invite(actor=SYSTEM, username=username, name=name, email=email, now=noon)
    assert [error.path for error in caught.value.errors] == [path]


def test_a_lost_password_is_replaced_by_a_new_link(nan, client, noon):
    client.post(path_of(nan), {"password": PASSWORD, "again": PASSWORD})
    again = renew_invitation(actor=SYSTEM, user=User.objects.get(pk=nan.user.pk), now=noon)
    client.post(path_of(again), {"password": "another-long-one", "again": "another-long-one"})
    assert User.objects.get(username="nan").check_password("another-long-one")
