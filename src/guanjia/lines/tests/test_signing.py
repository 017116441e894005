import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from guanjia.lines.protocol.errors import ProtocolError
from guanjia.lines.protocol.signing import (
    new_secret,
    request_headers,
    sign,
    verify_request,
    verify_webhook,
    webhook_headers,
)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
BODY = b'{"test": 2432232314}'


def code_of(check, *args):
    with pytest.raises(ProtocolError) as caught:
        check(*args)
    assert caught.value.status == 401
    return caught.value.code


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_webhooks_are_those_of_the_standard(text):
    now = datetime.now(UTC)
    body = json.dumps({"text": text}, ensure_ascii=False).encode()
    headers = webhook_headers(SECRET, body, now, "msg_1")
    assert Webhook(SECRET).verify(body, headers) == {"text": text}


@given(st.binary(min_size=24, max_size=64), st.text(st.characters(codec="utf-8")))
def test_signatures_equal_those_of_the_standard_library_of_the_standard(key, text):
    oracle = Webhook(key).sign("msg_1", NOON, text)
    secret = "whsec_" + base64.b64encode(key).decode()
    assert sign(secret, "msg_1", int(NOON.timestamp()), text.encode()) == oracle


def test_webhooks_signed_by_the_standard_are_accepted():
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(NOON.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("msg_1", NOON, BODY.decode()),
    }
    assert verify_webhook(SECRET, headers, BODY, NOON) == "msg_1"


def test_a_request_signature_holds_for_its_method_path_and_body_only():
    headers = request_headers(SECRET, "POST", "/holds/1/confirm?x=1", BODY, NOON, "req_1")
    assert verify_request(SECRET, "POST", "/holds/1/confirm?x=1", headers, BODY, NOON) == "req_1"
    for method, path, body in [
        ("GET", "/holds/1/confirm?x=1", BODY),
        ("POST", "/holds/2/confirm?x=1", BODY),
        ("POST", "/holds/1/confirm", BODY),
        ("POST", "/holds/1/confirm?x=1", BODY + b" "),
    ]:
        assert code_of(verify_request, SECRET, method, path, headers, body, NOON) == ("signature_invalid")
    assert code_of(verify_webhook, SECRET, headers, BODY, NOON) == "signature_invalid"


def test_the_clock_may_be_five_minutes_off_and_no_more():
    headers = webhook_headers(SECRET, BODY, NOON, "msg_1")
    for seconds in (-300, 300):
        verify_webhook(SECRET, headers, BODY, NOON + timedelta(seconds=seconds))
    for seconds in (-301, 301):
        later = NOON + timedelta(seconds=seconds)
        assert code_of(verify_webhook, SECRET, headers, BODY, later) == "timestamp_skew"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"webhook-id": ""}, "signature_missing"),
        ({"webhook-timestamp": ""}, "signature_missing"),
        ({"webhook-signature": ""}, "signature_missing"),
        ({"webhook-timestamp": "soon"}, "timestamp_skew"),
        ({"webhook-timestamp": "-1"}, "timestamp_skew"),
        ({"webhook-timestamp": "٣"}, "timestamp_skew"),
        ({"webhook-timestamp": "1" * 5000}, "timestamp_skew"),
        ({"webhook-id": "msg_2"}, "signature_invalid"),
        ({"webhook-id": "msg.1"}, "signature_invalid"),
        ({"webhook-id": "m" * 201}, "signature_invalid"),
        ({"webhook-signature": "v1,签"}, "signature_invalid"),
        ({"webhook-signature": "v1,"}, "signature_invalid"),
        ({"webhook-signature": "v2," + "A" * 43 + "="}, "signature_invalid"),
    ],
)
def test_bad_headers_are_refused(change, code):
    headers = webhook_headers(SECRET, BODY, NOON, "msg_1") | change
    assert code_of(verify_webhook, SECRET, headers, BODY, NOON) == code


def test_a_secret_is_rotated_from_either_side():
    old = webhook_headers(SECRET, BODY, NOON, "msg_1")
    both = webhook_headers([OTHER, SECRET], BODY, NOON, "msg_1")
    verify_webhook([OTHER, SECRET], old, BODY, NOON)
    verify_webhook(SECRET, both, BODY, NOON)
    verify_webhook(OTHER, both, BODY, NOON)
    assert code_of(verify_webhook, OTHER, old, BODY, NOON) == "signature_invalid"
    assert code_of(verify_webhook, [], old, BODY, NOON) == "signature_invalid"


def test_a_flood_of_signatures_is_cut_off():
    right = webhook_headers(SECRET, BODY, NOON, "msg_1")
    flood = right | {"webhook-signature": "v1,x " * 8 + right["webhook-signature"]}
    assert code_of(verify_webhook, SECRET, flood, BODY, NOON) == "signature_invalid"


def test_new_secrets_work_and_differ():
    first, second = new_secret(), new_secret()
    assert first != second
    verify_webhook(first, webhook_headers(first, BODY, NOON, "msg_1"), BODY, NOON)


@pytest.mark.parametrize("secret", ["", "secret", "whsec_", "whsec_c2hvcnQ=", "whsec_%%%", SECRET[6:]])
def test_a_weak_or_foreign_secret_is_refused(secret):
    with pytest.raises(ValueError, match="whsec_"):
        sign(secret, "msg_1", 0, BODY)


@pytest.mark.parametrize("message_id", ["", "a.b", "a\nb", "消息", "m" * 201])
def test_a_message_id_that_could_blur_the_signed_content_is_never_sent(message_id):
    with pytest.raises(ValueError, match="message id"):
        webhook_headers(SECRET, BODY, NOON, message_id)
