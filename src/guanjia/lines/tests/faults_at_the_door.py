"""Faults of transport (§2), signatures (§3) and manifest (4.1)."""

import json
from datetime import UTC, datetime
from uuid import UUID

from guanjia.lines.protocol.errors import ProtocolError
from guanjia.lines.protocol.messages import MANIFEST_PATH
from guanjia.lines.protocol.responder import Reply, problem
from guanjia.lines.protocol.signing import request_headers
from guanjia.lines.tests.doors import SECRET
from guanjia.lines.tests.toy_line import (
    BY_HAND,
    CLOSED,
    faults,
    manifest_with,
    rewritten,
)

FAULTS, breaks = faults()


# --- transport -----------------------------------------------------------------------------------


@breaks("2.1")
def answers_as_text(line):
    def after(method, target, reply):
        headers = {"content-type": "text/plain"} if reply.status == 200 else reply.headers
        return Reply(reply.status, headers, reply.body)

    line.after = after


@breaks("2.1")
def reads_nonsense_as_a_schema_violation(line):
    def after(method, target, reply):
        if reply.status == 400 and b"not JSON" in reply.body:
            return problem(ProtocolError("schema_violation", "what?"))
        return reply

    line.after = after


@breaks("2.2")
def takes_bodies_of_any_size(line):
    sound = line.responder.respond

    def respond(method, target, headers, body):
        if len(body) > 256 * 1024:
            body = json.dumps({**json.loads(body), "padding": ""}).encode()
            headers = {**headers, **request_headers(SECRET, method, target, body, line.now, "x")}
        return sound(method, target, headers, body)

    line.responder.respond = respond


@breaks("2.3")
def quotes_floats(line):
    rewritten(line, lambda hold: hold.update(quote={"amount": 1200.5, "currency": "CNY"}))


@breaks("2.3")
def lists_a_price_in_floats(line):
    manifest_with(line, lambda m: m["services"][0]["price"].update(amount=1200.5))


@breaks("2.4")
def tells_the_time_of_beijing(line):
    rewritten(line, lambda hold: hold.update(expires_at="2026-11-10T20:15:00+08:00"))


@breaks("2.5", services=(CLOSED,))
def explains_in_english_only(line):
    rewritten(line, lambda hold: hold.update(reason={"code": "no", "message": {"en": "No"}}), "POST")


@breaks("2.5")
def has_titles_in_chinese_only(line):
    manifest_with(line, lambda m: m["services"][0].update(titles={"zh-Hans": "展位"}))


@breaks("2.6")
def sends_problems_as_plain_json(line):
    line.after = lambda m, t, r: Reply(r.status, {"content-type": "application/json"}, r.body)


@breaks("2.6")
def sends_problems_without_a_code(line):
    sound = line.responder.respond

    def respond(*request):
        reply = sound(*request)
        document = json.loads(reply.body)
        document.pop("code", None)
        return Reply(reply.status, reply.headers, json.dumps(document).encode())

    line.responder.respond = respond


@breaks("2.7")
def refuses_unknown_members(line):
    sound = line.responder.respond

    def respond(method, target, headers, body):
        if b"lp1_check" in body:
            return problem(ProtocolError("malformed", "lp1_check: unknown"))
        return sound(method, target, headers, body)

    line.responder.respond = respond


# --- signatures ----------------------------------------------------------------------------------


def signed_anew(line, method, target, headers, body, now=None):
    return {**headers, **request_headers(SECRET, method, target, body, now or line.now, "x")}


@breaks("3.2")
def does_not_sign_the_query(line):
    def before(method, target, headers, body):
        bare = target.partition("?")[0]
        content = request_headers(SECRET, method, bare, body, line.now, headers.get("webhook-id", "x"))
        if content["webhook-signature"] == headers.get("webhook-signature"):
            return signed_anew(line, method, target, headers, body)
        return headers

    line.before = before


@breaks("3.2")
def takes_a_signature_for_another_verb(line):
    def before(method, target, headers, body):
        other = target.replace("/release", "/confirm")
        message_id = headers.get("webhook-id", "x")
        content = request_headers(SECRET, method, other, body, line.now, message_id)
        if content["webhook-signature"] == headers.get("webhook-signature"):
            return signed_anew(line, method, target, headers, body)
        return headers

    line.before = before


@breaks("3.3")
def accepts_any_signature(line):
    def before(method, target, headers, body):
        if "webhook-signature" not in headers:
            return headers
        moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        return signed_anew(line, method, target, headers, body, moment)

    line.before = before


@breaks("3.3")
def accepts_no_signature(line):
    line.before = lambda method, target, headers, body: (
        headers if "webhook-signature" in headers else signed_anew(line, method, target, headers, body)
    )


@breaks("3.3")
def looks_without_a_signature(line):
    line.before = lambda method, target, headers, body: (
        signed_anew(line, method, target, headers, body)
        if method == "GET" and "webhook-signature" not in headers
        else headers
    )


@breaks("3.3")
def accepts_old_signatures(line):
    def before(method, target, headers, body):
        moment = datetime.fromtimestamp(int(headers.get("webhook-timestamp", 0)), UTC)
        message_id = headers.get("webhook-id", "x")
        content = request_headers(SECRET, method, target, body, moment, message_id)
        if content["webhook-signature"] == headers.get("webhook-signature"):
            return signed_anew(line, method, target, headers, body)
        return headers

    line.before = before


@breaks("3.3")
def acts_before_it_checks(line):
    def before(method, target, headers, body):
        if "webhook-signature" not in headers and target.endswith("/release"):
            line.holds.release(UUID(target.split("/")[2]))
        return headers

    line.before = before


@breaks("3.4")
def wants_the_manifest_signed(line):
    line.after = lambda method, target, reply: (
        problem(ProtocolError("signature_missing", "sign!")) if target == MANIFEST_PATH else reply
    )


# --- manifest ------------------------------------------------------------------------------------


@breaks("4.1")
def speaks_lp2(line):
    manifest_with(line, lambda m: m.update(protocol="LP/2"))


@breaks("4.1.1")
def has_a_broken_schema(line):
    manifest_with(line, lambda m: m["services"][0].update(schema={"type": "object", "required": 1}))


@breaks("4.1.1")
def refers_to_a_remote_schema(line):
    remote = {"type": "object", "$ref": "https://schemas.example/x.json"}
    manifest_with(line, lambda m: m["services"][0].update(schema=remote))


@breaks("4.1.1")
def names_a_field_in_english_only(line):
    field = {"type": "string", "format": "date", "x-titles": {"en": "Day"}}
    manifest_with(line, lambda m: m["services"][0]["schema"]["properties"].update(day=field))


@breaks("4.1.2")
def has_a_price_in_words(line):
    manifest_with(line, lambda m: m["services"][0].update(price="on request"))


@breaks("4.1.3")
def has_an_unknown_decision_rule(line):
    manifest_with(line, lambda m: m["services"][0].update(decision={"rule": "sometimes"}))


def publishes(rule):
    decision = {"rule": rule, "within_seconds": 60, "grace_seconds": 0, "silence": "refusal"}
    return lambda manifest: manifest["services"][0].update(decision=decision)


@breaks("4.1.3")
def decides_nothing_although_published(line):
    manifest_with(line, publishes("always"))


@breaks("4.1.3", services=(BY_HAND,))
def asks_a_person_unpublished(line):
    manifest_with(line, publishes("never"))


@breaks("4.1.3", services=(BY_HAND,))
def asks_a_person_in_spite_of_the_mandate(line):
    manifest_with(line, publishes("beyond_mandate"))
