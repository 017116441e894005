import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guanjia.lines.protocol.errors import STATUS_OF_CODE, FieldError, ProtocolError
from guanjia.lines.protocol.messages import (
    Authority,
    ConfirmAuthority,
    ConfirmRequest,
    DecisionNotice,
    DecisionRule,
    HoldRequest,
    HoldState,
    HoldView,
    Manifest,
    Money,
    Reason,
    ReleaseRequest,
    RenewRequest,
    Rule,
    ServiceSpec,
    Silence,
)
from guanjia.lines.protocol.wire import (
    MAX_BODY_BYTES,
    Members,
    dump_body,
    format_instant,
    parse_body,
    parse_instant,
)

HOLD_ID = UUID("0b9f2f6a-6f0e-4c84-9d5a-0a4f0b1c2d3e")
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
TITLES = {"zh-Hans": "首页展示位", "en": "Home page banner"}


def make_request(**changes):
    plain = HoldRequest(
        hold_id=HOLD_ID,
        service="home-banner",
        params={"day": "2026-11-11"},
        merchant_ref="M-1042",
        merchant_name="云栖女装",
        package_number="PK-2026-000017",
        item=1,
        ttl_seconds=900,
        authority_kind=Authority.MANDATE,
        mandate="MD-7",
    )
    return replace(plain, **changes)


def make_manifest():
    rule = DecisionRule(Rule.BEYOND_MANDATE, 14400, 3600, Silence.CONSENT)
    schema = {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]}
    banner = ServiceSpec("home-banner", TITLES, schema, 900, Money(120000, "CNY"), rule)
    return Manifest("display-slots", TITLES, (banner, ServiceSpec("free", TITLES, {}, 60)))


def make_view():
    return HoldView(
        hold_id=HOLD_ID,
        state=HoldState.PENDING,
        expires_at=NOON,
        quote=Money(120000, "CNY"),
        decision_due_at=NOON + timedelta(hours=4),
        reference="TB-88231",
    )


SOLD_OUT = Reason("sold_out", {"zh-Hans": "已售罄", "en": "Sold out"})
REFUSED = HoldView(hold_id=HOLD_ID, state=HoldState.REFUSED, reason=SOLD_OUT)


@pytest.mark.parametrize(
    "message",
    [
        Money(0, "CNY"),
        SOLD_OUT,
        DecisionRule(Rule.NEVER),
        make_manifest(),
        make_request(),
        make_request(authority_kind=Authority.NONE, mandate=None),
        ConfirmRequest(ConfirmAuthority.SILENCE),
        ReleaseRequest("merchant changed its mind"),
        ReleaseRequest(),
        RenewRequest(900),
        make_view(),
        REFUSED,
        DecisionNotice("display-slots", NOON, make_view()),
    ],
    ids=lambda message: type(message).__name__,
)
def test_a_message_survives_the_wire(message):
    assert type(message).from_json(parse_body(dump_body(message.to_json()))) == message


def test_the_examples_of_the_contract_are_readable():
    page = (Path(__file__).parents[4] / "docs" / "line-protocol.md").read_text(encoding="utf-8")
    manifest, hold, view = (
        text.replace("0b9f…", str(HOLD_ID)).encode()
        for text in re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    )
    assert Manifest.from_json(parse_body(manifest)).services[0].hold_ttl_seconds == 900
    assert HoldRequest.from_json(parse_body(hold)) == make_request()
    assert HoldView.from_json(parse_body(view)).reference == "TB-88231"


def test_the_error_codes_are_those_of_the_contract():
    page = (Path(__file__).parents[4] / "docs" / "line-protocol.md").read_text(encoding="utf-8")
    table = page.split("## 7.")[1]
    documented = {
        code: int(status)
        for codes, status in re.findall(r"^\| (`.*?) \| (\d{3}) \|", table, re.MULTILINE)
        for code in re.findall(r"`(\w+)`", codes)
    }
    assert documented == STATUS_OF_CODE


def broken(path, value):
    """The hold request with one member set to `value`, or removed where `value` is KeyError."""
    data = make_request().to_json()
    *parents, last = path
    inner = data
    for name in parents:
        inner = inner[name]
    if value is KeyError:
        del inner[last]
    else:
        inner[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("hold_id",), "0b9f"),
        (("hold_id",), "{0b9f2f6a-6f0e-4c84-9d5a-0a4f0b1c2d3e}"),
        (("hold_id",), "0b9f2f6a6f0e4c849d5a0a4f0b1c2d3e"),
        (("hold_id",), 7),
        (("hold_id",), KeyError),
        (("service",), ""),
        (("service",), None),
        (("params",), []),
        (("params",), KeyError),
        (("merchant",), "M-1042"),
        (("merchant", "ref"), 1042),
        (("merchant", "name"), "x" * 301),
        (("package", "item"), "1"),
        (("package", "item"), 1.0),
        (("package", "item"), -1),
        (("authority", "kind"), "friendship"),
        (("authority", "mandate"), None),
        (("ttl_seconds",), 0),
        (("ttl_seconds",), 2_592_001),
        (("ttl_seconds",), True),
        (("ttl_seconds",), "900"),
    ],
)
def test_a_bad_member_is_named(path, value):
    with pytest.raises(ProtocolError) as caught:
        HoldRequest.from_json(parse_body(json.dumps(broken(path, value)).encode()))
    assert (caught.value.code, caught.value.status) == ("malformed", 400)
    assert caught.value.detail.startswith("/" + "/".join(path) + ":")


def test_unknown_members_are_ignored():
    data = make_request().to_json() | {"colour": "red"}
    assert HoldRequest.from_json(Members(data, "")) == make_request()


def test_a_hold_id_has_one_spelling():
    data = make_request().to_json() | {"hold_id": str(HOLD_ID).upper()}
    assert HoldRequest.from_json(Members(data, "")).hold_id == HOLD_ID


@pytest.mark.parametrize("amount", [12.5, 1200.0, True, "1200", None, -1, 2**53])
def test_money_is_an_integer_of_minor_units(amount):
    with pytest.raises(ProtocolError, match="/amount"):
        Money.from_json(Members({"amount": amount, "currency": "CNY"}, ""))


@pytest.mark.parametrize("currency", ["cny", "RMBY", "", 156, None])
def test_a_currency_is_three_capitals(currency):
    with pytest.raises(ProtocolError, match="/currency"):
        Money.from_json(Members({"amount": 1, "currency": currency}, ""))


@pytest.mark.parametrize(
    "message", [{"en": "x"}, {"zh-Hans": "x", "en": 3}, {"zh-Hans": "x", "en": "y", "a_b": "z"}, 3]
)
def test_texts_need_both_languages_and_real_tags(message):
    with pytest.raises(ProtocolError, match="/message"):
        Reason.from_json(Members({"code": "sold_out", "message": message}, ""))


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"protocol": "LP/2"}, "/protocol"),
        ({"services": make_manifest().to_json()["services"] * 2}, "/services"),
        ({"services": {}}, "/services"),
        ({"line": "Display Slots"}, "/line"),
        ({"line": "x" * 41}, "/line"),
    ],
)
def test_a_bad_manifest_is_refused(change, member):
    with pytest.raises(ProtocolError, match=member):
        Manifest.from_json(Members(make_manifest().to_json() | change, ""))


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"state": "gone"}, "/state"),
        ({"expires_at": None}, "/expires_at"),
        ({"decision_due_at": None}, "/decision_due_at"),
        ({"state": "refused"}, "/reason"),
        ({"expires_at": "2026-11-10T12:00:00+08:00"}, "/expires_at"),
    ],
)
def test_a_hold_that_contradicts_its_state_is_refused(change, member):
    with pytest.raises(ProtocolError, match=member):
        HoldView.from_json(Members(make_view().to_json() | change, ""))


def test_a_notice_of_another_type_is_refused():
    data = DecisionNotice("display-slots", NOON, make_view()).to_json() | {"type": "hold.sold"}
    with pytest.raises(ProtocolError, match="/type"):
        DecisionNotice.from_json(Members(data, ""))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff{}",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": "\\u0000"}',
        b'{"\\u0000": 1}',
        b'{"a": [{"b": "x\\u0000"}]}',
        b'{"a": "\x00"}',
        b'{"a": "\\ud800"}',
        b'{"a": ' + b"[" * 65 + b"]" * 65 + b"}",
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_a_poisonous_body_is_malformed(body):
    with pytest.raises(ProtocolError) as caught:
        parse_body(body)
    assert caught.value.code == "malformed"


def test_escapes_and_many_brackets_are_fine_where_they_are_harmless():
    params = {"云": "\U0001f600\\u0000", "a": [[1.5]] * 100}
    assert parse_body(json.dumps({"params": params}).encode()).mapping("params") == params


def test_a_body_over_the_limit_is_refused_before_it_is_read():
    with pytest.raises(ProtocolError) as caught:
        parse_body(b" " * (MAX_BODY_BYTES + 1))
    assert (caught.value.code, caught.value.status) == ("body_too_large", 413)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"merchant_name": "云栖"}, True),
        ({"ttl_seconds": 60}, True),
        ({"params": {"day": "2026-11-12"}}, False),
        ({"service": "side-banner"}, False),
        ({"merchant_ref": "M-1"}, False),
        ({"package_number": "PK-1"}, False),
        ({"item": 2}, False),
        ({"mandate": "MD-8"}, False),
        ({"authority_kind": Authority.NONE}, False),
    ],
)
def test_the_digest_covers_what_is_asked_for(change, same):
    assert (make_request(**change).digest() == make_request().digest()) is same


def test_the_digest_does_not_depend_on_the_order_of_members():
    there, back = {"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1}
    assert make_request(params=there).digest() == make_request(params=back).digest()


@given(st.datetimes(timezones=st.just(UTC)))
def test_instants_survive_the_wire(instant):
    assert parse_instant(format_instant(instant)) == instant


def test_instants_are_written_in_utc():
    eight = datetime(2026, 11, 11, 8, tzinfo=timezone(timedelta(hours=8)))
    assert format_instant(eight) == "2026-11-11T00:00:00Z"
    with pytest.raises(ValueError, match="time zone"):
        format_instant(datetime(2026, 11, 11))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    "text",
    ["2026-11-11", "2026-11-11T00:00:00", "2026-11-11 00:00:00Z", "2026-13-11T00:00:00Z", "٢"],
)
def test_other_instants_are_refused(text):
    with pytest.raises(ValueError, match=r"instant|month"):
        parse_instant(text)


def test_a_problem_carries_code_status_and_fields():
    error = ProtocolError("schema_violation", "params", [FieldError("/day", "is required")])
    assert error.to_json() == {
        "type": "about:blank",
        "title": "Schema violation",
        "status": 422,
        "code": "schema_violation",
        "detail": "params",
        "errors": [{"field": "/day", "message": "is required"}],
    }
    assert str(error) == "schema_violation: params"
    assert "errors" not in ProtocolError("not_found", "/x").to_json()


@pytest.mark.parametrize(("amount", "currency"), [(12.5, "CNY"), (True, "CNY"), (-1, "CNY"), (1, "元")])
def test_a_line_cannot_even_make_money_the_wire_would_refuse(amount, currency):
    with pytest.raises(ValueError, match=r"amount|currency"):
        Money(amount, currency)


@pytest.mark.parametrize(("code", "message"), [("Sold out", TITLES), ("sold_out", {"en": "Sold out"})])
def test_a_line_cannot_even_make_a_reason_the_wire_would_refuse(code, message):
    with pytest.raises(ValueError, match="reason"):
        Reason(code, message)
