"""Rounds of the post without a worker: what is due is told or delivered, at an instant that a test names."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from ipaddress import ip_network

from guanjia.base.sql import rows, run
from guanjia.config.mail import Mail, Server
from guanjia.post import delivering
from guanjia.post.calls import Answer, Call, caller
from guanjia.post.telling import DELIVER_FLOW, tell
from guanjia.post.tests.receivers import Postman

MAIL = Mail(address="post@example.com", smtp=Server("127.0.0.1", 25, "none"))
NOW = timedelta(0)
LOCAL = (ip_network("127.0.0.0/8"),)


def tell_all(now: datetime) -> list[int]:
    """Tell of everything that woke the post."""
    found = [key for (key,) in rows("SELECT key FROM base_flow WHERE name = 'post.tell' ORDER BY key")]
    tell(found, now)
    run("DELETE FROM base_flow WHERE name = 'post.tell'")
    return found


def deliver(now: datetime, postman: Postman | None = None) -> int:
    """One turn of every delivery that is due; returns how many calls were made."""
    due = "SELECT key FROM base_flow WHERE name = %s AND due_at <= %s ORDER BY key"
    keys = [key for (key,) in rows(due, [DELIVER_FLOW, now])]
    turns = delivering.settle([(key, ()) for key in keys], now)
    calls = {turn.key: turn.calls[0] for turn in turns if turn.calls}
    answers = asyncio.run(_perform(calls, postman or Postman()))
    after = delivering.settle([(key, [answer]) for key, answer in answers.items()], now)
    wake = {turn.key: turn.wake_at for turn in turns} | {turn.key: turn.wake_at for turn in after}
    for key, at in wake.items():
        _put_back(key, at)
    return len(calls)


def deliver_all(
    now: datetime, postman: Postman | None = None, *, until: timedelta = timedelta(0)
) -> datetime:
    """Rounds until nothing is due before `until` has passed; returns the instant of the last."""
    end = now + until
    while True:
        while deliver(now, postman):
            pass
        [(due,)] = rows("SELECT min(due_at) FROM base_flow WHERE name = %s", [DELIVER_FLOW])
        if due is None or due > end:
            return now
        now = max(due, now)
        deliver(now, postman)


async def _perform(calls: dict[int, Call], postman: Postman) -> dict[int, Answer]:
    async with caller(postman, LOCAL) as making:
        return {key: await making.make(call) for key, call in calls.items()}


def _put_back(key: int, at: datetime | None) -> None:
    if at is None:
        run("DELETE FROM base_flow WHERE name = %s AND key = %s", [DELIVER_FLOW, key])
    else:
        run("UPDATE base_flow SET due_at = %s WHERE name = %s AND key = %s", [at, DELIVER_FLOW, key])
