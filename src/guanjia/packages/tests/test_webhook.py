from datetime import timedelta
from uuid import uuid4

import pytest

from guanjia.demo.cast import LINE_SECRET
from guanjia.lines.protocol.messages import DecisionNotice, HoldState, HoldView, Money, Reason
from guanjia.lines.protocol.signing import new_secret, webhook_headers
from guanjia.lines.protocol.wire import MAX_BODY_BYTES, dump_body
from guanjia.packages.tests import stories
from guanjia.packages.tests.stories import LATER, PRICE, holds

FULL = Reason("sold_out", {"zh-Hans": "排满", "en": "full"})


def notice(hold_id, now, *, line="display-slots", state=HoldState.HELD):
    reason = FULL if state is HoldState.REFUSED else None
    hold = HoldView(hold_id, state, now + LATER, Money(PRICE, "CNY"), reason=reason)
    return dump_body(DecisionNotice(line, now, hold).to_json())


@pytest.fixture
def waiting(market, now):
    return stories.pending(market, now)


@pytest.fixture
def send(client, now):
    def post(body, *, line="display-slots", secret=LINE_SECRET, at=now, **headers):
        signed = webhook_headers(secret, body, at, "msg_1") | headers
        return client.post(f"/hooks/lines/{line}", body, content_type="application/json", headers=signed)

    return post


@pytest.mark.parametrize(
    ("state", "after"), [(HoldState.HELD, "confirming"), (HoldState.REFUSED, "releasing")]
)
def test_a_decision_counts(waiting, send, now, state, after):
    answer = send(notice(holds(waiting)[0], now, state=state))
    assert (answer.status_code, answer.content) == (204, b"")
    waiting.refresh_from_db()
    assert waiting.state == after


def test_a_second_time_it_is_welcome_and_changes_nothing(waiting, send, now, unchanged):
    body = notice(holds(waiting)[0], now)
    send(body)
    with unchanged():
        assert send(body).status_code == 204


def test_a_decision_nobody_waits_for_is_welcome_and_changes_nothing(market, send, now, unchanged):
    package = stories.refused(market, now)
    with unchanged():
        assert send(notice(holds(package)[0], now)).status_code == 204


@pytest.mark.parametrize("state", [HoldState.RELEASED, HoldState.LAPSED])
def test_an_outdated_view_of_a_settled_hold_is_welcome(market, send, now, unchanged, state):
    package = stories.done(market, now)
    with unchanged():
        assert send(notice(holds(package)[0], now, state=state)).status_code == 204


def test_an_unsigned_word_is_no_word(waiting, client, now, unchanged):
    body = notice(holds(waiting)[0], now)
    with unchanged():
        answer = client.post("/hooks/lines/display-slots", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (401, "signature_missing")
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_wrong_secret_is_refused(waiting, send, now, unchanged):
    with unchanged():
        answer = send(notice(holds(waiting)[0], now), secret=new_secret())
    assert (answer.status_code, answer.json()["code"]) == (401, "signature_invalid")


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_signature_is_refused(waiting, send, now, unchanged, minutes):
    with unchanged():
        answer = send(notice(holds(waiting)[0], now), at=now + timedelta(minutes=minutes))
    assert (answer.status_code, answer.json()["code"]) == (401, "timestamp_skew")


def test_a_changed_body_is_refused(waiting, client, now, unchanged):
    body = notice(holds(waiting)[0], now)
    signed = webhook_headers(LINE_SECRET, body, now, "msg_1")
    with unchanged():
        answer = client.post(
            "/hooks/lines/display-slots", body + b" ", content_type="application/json", headers=signed
        )
    assert answer.status_code == 401


def test_a_hold_of_another_line_is_not_there(waiting, send, now, unchanged):
    with unchanged():
        answer = send(notice(holds(waiting)[1], now))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_an_unknown_hold_and_an_unknown_line_are_not_there(waiting, send, now, unchanged):
    with unchanged():
        assert send(notice(uuid4(), now)).status_code == 404
        assert send(notice(uuid4(), now), line="moon-slots").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"type": "hold.decided", "data": {"line": "display-slots", "hold": {}}}',
        b"\xff",
    ],
)
def test_a_signed_word_that_says_nothing_is_malformed(market, send, unchanged, body):
    with unchanged():
        answer = send(body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


def test_a_line_speaks_for_itself_only(waiting, send, now, unchanged):
    with unchanged():
        answer = send(notice(holds(waiting)[0], now, line="warehousing"))
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


def test_a_flood_is_refused_before_it_is_read(market, send, unchanged):
    with unchanged():
        answer = send(b" " * (MAX_BODY_BYTES + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_only_post_is_a_word(market, client):
    answer = client.get("/hooks/lines/display-slots")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
