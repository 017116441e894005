"""Sends one call at a time to a line, honestly or with a chosen fault, and keeps what came back.

Reads leniently: one broken rule must not make every other check fail. What holds for every answer
(2.1 to 2.6) is watched here, on each of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any, Final

import aiohttp
from yarl import URL

from guanjia.lines.answers import JSON_CONTENT_TYPE, why
from guanjia.lines.client import LineEndpoint
from guanjia.lines.conformance.report import Failure
from guanjia.lines.conformance.rules import both
from guanjia.lines.protocol.errors import PROBLEM_CONTENT_TYPE, ProtocolError
from guanjia.lines.protocol.messages import Money, Texts
from guanjia.lines.protocol.signing import request_headers
from guanjia.lines.protocol.wire import MAX_BODY_BYTES, Members, dump_body, parse_body
from guanjia.lines.ssrf import DestinationRefused

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
_QUOTED: Final = 2_000  # characters of a body that a report repeats


class Breach(Exception):  # noqa: N818 - named for what happened
    """The line broke the rule that is being tried."""

    def __init__(self, answer: Answer, expected: Texts) -> None:
        super().__init__(expected["en"])
        self.failure = answer.as_failure(expected)


class Skip(Exception):  # noqa: N818 - not an error
    """The rule cannot be tried here; `note` says why."""

    def __init__(self, note: Texts) -> None:
        super().__init__(note["en"])
        self.note = note


@dataclass(frozen=True, slots=True)
class Seal:
    """How a call is signed. The default is right; each other value is one fault.

    `absent`: no signature at all. `secret`: another one. `late`: seconds by which the clock is
    wrong. `path`, `body`: sign these instead of what is sent.
    """

    absent: bool = False
    secret: str | None = None
    late: float = 0.0
    path: str | None = None
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What was sent and what came back; `status` is None where nothing did, and `fault` says why."""

    method: str
    path: str
    sent: bytes
    status: int | None = None
    fault: str = ""
    content_type: str = ""
    body: bytes = b""
    document: Mapping[str, Any] | None = None

    @property
    def state(self) -> object:
        """The state of the hold object of a 200, None otherwise."""
        return self.member("state") if self.status == 200 else None

    @property
    def code(self) -> str | None:
        """The `code` of a problem, None where there is none."""
        code = self.member("code")
        return code if isinstance(code, str) else None

    def member(self, name: str) -> object:
        """A member of the answer's object, None where there is neither."""
        return None if self.document is None else self.document.get(name)

    def as_failure(self, expected: Texts) -> Failure:
        """This exchange as evidence."""
        return Failure(
            method=self.method,
            path=self.path,
            body=_quoted(self.sent),
            expected=expected,
            status=self.status,
            got=self.fault or _quoted(self.body),
        )


def _quoted(body: bytes) -> str:
    text = body[: 4 * _QUOTED].decode(errors="replace")
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}… ({len(body)} bytes)"


class Prober:
    """One line under test.

    `broken`: the first offence against each watched rule. `quoted`: the line named a price.
    """

    def __init__(
        self, endpoint: LineEndpoint, session: aiohttp.ClientSession, now: Callable[[], datetime]
    ) -> None:
        self.now = now
        self.broken: dict[str, Failure] = {}
        self.quoted = False
        self._endpoint = endpoint
        self._session = session
        self._base = URL(endpoint.base_url)

    async def call(
        self, method: str, path: str, document: Mapping[str, Any] | None = None, **more: Any
    ) -> Answer:
        """Send `document` as the JSON body (none for None); `more` as for `send`."""
        body = b"" if document is None else dump_body(document)
        return await self.send(method, path, body, **more)

    async def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        seal: Seal = Seal(),
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send exactly `body`; never raises for what the line or the network does."""
        sent = {"Accept-Encoding": "identity", **self._signed(method, path, body, seal)}
        if body:
            sent["Content-Type"] = JSON_CONTENT_TYPE
        try:
            answer = await self._exchange(method, path, body, sent | dict(headers or {}))
        except (aiohttp.ClientError, OSError) as error:
            answer = Answer(method, path, body, fault=why(error))
        except DestinationRefused as refusal:
            answer = Answer(method, path, body, fault=str(refusal))
        self._watch(answer)
        return answer

    def _signed(self, method: str, path: str, body: bytes, seal: Seal) -> dict[str, str]:
        if seal.absent:
            return {}
        return request_headers(
            seal.secret or self._endpoint.secret,
            method,
            path if seal.path is None else seal.path,
            body if seal.body is None else seal.body,
            self.now() - timedelta(seconds=seal.late),
            token_hex(16),
        )

    async def _exchange(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        target, _, query = path.partition("?")
        url = self._base.with_path(self._base.raw_path.rstrip("/") + target, encoded=True)
        async with self._session.request(
            method,
            url.with_query(query or None),
            data=body or None,
            headers=headers,
            allow_redirects=False,
            timeout=_TIMEOUT,
        ) as response:
            received = await _cut(response)
            return Answer(
                method,
                path,
                body,
                status=response.status,
                content_type=response.headers.get("Content-Type", ""),
                body=received,
                document=_object(received),
            )

    def _watch(self, answer: Answer) -> None:
        for rule, expected in _offences(answer):
            self.broken.setdefault(rule, answer.as_failure(expected))
        self.quoted = self.quoted or answer.member("quote") is not None


async def _cut(response: aiohttp.ClientResponse) -> bytes:
    """The body, cut one byte above what is allowed."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            break
    return bytes(body[: MAX_BODY_BYTES + 1])


def _object(body: bytes) -> Mapping[str, Any] | None:
    try:
        document = json.loads(body.decode())
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _offences(answer: Answer) -> list[tuple[str, Texts]]:
    """The rules that hold for every answer, 2.1 to 2.6, as far as this one breaks them."""
    status = answer.status
    if status is None or status >= 500:
        return []
    if 300 <= status < 400 or len(answer.body) > MAX_BODY_BYTES:
        return [("2.2", both("不重定向，不超过 256 KiB", "no redirect, at most 256 KiB"))]
    return _offences_of_error(answer) if status >= 400 else _offences_of_success(answer)


def _offences_of_error(answer: Answer) -> list[tuple[str, Texts]]:
    media = answer.content_type.partition(";")[0].strip().lower()
    if media == PROBLEM_CONTENT_TYPE and answer.code:
        return []
    expected = both(f"{PROBLEM_CONTENT_TYPE}，带 §7 里的 code", f"{PROBLEM_CONTENT_TYPE} with a code of §7")
    return [("2.6", expected)]


def _offences_of_success(answer: Answer) -> list[tuple[str, Texts]]:
    media = answer.content_type.partition(";")[0].strip().lower()
    found = []
    if media != JSON_CONTENT_TYPE or answer.document is None:
        found.append(("2.1", both(f"{JSON_CONTENT_TYPE} 的对象", f"an object as {JSON_CONTENT_TYPE}")))
    for rule, names, read, expected in _FORMS:
        if any(not _reads(answer.member(name), name, read) for name in names):
            found.append((rule, expected))
    return found


_Read = Callable[[Members, str], object]

_FORMS: Final[tuple[tuple[str, tuple[str, ...], _Read, Texts], ...]] = (
    (
        "2.3",
        ("quote",),
        lambda data, name: Money.from_json(data.child(name)),
        both("整数的 amount 与三个字母的 currency", "an integer amount and a three-letter currency"),
    ),
    (
        "2.4",
        ("expires_at", "decision_due_at"),
        lambda data, name: data.instant(name),
        both("如 2026-11-11T00:00:00Z", "for example 2026-11-11T00:00:00Z"),
    ),
    (
        "2.5",
        ("reason",),
        lambda data, name: data.child(name).texts("message"),
        both("message 有 zh-Hans 与 en", "a message in zh-Hans and en"),
    ),
)


def _reads(value: object, name: str, read: _Read) -> bool:
    if value is None:
        return True
    try:
        read(Members({name: value}, ""), name)
    except ProtocolError:
        return False
    return True


def strictly(document: Mapping[str, Any]) -> Members:
    """`document` as the protocol's strict reader sees it. Raises ProtocolError."""
    return parse_body(dump_body(document))
