"""A line with two display slots in memory, a client that signs, and a clock to move."""

from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

from guanjia.lines.protocol.fence import RESERVING, Held, Refused
from guanjia.lines.protocol.holds import Holds
from guanjia.lines.protocol.messages import (
    Authority,
    DecisionRule,
    HoldRequest,
    HoldView,
    Manifest,
    Money,
    Rule,
    ServiceSpec,
    Silence,
)
from guanjia.lines.protocol.responder import Responder
from guanjia.lines.protocol.signing import request_headers
from guanjia.lines.protocol.wire import dump_body, parse_body

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
HOLD_ID = UUID("0b9f2f6a-6f0e-4c84-9d5a-0a4f0b1c2d3e")
TITLES = {"zh-Hans": "展示位", "en": "Banner"}
SCHEMA = {
    "type": "object",
    "properties": {
        "day": {"type": "string", "format": "date"},
        "a/b~c": {"type": "array", "items": {"type": "integer"}},
    },
    "required": ["day"],
    "additionalProperties": False,
}
BY_HAND = DecisionRule(Rule.ALWAYS, 600, 60, Silence.CONSENT)
MANIFEST = Manifest(
    "display-slots",
    TITLES,
    (
        ServiceSpec("banner", TITLES, SCHEMA, 900, Money(120000, "CNY")),
        ServiceSpec("by-hand", TITLES, SCHEMA, 900, None, BY_HAND),
    ),
)


class MemoryStore:
    """Records in a dict; an exception puts back the dict of before, the business's too."""

    def __init__(self, business):
        self.records = {}
        self.business = business
        self.commits = 0
        self.depth = 0

    @contextmanager
    def transaction(self):
        before = dict(self.records), self.business.free, list(self.business.log)
        self.depth += 1
        try:
            yield
        except BaseException:
            self.records, self.business.free, self.business.log = before
            raise
        finally:
            self.depth -= 1
        self.commits += self.depth == 0

    def load(self, hold_id):
        assert self.depth
        return self.records.get(hold_id)

    def save(self, record):
        assert self.depth
        self.records[record.hold_id] = record

    def expired(self, now, limit):
        due = (r for r in self.records.values() if r.state in RESERVING and r.expires_at <= now)
        return sorted(due, key=lambda record: record.expires_at)[:limit]


class Slots:
    """Two slots to reserve; `poison` is a hold whose release blows up."""

    manifest = MANIFEST

    def __init__(self):
        self.free = 2
        self.log = []
        self.poison = None

    def reserve(self, request):
        if not self.free:
            return Refused("sold_out", {"zh-Hans": "已售罄", "en": "Sold out"})
        self.free -= 1
        self.log.append(("reserve", request.hold_id))
        return Held(reference="TB-1")

    def confirm(self, record):
        self.log.append(("confirm", record.hold_id))
        if record.hold_id == self.poison:
            raise RuntimeError("confirm failed")

    def release(self, record):
        self.free += 1
        self.log.append(("release", record.hold_id))
        if record.hold_id == self.poison:
            raise RuntimeError("release failed")


class Door:
    """A line with a clock to move and a client that signs."""

    def __init__(self):
        self.now = NOON
        self.business = Slots()
        self.store = MemoryStore(self.business)
        self.holds = Holds(self.business, self.store, lambda: self.now)
        self.responder = Responder(self.holds, SECRET)

    def send(self, method, target, body=b"", headers=None):
        if not isinstance(body, bytes):
            body = dump_body(body)
        signed = request_headers(SECRET, method, target, body, self.now, "req_1")
        return self.responder.respond(method, target, signed | (headers or {}), body)

    def ask(self, method, target, body=b""):
        reply = self.send(method, target, body)
        assert (reply.status, reply.headers) == (200, {"content-type": "application/json"})
        return HoldView.from_json(parse_body(reply.body))

    def hold(self, hold_id=HOLD_ID, **changes):
        return self.ask("POST", "/holds", make_hold(hold_id, **changes))

    def state(self):
        return dict(self.store.records), self.business.free, list(self.business.log)


def make_hold(hold_id=HOLD_ID, service="banner", params=None, item=1, ttl=900):
    params = {"day": "2026-11-11"} if params is None else params
    merchant = ("M-1042", "云栖女装")
    request = HoldRequest(hold_id, service, params, *merchant, "PK-1", item, ttl, Authority.MANDATE, "MD-7")
    return request.to_json()


ACCEPTED = {"authority": {"kind": "accepted"}}
SILENCE = {"authority": {"kind": "silence"}}
BYE = {"reason": "package released"}
