"""The machine-readable contract against the responder, in both directions."""

import json
from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema_rs
import pytest

from guanjia.lines.protocol.errors import STATUS_OF_CODE, ProtocolError
from guanjia.lines.protocol.messages import (
    MANIFEST_PATH,
    ConfirmRequest,
    DecisionNotice,
    HoldRequest,
    HoldView,
    Manifest,
    Reason,
    ReleaseRequest,
    RenewRequest,
)
from guanjia.lines.protocol.responder import Responder, problem
from guanjia.lines.protocol.wire import MAX_BODY_BYTES, Members, dump_body
from guanjia.lines.tests.doors import ACCEPTED, BYE, HOLD_ID, NOON, Door, make_hold

DOCUMENT = json.loads((Path(__file__).parents[1] / "lp1.openapi.json").read_text(encoding="utf-8"))
SECURE = {"signature_missing", "signature_invalid", "timestamp_skew"}
RETRIED = {"429", "5XX"}  # promised to Guanjia, never sent by the responder itself
RENEWAL = {"ttl_seconds": 900}
NO = Reason("not_this_week", {"zh-Hans": "本周不行", "en": "Not this week"})


def resolve(node):
    while "$ref" in node:
        *_, section, name = node["$ref"].split("/")
        node = DOCUMENT["components"][section][name]
    return node


def compiled(schema):
    """A validator for one schema of the document, with its components in reach."""
    whole = {**schema, "components": {"schemas": DOCUMENT["components"]["schemas"]}}
    return jsonschema_rs.Draft202012Validator(whole, offline=True, validate_formats=True)


def operations():
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield path, method.upper(), operation


OPERATION = {operation["operationId"]: (p, m, operation) for p, m, operation in operations()}


def media_of(response):
    """(content type, media object) of a response with content."""
    ((content_type, media),) = resolve(response)["content"].items()
    return content_type, media


def documented_codes(operation):
    """The problem codes an operation may answer with, by status."""
    codes: defaultdict[int, set[str]] = defaultdict(set)
    for status, response in operation["responses"].items():
        if status not in RETRIED and status != "200":
            schema = media_of(response)[1]["schema"]
            codes[int(status)] |= set(schema["allOf"][1]["properties"]["code"]["enum"])
    return dict(codes)


def test_the_paths_are_those_of_the_responder():
    assert {(path, method) for path, method, _ in operations()} == {
        (path, method) for path, handlers in Responder.ROUTES.items() for method in handlers
    }


def test_the_codes_are_those_of_the_protocol():
    assert set(DOCUMENT["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]) == set(
        STATUS_OF_CODE
    )


def test_every_status_fits_its_code():
    for _, _, operation in operations():
        for status, codes in documented_codes(operation).items():
            assert {STATUS_OF_CODE[code] for code in codes} == {status}


def test_only_the_manifest_needs_no_signature():
    assert DOCUMENT["security"] == [{"lineSignature": []}]
    unsigned = [path for path, _, operation in operations() if operation.get("security") == []]
    assert unsigned == [MANIFEST_PATH]


READERS: dict[str, Any] = {
    "Manifest": Manifest,
    "HoldRequest": HoldRequest,
    "ConfirmRequest": ConfirmRequest,
    "ReleaseRequest": ReleaseRequest,
    "RenewRequest": RenewRequest,
    "Hold": HoldView,
    "DecisionNotice": DecisionNotice,
}


def examples(node=DOCUMENT):
    """Every (schema, value) pair of the document's media objects."""
    if isinstance(node, dict):
        if "schema" in node and "examples" in node:
            yield from ((node["schema"], example["value"]) for example in node["examples"].values())
        for child in node.values():
            yield from examples(child)


def test_every_example_fits_its_schema_and_is_understood():
    pairs = list(examples())
    assert len(pairs) > 30
    for schema, value in pairs:
        compiled(schema).validate(value)
        reader = READERS.get(schema.get("$ref", "").rpartition("/")[2])
        if reader is not None:
            message = reader.from_json(Members(value, ""))
            assert reader.from_json(Members(message.to_json(), "")) == message


# What the responder says, call by call


class Witness(Door):
    """A door that checks each answer against the document and remembers which codes it saw."""

    def __init__(self):
        super().__init__()
        self.seen = defaultdict(set)

    def ask_for(self, name, body=b"", hold_id=HOLD_ID, headers=None):
        path, method, operation = OPERATION[name]
        target = path.replace("{hold_id}", str(hold_id))
        reply = self.send(method, target, body, headers)
        content_type, media = media_of(operation["responses"][str(reply.status)])
        assert reply.headers["content-type"] == content_type
        value = json.loads(reply.body)
        compiled(media["schema"]).validate(value)
        if reply.status == 200:
            return value["state"] if name != "readManifest" else None
        self.seen[name].add(value["code"])
        return value["code"]


def everywhere(door, name, body, parameters_in_path=True):
    """The faults any signed call with a body can have."""
    for headers in [
        {"webhook-id": ""},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-timestamp": "1"},
    ]:
        assert door.ask_for(name, body, headers=headers) in SECURE
    if body:
        assert door.ask_for(name, b"x" * (MAX_BODY_BYTES + 1)) == "body_too_large"
        assert door.ask_for(name, b"not JSON") == "malformed"
    if parameters_in_path:
        assert door.ask_for(name, body, hold_id="7") == "malformed"


def put_in_every_state(door):
    """One hold per state, and the way there through the documented calls."""
    ids = {s: uuid4() for s in ("held", "pending", "confirmed", "released", "lapsed", "refused")}
    door.business.free = 4
    assert door.ask_for("hold", make_hold(ids["lapsed"], ttl=1)) == "held"
    door.now += timedelta(seconds=1)
    assert door.ask_for("hold", make_hold(ids["held"])) == "held"
    assert door.ask_for("hold", make_hold(ids["pending"], service="by-hand")) == "pending"
    assert door.ask_for("hold", make_hold(ids["confirmed"])) == "held"
    assert door.ask_for("confirm", ACCEPTED, ids["confirmed"]) == "confirmed"
    assert door.ask_for("release", BYE, ids["released"]) == "released"
    door.business.free = 0
    assert door.ask_for("hold", make_hold(ids["refused"])) == "refused"
    return ids


def test_the_responder_says_all_the_document_promises_and_nothing_else():
    door = Witness()
    door.ask_for("readManifest")
    everywhere(door, "hold", make_hold(), parameters_in_path=False)
    everywhere(door, "look", b"")
    for name, body in [("confirm", ACCEPTED), ("release", BYE), ("renew", RENEWAL)]:
        everywhere(door, name, body)
    ids = put_in_every_state(door)
    calls = [("look", b""), ("renew", RENEWAL), ("confirm", ACCEPTED), ("release", BYE)]
    for name, body in calls:
        for hold_id in [*ids.values(), uuid4()]:
            door.ask_for(name, body, hold_id)
    assert door.ask_for("hold", make_hold(ids["released"])) == "hold_released"
    assert door.ask_for("hold", make_hold(ids["confirmed"], item=9)) == "idempotency_mismatch"
    assert door.ask_for("hold", make_hold(uuid4(), service="nope")) == "unknown_service"
    assert door.ask_for("hold", make_hold(uuid4(), params={})) == "schema_violation"
    promised = {
        name: set().union(*documented_codes(operation).values())
        for name, (_, _, operation) in OPERATION.items()
        if name != "readManifest"
    }
    assert door.seen == promised


@pytest.mark.parametrize("code", ["not_found", "method_not_allowed"])
def test_answers_outside_the_paths_are_problems_too(code):
    schema = {"$ref": "#/components/schemas/Problem"}
    compiled(schema).validate(json.loads(problem(ProtocolError(code, "x")).body))


def test_a_decision_fits_the_webhook():
    door = Door()
    door.hold(service="by-hand")
    body = DOCUMENT["webhooks"]["hold.decided"]["post"]["requestBody"]
    view = door.holds.refuse(HOLD_ID, NO)
    notice = DecisionNotice("display-slots", NOON, view).to_json()
    compiled(body["content"]["application/json"]["schema"]).validate(json.loads(dump_body(notice)))


def broken_requests():
    good = make_hold()
    for name in good:
        yield {key: value for key, value in good.items() if key != name}
    yield good | {"hold_id": "0b9f"}
    yield good | {"params": []}
    yield good | {"ttl_seconds": 2_592_001}
    yield good | {"ttl_seconds": "900"}
    yield good | {"merchant": {"ref": "M-1"}}
    yield good | {"merchant": {"ref": "", "name": "x"}}
    yield good | {"package": {"number": "P", "item": -1}}
    yield good | {"authority": {"kind": "friendship"}}
    yield good | {"authority": {"kind": "mandate"}}
    yield good | {"authority": {"kind": "mandate", "mandate": None}}


@pytest.mark.parametrize("request_", list(broken_requests()))
def test_what_the_schema_refuses_the_reader_refuses(request_):
    assert not compiled({"$ref": "#/components/schemas/HoldRequest"}).is_valid(request_)
    with pytest.raises(ProtocolError, match="malformed"):
        HoldRequest.from_json(Members(request_, ""))
