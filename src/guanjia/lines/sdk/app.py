"""The ASGI application of a line: requests that arrive together share one commit.

Calls run in the event loop, on the one connection that writes; a thread for them was measured and
answered no sooner. The costly part of a call is the disk's answer to COMMIT: while the loop waits
for it, the server's own threads take in further requests, and the next turn answers all of them
under one commit, each in its own savepoint. No reply leaves before the commit that covers it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from guanjia.lines.protocol.errors import PROBLEM_CONTENT_TYPE
from guanjia.lines.protocol.responder import Reply, Responder
from guanjia.lines.protocol.wire import MAX_BODY_BYTES, dump_body
from guanjia.lines.sdk.outbox import Outbox
from guanjia.lines.sdk.store import SqliteStore

_log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]

_CALLS_PER_COMMIT: Final = 32
_TIDY_SECONDS: Final = 5.0
_OUTBOX_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    reply: asyncio.Future[Reply]


def _failure(status: int, title: str) -> Reply:
    body = dump_body({"type": "about:blank", "title": title, "status": status})
    return Reply(status, {"content-type": PROBLEM_CONTENT_TYPE}, body)


_INTERNAL: Final = _failure(500, "Internal error")
_UNAVAILABLE: Final = _failure(503, "The line's database is not available")


class LineApp:
    """Built by `Line.asgi`. The lifespan runs the outbox and gives lapsed reservations back."""

    def __init__(
        self,
        responder: Responder,
        store: SqliteStore,
        outbox: Outbox | None,
        tidy: Callable[[], None],
    ) -> None:
        self._responder = responder
        self._store = store
        self._outbox = outbox
        self._tidy = tidy
        self._waiting: deque[_Call] = deque()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            raise NotImplementedError(scope["type"])

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read_body(receive)
        if body is None:
            return
        reply = await self._queue(scope, body)
        headers = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
        headers.append((b"content-length", str(len(reply.body)).encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    def _queue(self, scope: Scope, body: bytes) -> asyncio.Future[Reply]:
        loop = asyncio.get_running_loop()
        call = _Call(
            method=scope["method"],
            target=_target(scope),
            headers={k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]},
            body=body,
            reply=loop.create_future(),
        )
        self._waiting.append(call)
        if len(self._waiting) == 1:
            loop.call_soon(self._take_turn)
        return call.reply

    def _take_turn(self) -> None:
        """Answer what waits, up to 32 calls under one commit."""
        count = min(len(self._waiting), _CALLS_PER_COMMIT)
        calls = [self._waiting.popleft() for _ in range(count)]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._take_turn)
        try:
            with self._store.transaction():
                replies = [self._respond(call) for call in calls]
        except Exception:
            _log.exception("%d calls could not be committed", count)
            replies = [_UNAVAILABLE] * count
        for call, reply in zip(calls, replies, strict=True):
            if not call.reply.done():  # the caller may have gone away
                call.reply.set_result(reply)

    def _respond(self, call: _Call) -> Reply:
        try:
            return self._responder.respond(call.method, call.target, call.headers, call.body)
        except Exception:
            _log.exception("%s %s failed", call.method, call.target)
            return _INTERNAL

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            self._tidy()
        except Exception as error:
            _log.exception("the line could not start")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        async with AsyncExitStack() as stack:
            await self._start_chores(stack)
            await send({"type": "lifespan.startup.complete"})
            await receive()
        self._store.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _start_chores(self, stack: AsyncExitStack) -> None:
        """Run the chores until the stack is left."""
        chores = [_for_ever(_TIDY_SECONDS, self._tidied)]
        if self._outbox is not None:
            session = await stack.enter_async_context(self._outbox.session())
            chores.append(_for_ever(_OUTBOX_SECONDS, partial(self._outbox.send_due, session)))
        for chore in chores:
            stack.push_async_callback(_stop, asyncio.create_task(chore))

    async def _tidied(self) -> int:
        self._tidy()
        return 0


async def _for_ever(pause_seconds: float, chore: Callable[[], Awaitable[int]]) -> None:
    """Run the chore, and again at once while it finds work; a failure is logged and retried."""
    while True:
        try:
            busy = await chore()
        except Exception:
            _log.exception("a background chore failed")
            busy = 0
        await asyncio.sleep(0 if busy else pause_seconds)


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _read_body(receive: Receive) -> bytes | None:
    """The body, cut one byte above the limit; None when the caller went away."""
    body = b""
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return None
        chunk: bytes = event.get("body", b"")
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return body[: MAX_BODY_BYTES + 1]
        if not event.get("more_body", False):
            return body


def _target(scope: Scope) -> str:
    """The request target as sent, relative to where the app is mounted (3.2)."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    target = raw.decode("latin-1").removeprefix(scope.get("root_path", ""))
    query = scope["query_string"].decode("latin-1")
    return f"{target}?{query}" if query else target
