"""Faults of holds: how they are answered, repeated and ended (4.2 to 4.8)."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from guanjia.lines.protocol import fence
from guanjia.lines.protocol.errors import ProtocolError
from guanjia.lines.protocol.messages import HoldState, HoldView
from guanjia.lines.protocol.responder import Reply, problem
from guanjia.lines.tests.toy_line import (
    BY_HAND,
    CLOSED,
    around,
    faults,
    rewritten,
    state_of,
)

FAULTS, breaks = faults()


# --- holds ---------------------------------------------------------------------------------------


@breaks("4.2.1", services=(CLOSED,))
def refuses_with_an_error(line):
    def after(method, target, reply):
        if b'"refused"' in reply.body and method == "POST" and target == "/holds":
            body = b'{"status": 409, "code": "sold_out"}'
            return Reply(409, {"content-type": "application/problem+json"}, body)
        return reply

    line.after = after


@breaks("4.2.1", services=(CLOSED,))
def refuses_without_a_reason(line):
    rewritten(line, lambda hold: hold.update(reason=None))


@breaks("4.2.2")
def holds_without_an_expiry(line):
    rewritten(line, lambda hold: hold.pop("expires_at"))


@breaks("4.2.2", services=(BY_HAND,))
def lets_people_decide_without_a_time_limit(line):
    rewritten(line, lambda hold: hold.pop("decision_due_at"))


class Anything:
    def check(self, params):
        """Accept."""


@breaks("4.2.3")
def ignores_the_schema(line):
    line.holds._schemas["banner"] = Anything()


@breaks("4.2.3")
def does_not_name_the_field(line):
    rewritten(line, lambda problem: problem.pop("errors", None), only=422)


@breaks("4.2.3")
def reserves_before_it_validates(line):
    def reserve(sound, request, digest):
        schema, line.holds._schemas["banner"] = line.holds._schemas["banner"], Anything()
        record = sound(request, digest)
        line.holds._schemas["banner"] = schema
        try:
            schema.check(request.params)
        except ProtocolError as error:
            line.leaked.append((record, error))
        return record

    def after(method, target, reply):
        if line.leaked:
            return problem(line.leaked.pop()[1])
        return reply

    line.leaked = []
    line.after = after
    around(line, "_reserve", reserve)


@breaks("4.2.4")
def calls_an_unknown_service_a_schema_violation(line):
    def after(method, target, reply):
        if b"unknown_service" in reply.body:
            return problem(ProtocolError("schema_violation", "service"))
        return reply

    line.after = after


@breaks("4.2.5")
def takes_an_idempotency_key_for_decoration(line):
    line.before = lambda method, target, headers, body: {
        name: value for name, value in headers.items() if name != "idempotency-key"
    }


# --- duplicates ----------------------------------------------------------------------------------


@breaks("4.3.1")
def reserves_again_for_a_duplicate(line):
    def hold(sound, request):
        known = line.record(request.hold_id)
        if known and known.state is HoldState.HELD and known.digest == request.digest():
            del line.store.records[request.hold_id]
        return sound(request)

    around(line, "hold", hold)


@breaks("4.3.1")
def reserves_again_in_a_race(line):
    """Look and write are two steps, and other duplicates come in between."""
    under_way = []

    async def arrive(method, target, body):
        if target != "/holds":
            return
        under_way.append(body)
        await asyncio.sleep(0)
        if under_way.count(body) > 1:
            line.store.records.pop(UUID(json.loads(body)["hold_id"]), None)
        under_way.remove(body)

    line.arrive = arrive


@breaks("4.3.1")
def holds_again_after_the_confirm(line):
    def hold(sound, request):
        if state_of(line, request.hold_id) is HoldState.CONFIRMED:
            return HoldView(request.hold_id, HoldState.HELD, line.now + timedelta(seconds=60))
        return sound(request)

    around(line, "hold", hold)


@breaks("4.3.2")
def takes_other_content_for_a_duplicate(line):
    def hold(sound, request):
        known = line.record(request.hold_id)
        if known and known.state is HoldState.HELD:
            return known.view(line.now)
        return sound(request)

    around(line, "hold", hold)


@breaks("4.3.3")
def refuses_a_second_release(line):
    def release(sound, hold_id):
        if state_of(line, hold_id) is HoldState.RELEASED:
            raise ProtocolError("hold_released", "already")
        return sound(hold_id)

    around(line, "release", release)


@breaks("4.3.3")
def books_a_second_confirm(line):
    def confirm(sound, hold_id, authority):
        if state_of(line, hold_id) is HoldState.CONFIRMED:
            return replace(sound(hold_id, authority), reference="T-again")
        return sound(hold_id, authority)

    around(line, "confirm", confirm)


# --- confirm -------------------------------------------------------------------------------------


@breaks("4.4.1")
def never_confirms(line):
    def confirm(sound, hold_id, authority):
        if state_of(line, hold_id) is HoldState.HELD:
            return line.holds.look(hold_id)
        return sound(hold_id, authority)

    around(line, "confirm", confirm)


@breaks("4.4.2", services=(BY_HAND,))
def confirms_what_nobody_decided(line):
    confirms_in(line, HoldState.PENDING)


@breaks("4.4.3")
def confirms_the_unknown(line):
    def confirm(sound, hold_id, authority):
        if line.record(hold_id) is None:
            return HoldView(hold_id, HoldState.CONFIRMED)
        return sound(hold_id, authority)

    around(line, "confirm", confirm)


def confirms_in(line, wrong):
    def confirm(sound, hold_id, authority):
        if state_of(line, hold_id) is wrong:
            return line.rewrite(hold_id, state=HoldState.CONFIRMED)
        return sound(hold_id, authority)

    around(line, "confirm", confirm)


@breaks("4.4.4")
def confirms_the_lapsed(line):
    confirms_in(line, HoldState.LAPSED)


@breaks("4.4.4")
def confirms_the_released(line):
    confirms_in(line, HoldState.RELEASED)


@breaks("4.4.4", services=(CLOSED,))
def confirms_the_refused(line):
    confirms_in(line, HoldState.REFUSED)


# --- release -------------------------------------------------------------------------------------


@breaks("4.5.1", free=1)
def keeps_what_was_released(line):
    line.places.release = lambda record: None


@breaks("4.5.1")
def does_not_release_the_lapsed(line):
    def release(sound, hold_id):
        if state_of(line, hold_id) is HoldState.LAPSED:
            raise ProtocolError("hold_lapsed", "too late")
        return sound(hold_id)

    around(line, "release", release)


@breaks("4.5.1", services=(BY_HAND,))
def does_not_release_the_pending(line):
    def release(sound, hold_id):
        if state_of(line, hold_id) is HoldState.PENDING:
            raise ProtocolError("decision_pending", "wait")
        return sound(hold_id)

    around(line, "release", release)


@breaks("4.5.2")
def does_not_release_the_unknown(line):
    def release(sound, hold_id):
        fence.known(line.record(hold_id))
        return sound(hold_id)

    around(line, "release", release)


@breaks("4.5.3")
def leaves_no_tombstone(line):
    def release(sound, hold_id):
        if line.record(hold_id) is None:
            return HoldView(hold_id, HoldState.RELEASED)
        return sound(hold_id)

    around(line, "release", release)


@breaks("4.5.3")
def holds_again_after_the_release(line):
    def hold(sound, request):
        known = line.record(request.hold_id)
        if known and known.request and known.state is HoldState.RELEASED:
            del line.store.records[request.hold_id]
        return sound(request)

    around(line, "hold", hold)


@breaks("4.5.3")
def compares_content_with_a_tombstone(line):
    def hold(sound, request):
        known = line.record(request.hold_id)
        if known and known.state is HoldState.RELEASED and known.digest != request.digest():
            raise ProtocolError("idempotency_mismatch", "other content")
        return sound(request)

    around(line, "hold", hold)


@breaks("4.5.4")
def releases_the_confirmed(line):
    def release(sound, hold_id):
        if state_of(line, hold_id) is HoldState.CONFIRMED:
            line.rewrite(hold_id, state=HoldState.HELD)
        return sound(hold_id)

    around(line, "release", release)


@breaks("4.5.5", services=(CLOSED,))
def does_not_release_the_refused(line):
    def release(sound, hold_id):
        if state_of(line, hold_id) is HoldState.REFUSED:
            raise ProtocolError("hold_refused", "nothing to release")
        return sound(hold_id)

    around(line, "release", release)


# --- renew, lapse, look --------------------------------------------------------------------------


@breaks("4.6.1")
def renews_to_an_earlier_expiry(line):
    def renew(sound, hold_id, ttl_seconds):
        view = sound(hold_id, ttl_seconds)
        if view.state is HoldState.CONFIRMED:
            return view
        return line.rewrite(hold_id, expires_at=line.now + timedelta(seconds=ttl_seconds))

    around(line, "renew", renew)


def renews_in(line, wrong):
    def renew(sound, hold_id, ttl_seconds):
        if state_of(line, hold_id) is not wrong:
            return sound(hold_id, ttl_seconds)
        expires_at = line.now + timedelta(seconds=ttl_seconds)
        if wrong is None:
            return HoldView(hold_id, HoldState.HELD, expires_at)
        state = wrong if wrong is HoldState.CONFIRMED else HoldState.HELD
        return line.rewrite(hold_id, state=state, expires_at=expires_at)

    around(line, "renew", renew)


@breaks("4.6.2")
def renews_the_lapsed(line):
    renews_in(line, HoldState.LAPSED)


@breaks("4.6.2")
def renews_the_released(line):
    renews_in(line, HoldState.RELEASED)


@breaks("4.6.2")
def renews_the_unknown(line):
    renews_in(line, None)


@breaks("4.6.2")
def renews_the_confirmed(line):
    renews_in(line, HoldState.CONFIRMED)


@breaks("4.6.2", services=(CLOSED,))
def renews_the_refused(line):
    renews_in(line, HoldState.REFUSED)


@breaks("4.7.1")
def never_lapses(line):
    started = line.now
    line.holds.clock = lambda: started


@breaks("4.7.1", free=1)
def keeps_the_place_of_the_lapsed(line):
    line.holds.sweep = lambda *_: 0


@breaks("4.8.1")
def knows_the_unknown(line):
    def look(sound, hold_id):
        if line.record(hold_id) is None:
            raise ProtocolError("not_found", "no such hold")
        return sound(hold_id)

    around(line, "look", look)


@breaks("4.8.1")
def counts_looks(line):
    def look(sound, hold_id):
        if state_of(line, hold_id) is HoldState.HELD:
            line.looks = getattr(line, "looks", 0) + 1
            return replace(sound(hold_id), reference=f"look {line.looks}")
        return sound(hold_id)

    around(line, "look", look)
