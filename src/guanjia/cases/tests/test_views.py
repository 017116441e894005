from datetime import datetime

import pytest
from django.utils import timezone

from guanjia.base.actors import SYSTEM
from guanjia.cases.models import Case
from guanjia.demo.cast import make_cast
from guanjia.people.actions import issue_token


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def cast(db, now):
    return make_cast(now)


@pytest.fixture
def post(client, now):
    tokens = {}

    def send(user, path, body, **headers):
        if user not in tokens:
            tokens[user] = issue_token(actor=SYSTEM, user=user, label="test", now=now)
        headers = {"Authorization": f"Bearer {tokens[user]}", "Accept-Language": "en", **headers}
        return client.post(path, body, content_type="application/json", headers=headers)

    return send


def test_a_need_is_answered_with_its_number_owner_and_clock(cast, post):
    answer = post(cast.mira, "/api/cases", {"merchant": "M-1042", "need": "a banner"})
    assert answer.status_code == 201
    case = answer.json()
    assert {
        name: case[name] for name in ("merchant", "title", "state", "state_text", "owner_kind", "owner")
    } == {
        "merchant": "M-1042",
        "title": "a banner",
        "state": "open",
        "state_text": "In progress",
        "owner_kind": "person",
        "owner": "林晓 Lin",
    }
    assert [(clock["kind"], clock["text"]) for clock in case["clocks"]] == [
        ("first_answer", "First answer"),
        ("resolution", "Resolution"),
    ]
    assert Case.objects.get().number == case["number"]


def test_taking_in_takes_five_statements_of_which_one_writes(cast, post, django_assert_num_queries):
    body, key = {"merchant": "M-1042", "need": "a banner"}, {"Idempotency-Key": "one"}
    post(cast.mira, "/api/cases", {})  # issues the token
    with django_assert_num_queries(5):  # token, standing, numbers, everything, and the answer
        post(cast.mira, "/api/cases", body, **key)


def test_a_repeat_is_answered_the_same_and_says_so(cast, post):
    body, key = {"merchant": "M-1042", "need": "a banner"}, {"Idempotency-Key": "one"}
    first, second = (post(cast.mira, "/api/cases", body, **key) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"


def test_a_message_is_taken(cast, post):
    number = post(cast.mira, "/api/cases", {"merchant": "M-1042", "need": "a banner"}).json()["number"]
    answer = post(cast.mira, f"/api/cases/{number}/messages", {"body": "and boxes"})
    assert answer.status_code == 201
    assert (answer.json()["case"], answer.json()["internal"]) == (number, False)


@pytest.mark.parametrize(
    ("who", "path", "body", "status", "code"),
    [
        ("mira", "/api/cases", {"merchant": "M-9", "need": "x"}, 404, "not_found"),
        ("mo", "/api/cases", {"merchant": "M-1042", "need": "x"}, 404, "not_found"),
        ("wei", "/api/cases", {"merchant": "M-1042", "need": "x"}, 403, "forbidden"),
        ("mira", "/api/cases", {"merchant": "M-1042", "need": "y" * 999_999}, 422, "bad_input"),
        ("mira", "/api/cases", {"merchant": "M-1042"}, 422, "bad_input"),
        ("mira", "/api/cases", {"merchant": 1042, "need": "x"}, 422, "bad_input"),
        ("mira", "/api/cases/GJ-2026-999999/messages", {"body": "x"}, 404, "not_found"),
        ("mira", "/api/cases/GJ-2026-999999/messages", {"body": "x", "internal": "yes"}, 422, "bad_input"),
    ],
)
def test_what_cannot_be_done_is_a_problem_and_changes_nothing(
    cast, post, unchanged, who, path, body, status, code
):
    user = getattr(cast, who)
    post(user, "/api/cases", {})  # issues the token
    with unchanged():
        answer = post(user, path, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
