import json
import logging
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from guanjia.base.actors import SYSTEM
from guanjia.base.errors import BadInput
from guanjia.base.http import MAX_BODY_BYTES
from guanjia.base.inputs import MAX_NESTING, Malformed, read_object
from guanjia.cases import actions
from guanjia.demo.cast import make_cast
from guanjia.people.actions import issue_token

DOOR = "/api/cases"
NEED = {"merchant": "M-1042", "need": "a banner"}


@pytest.fixture
def market(db):
    return make_cast(timezone.now())


@pytest.fixture
def token(market):
    return issue_token(actor=SYSTEM, user=market.mira, label="test", now=timezone.now())


@pytest.fixture
def post(client, token):
    def send(body, **headers):
        known = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
        return client.post(DOOR, body, content_type="application/json", headers=known | headers)

    return send


def problem_of(answer, status, code):
    """The problem object, after checking its RFC 9457 form."""
    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert problem["detail"]
    return problem


# --- who is there ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [None, "", "Bearer", "Bearer ", "Basic bWlyYTp4", "Bearer gj_wrong", "gj_wrong"]
)
def test_without_a_token_nothing_is_said(market, client, unchanged, value):
    headers = {"Accept-Language": "en"} | ({} if value is None else {"Authorization": value})
    with unchanged():
        answer = client.post(DOOR, NEED, content_type="application/json", headers=headers)
    problem = problem_of(answer, 401, "unauthenticated")
    assert problem["detail"] == "There is no valid access token."
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_an_expired_token_and_one_of_an_inactive_person_are_none(market, client, token):
    later = timezone.now() - timedelta(days=366)
    old = issue_token(actor=SYSTEM, user=market.mo, label="old", now=later)
    market.mira.is_active = False
    market.mira.save(update_fields=["is_active"])
    for one in (old, token):
        answer = client.post(
            DOOR, NEED, content_type="application/json", headers={"Authorization": f"Bearer {one}"}
        )
        problem_of(answer, 401, "unauthenticated")


def test_a_token_is_kept_as_its_digest_only(market, token):
    from guanjia.people.models import ApiToken

    kept = ApiToken.objects.get()
    assert token.startswith("gj_")
    assert token.encode() not in bytes(kept.digest)
    assert token not in str(vars(kept))


# --- what is asked --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"not json",
        b"{'a': 1}",
        b"\xff\xfe",
        b'{"merchant": NaN}',
        b'{"merchant": 1e999}',
        b'{"merchant": "a", "merchant": "b"}',
        b'{"need": "a\\u0000b"}',
        b'{"a\\u0000b": 1}',
        b'{"need": "\\ud83d"}',
        b'{"n":' * (MAX_NESTING + 1) + b"1" + b"}" * (MAX_NESTING + 1),
        b"[" * 100_000,
        b'{"n": ' + b"9" * 5_000 + b"}",
    ],
    ids=range(14),
)
def test_a_body_that_is_not_clean_json_is_malformed_in_both_languages(post, unchanged, body):
    texts = []
    for language in ("zh-Hans", "en"):
        with unchanged():
            answer = post(body, **{"Accept-Language": language})
        texts.append(problem_of(answer, 400, "malformed")["detail"])
    assert texts[0] != texts[1]


@pytest.mark.parametrize("body", [b"[]", b"1", b'"text"', b"null"])
def test_a_body_that_is_no_object_is_named(post, unchanged, body):
    with unchanged():
        problem = problem_of(post(body), 422, "bad_input")
    assert problem["errors"] == [{"field": "", "label": "request body", "message": "must be an object {…}"}]


def test_members_nobody_asks_for_are_ignored(post):
    assert post({**NEED, "colour": "red"}).status_code == 201


def test_a_body_beyond_one_mebibyte_is_refused_unread(post, unchanged):
    with unchanged():
        problem = problem_of(post(b" " * (MAX_BODY_BYTES + 1)), 413, "body_too_large")
    assert problem["hint"] == "At most 1024 KB."


def test_a_million_characters_are_refused_whatever_they_weigh(post, unchanged):
    with unchanged():
        problem_of(post({**NEED, "need": "y" * 1_000_000}), 422, "bad_input")
        problem_of(post({**NEED, "need": "长" * 1_000_000}), 413, "body_too_large")


@pytest.mark.parametrize("key", ["", "k" * 201, "ключ", "a\tb"])
def test_an_idempotency_key_that_cannot_be_kept_is_refused(post, unchanged, key):
    with unchanged():
        problem_of(post(NEED, **{"Idempotency-Key": key}), 422, "bad_input")


def test_a_key_that_was_used_for_something_else_is_refused(post, unchanged):
    post(NEED, **{"Idempotency-Key": "one"})
    with unchanged():
        problem_of(
            post({**NEED, "need": "else"}, **{"Idempotency-Key": "one"}), 422, "idempotency_key_reused"
        )


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "options"])
def test_another_method_is_named(client, method):
    answer = getattr(client, method)(DOOR)
    problem_of(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    "path", ["/api/", "/api/nothing", "/api/cases/", "/hooks/lines/", "/api/packages/%00"]
)
def test_an_unknown_address_of_the_machine_door_is_a_problem_too(db, client, path):
    problem_of(client.get(path), 404, "not_found")


# --- what goes wrong ------------------------------------------------------------------------------


def test_a_fault_of_ours_is_logged_and_leaks_nothing(post, monkeypatch, caplog, unchanged):
    def break_down(**_kwargs):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(actions, "open_case", break_down)
    with unchanged(), caplog.at_level(logging.ERROR, "guanjia.http"):
        answer = post(NEED)
    problem_of(answer, 500, "internal_error")
    assert b"secret" not in answer.content
    assert "secret detail" in caplog.text


def test_a_database_that_does_not_answer_is_a_matter_of_time(post, monkeypatch, caplog):
    def break_down(**_kwargs):
        raise OperationalError("connection to 10.0.0.1 lost")

    monkeypatch.setattr(actions, "open_case", break_down)
    with caplog.at_level(logging.ERROR, "guanjia.http"):
        answer = post(NEED)
    problem_of(answer, 503, "unavailable")
    assert answer.headers["Retry-After"] == "2"
    assert b"10.0.0.1" not in answer.content


def test_the_log_never_holds_the_token(post, token, monkeypatch, caplog):
    monkeypatch.setattr(actions, "open_case", lambda **_kwargs: 1 / 0)
    with caplog.at_level(logging.DEBUG):
        post(NEED)
    assert token not in caplog.text


# --- reading JSON ---------------------------------------------------------------------------------

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(st.characters(codec="ascii", exclude_characters="\x00")), inner)
    ),
    max_leaves=20,
)


@given(JSON)
def test_clean_json_is_read_as_it_is(value):
    assert read_object(json.dumps({"it": {"is": value}}).encode()).mapping("it") == {"is": value}


@given(st.binary(max_size=200))
def test_whatever_comes_nothing_worse_than_a_refusal_happens(body):
    with suppress(Malformed, BadInput):
        read_object(body)
