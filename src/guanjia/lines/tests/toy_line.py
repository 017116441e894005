"""A sound line in memory, and how to give it one fault, for the tests of the conformance kit.

A fault patches one method of its holds, or what its HTTP side does with a request before, or with
a reply after. The faults themselves: `faults_at_the_door`, `faults_of_holds`.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from guanjia.lines.protocol.fence import Held, Refused
from guanjia.lines.protocol.holds import Holds
from guanjia.lines.protocol.messages import (
    MANIFEST_PATH,
    DecisionRule,
    Manifest,
    Money,
    Rule,
    ServiceSpec,
    Silence,
)
from guanjia.lines.protocol.responder import Reply, Responder
from guanjia.lines.tests.doors import SCHEMA, SECRET, TITLES, MemoryStore

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
PRICE = Money(120000, "CNY")


def spec(code, rule=Rule.NEVER, price=PRICE):
    decision = DecisionRule(rule, 600, 60, Silence.CONSENT)
    return ServiceSpec(code, TITLES, SCHEMA, 900, price, decision)


BANNER = spec("banner")
MANDATED = spec("mandated", Rule.BEYOND_MANDATE)
BY_HAND = spec("by-hand", Rule.ALWAYS, None)
CLOSED = spec("closed")  # refuses everybody


class Places:
    """Places to reserve, for all services together; `closed` has none."""

    def __init__(self, services, free):
        self.manifest = Manifest("toy", TITLES, services)
        self.free = free
        self.log = []

    def reserve(self, request):
        if request.service == "closed" or not self.free:
            return Refused("sold_out", {"zh-Hans": "已售罄", "en": "Sold out"})
        self.free -= 1
        self.log.append(("reserve", request.hold_id))
        return Held(reference=f"T-{len(self.log)}")

    def confirm(self, record):
        self.log.append(("confirm", record.hold_id))

    def release(self, record):
        self.free += 1
        self.log.append(("release", record.hold_id))


class ToyLine:
    """A sound line in memory with a clock to move; faults are patched in."""

    def __init__(self, services=(BANNER,), free=100):
        self.now = NOON
        self.places = Places(services, free)
        self.store = MemoryStore(self.places)
        self.holds = Holds(self.places, self.store, lambda: self.now)
        self.responder = Responder(self.holds, SECRET)
        self.before = lambda method, target, headers, body: headers
        self.after = lambda method, target, reply: reply

    async def arrive(self, method, target, body):
        """What happens while a request waits for its turn."""

    async def sleep(self, seconds):
        self.now += timedelta(seconds=seconds)

    def respond(self, method, target, headers, body):
        headers = self.before(method, target, headers, body)
        reply = self.responder.respond(method, target, headers, body)
        return self.after(method, target, reply)

    def record(self, hold_id):
        return self.store.records.get(hold_id)

    def rewrite(self, hold_id, **changes):
        """Write the record of a hold as it must not be, and answer with it."""
        record = replace(self.record(hold_id), **changes)
        self.store.records[hold_id] = record
        return record.view(self.now)


def faults():
    """A new collection of faults by name, and the decorator that adds to it.

    An entry is the broken rule, the services and the free places of the line, and the patch.
    """
    collection: dict[str, Any] = {}

    def breaks(rule, services=(BANNER,), free=100):
        def register(fault):
            collection[fault.__name__] = (rule, services, free, fault)
            return fault

        return register

    return collection, breaks


def around(line, name, fault):
    """Patch `line.holds.name`: `fault(sound, *args)` instead of `sound(*args)`."""
    sound = getattr(line.holds, name)
    setattr(line.holds, name, lambda *args: fault(sound, *args))


def state_of(line, hold_id):
    record = line.record(hold_id)
    return record and record.state_at(line.now)


def rewritten(line, change, method=None, only=200):
    """Let `change(document, reply)` edit each JSON answer of the given status."""

    def after(used, target, reply):
        if reply.status != only or (method and method != used) or target == MANIFEST_PATH:
            return reply
        document = json.loads(reply.body)
        change(document)
        return Reply(reply.status, reply.headers, json.dumps(document).encode())

    line.after = after


def manifest_with(line, change):
    def after(method, target, reply):
        if target != MANIFEST_PATH:
            return reply
        document = json.loads(reply.body)
        change(document)
        return Reply(reply.status, reply.headers, json.dumps(document).encode())

    line.after = after
