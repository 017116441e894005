"""LP/1 over HTTP without a web framework: a request in, a reply out, everything between in step.

The ASGI app of the SDK and the Django view of the hosted lines are thin shells around this.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final
from uuid import UUID

from guanjia.lines.protocol.errors import PROBLEM_CONTENT_TYPE, ProtocolError
from guanjia.lines.protocol.holds import Holds
from guanjia.lines.protocol.messages import (
    MANIFEST_PATH,
    ConfirmRequest,
    HoldRequest,
    ReleaseRequest,
    RenewRequest,
)
from guanjia.lines.protocol.signing import Secrets, verify_request
from guanjia.lines.protocol.wire import MAX_BODY_BYTES, dump_body, parse_body, parse_hold_id

_HOLD_PATH: Final = re.compile(r"/holds/([^/]+)((?:/(?:confirm|release|renew))?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer. Content-Length is the server's to add."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Call:
    hold_id: str
    headers: Mapping[str, str]
    body: bytes


_Handler = Callable[["Responder", _Call], bytes]

_JSON: Final = {"content-type": "application/json"}
_PROBLEM: Final = {"content-type": PROBLEM_CONTENT_TYPE}


def problem(error: ProtocolError) -> Reply:
    """The RFC 9457 answer to an error (2.6)."""
    return Reply(error.status, _PROBLEM, dump_body(error.to_json()))


class Responder:
    """Answers the calls of §4. Safe for one thread at a time; cheap to keep for a line's life.

    Exceptions of the business or the store pass through, after the transaction rolled back: the
    shell answers 500, and Guanjia retries.
    """

    def __init__(self, holds: Holds, secrets: Secrets) -> None:
        self._holds = holds
        self._secrets = secrets
        self._manifest = dump_body(holds.manifest.to_json())

    def respond(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request.

        `target` is path and query as sent, relative to the line's base URL; `headers` is a
        case-insensitive mapping or a dict with lower-case names.
        """
        try:
            return self._respond(method, target, headers, body)
        except ProtocolError as error:
            return problem(error)

    def _respond(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if len(body) > MAX_BODY_BYTES:
            raise ProtocolError("body_too_large", f"more than {MAX_BODY_BYTES} bytes")
        path = target.partition("?")[0]
        if path != MANIFEST_PATH:  # 3.4
            verify_request(self._secrets, method, target, headers, body, self._holds.clock())
        template, hold_id = _template(path)
        handlers = self.ROUTES.get(template)
        if handlers is None:
            raise ProtocolError("not_found", "no such path")
        handler = handlers.get(method)
        if handler is None:
            wrong = problem(ProtocolError("method_not_allowed", f"not {method}"))
            return Reply(wrong.status, {**wrong.headers, "allow": ", ".join(handlers)}, wrong.body)
        return Reply(200, _JSON, handler(self, _Call(hold_id, headers, body)))

    def _answer_manifest(self, call: _Call) -> bytes:
        return self._manifest

    def _answer_hold(self, call: _Call) -> bytes:
        request = HoldRequest.from_json(parse_body(call.body))
        key = call.headers.get("idempotency-key")
        if key is not None and parse_hold_id(key, "Idempotency-Key") != request.hold_id:
            raise ProtocolError("malformed", "Idempotency-Key: not the hold_id of the body")
        return dump_body(self._holds.hold(request).to_json())

    def _answer_look(self, call: _Call) -> bytes:
        return dump_body(self._holds.look(_id(call)).to_json())

    def _answer_confirm(self, call: _Call) -> bytes:
        request = ConfirmRequest.from_json(parse_body(call.body))
        return dump_body(self._holds.confirm(_id(call), request.authority_kind).to_json())

    def _answer_release(self, call: _Call) -> bytes:
        ReleaseRequest.from_json(parse_body(call.body))
        return dump_body(self._holds.release(_id(call)).to_json())

    def _answer_renew(self, call: _Call) -> bytes:
        request = RenewRequest.from_json(parse_body(call.body))
        return dump_body(self._holds.renew(_id(call), request.ttl_seconds).to_json())

    ROUTES: ClassVar[Mapping[str, Mapping[str, _Handler]]] = {
        MANIFEST_PATH: {"GET": _answer_manifest},
        "/holds": {"POST": _answer_hold},
        "/holds/{hold_id}": {"GET": _answer_look},
        "/holds/{hold_id}/confirm": {"POST": _answer_confirm},
        "/holds/{hold_id}/release": {"POST": _answer_release},
        "/holds/{hold_id}/renew": {"POST": _answer_renew},
    }


def _template(path: str) -> tuple[str, str]:
    """The path with its hold id, if it has one, taken out."""
    found = _HOLD_PATH.fullmatch(path)
    return (path, "") if found is None else ("/holds/{hold_id}" + found[2], found[1])


def _id(call: _Call) -> UUID:
    return parse_hold_id(call.hold_id, "path")
