"""Decisions on their way to Guanjia (§5): signed webhooks, retried until a 2xx."""

import asyncio
import logging
import random
from datetime import datetime, timedelta
from typing import Final

import aiohttp

from guanjia.lines.protocol.holds import Clock
from guanjia.lines.protocol.signing import Secrets, webhook_headers
from guanjia.lines.sdk.store import OutgoingMessage, SqliteStore

_log = logging.getLogger(__name__)

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
_LEASE: Final = timedelta(seconds=30)
_AT_ONCE: Final = 10
_LONGEST_PAUSE_SECONDS: Final = 900
_GIVE_UP_AFTER: Final = timedelta(days=3)

# Jitter spreads retries; nobody gains by guessing it.
_jitter = random.uniform


def pause_after(attempts: int) -> timedelta:
    """How long to wait after that many failures: doubling from 1 s to 15 min, half to all of it."""
    longest = min(2.0 ** min(attempts, 30), _LONGEST_PAUSE_SECONDS)
    return timedelta(seconds=_jitter(longest / 2, longest))


class Outbox:
    """Sends what `SqliteStore.put_message` queued. Several processes may; each claims its share."""

    def __init__(self, store: SqliteStore, secrets: Secrets, callback: str, clock: Clock) -> None:
        self._store = store
        self._secrets = secrets
        self._callback = callback
        self._clock = clock

    def session(self) -> aiohttp.ClientSession:
        """The HTTP client to pass to `send_due`; the caller closes it."""
        return aiohttp.ClientSession(timeout=_TIMEOUT)

    async def send_due(self, session: aiohttp.ClientSession) -> int:
        """Send what is due, at most ten messages at once; how many were tried."""
        messages = self._store.take_messages(self._clock(), _LEASE, _AT_ONCE)
        await asyncio.gather(*(self._send(session, message) for message in messages))
        return len(messages)

    async def _send(self, session: aiohttp.ClientSession, message: OutgoingMessage) -> None:
        failure = await self._post(session, message)
        now = self._clock()
        if failure is None:
            self._store.drop_message(message.message_id)
        elif now - message.written_at > _GIVE_UP_AFTER:  # Guanjia has polled since (5.3)
            _log.error("gave up on webhook %s: %s", message.message_id, failure)
            self._store.drop_message(message.message_id)
        else:
            _log.warning("webhook %s failed: %s", message.message_id, failure)
            self._store.postpone_message(message.message_id, now + pause_after(message.attempts))

    async def _post(self, session: aiohttp.ClientSession, message: OutgoingMessage) -> str | None:
        """What went wrong, None after a 2xx."""
        headers = self._headers(message, self._clock())
        try:
            async with session.post(
                self._callback, data=message.body, headers=headers, allow_redirects=False
            ) as answer:
                return None if 200 <= answer.status < 300 else f"HTTP {answer.status}"
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return type(error).__name__

    def _headers(self, message: OutgoingMessage, now: datetime) -> dict[str, str]:
        signed = webhook_headers(self._secrets, message.body, now, message.message_id)
        return {**signed, "content-type": "application/json"}
