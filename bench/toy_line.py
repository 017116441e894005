"""A line that answers LP/1 from memory: the least a line can cost, so that the benchmark measures us.

python bench/toy_line.py PORT [LATENCY_MS]
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta

from aiohttp import web


def build(latency: float) -> web.Application:
    """Every hold is held for an hour and every confirm succeeds, `latency` seconds later."""

    async def answer(hold_id: str, state: str) -> web.Response:
        await asyncio.sleep(latency)
        expires = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = {
            "hold_id": hold_id,
            "state": state,
            "expires_at": expires,
            "quote": None,
            "decision_due_at": None,
            "reason": None,
            "reference": None,
        }
        return web.json_response(body)

    async def hold(request: web.Request) -> web.Response:
        return await answer(json.loads(await request.read())["hold_id"], "held")

    async def change(request: web.Request) -> web.Response:
        await request.read()
        states = {"confirm": "confirmed", "release": "released", "renew": "held"}
        return await answer(request.match_info["hold_id"], states[request.match_info["change"]])

    app = web.Application()
    app.router.add_post("/holds", hold)
    app.router.add_post("/holds/{hold_id}/{change}", change)
    return app


if __name__ == "__main__":
    latency = float(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0.005
    web.run_app(build(latency), host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
