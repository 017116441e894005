"""A worker that only tells and delivers, to be killed: `python -m guanjia.post.tests.worker DSN`."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "guanjia.config.settings"

import django

django.setup()

from guanjia.base.flows import Engine, crew, engine, pulse  # noqa: E402
from guanjia.post.calls import CALL_SECONDS, caller  # noqa: E402
from guanjia.post.flows import DeliverFlow, TellFlow  # noqa: E402
from guanjia.post.tests.receivers import Postman  # noqa: E402
from guanjia.post.tests.rounds import LOCAL  # noqa: E402


async def main(dsn: str) -> None:
    engine.KEEP_SECONDS, pulse.STEADY_SECONDS = 0.05, 0.0
    async with caller(Postman(), LOCAL) as calls, crew(dsn, threads=3) as crowd:
        engines: list[Engine[Any, Any]] = [
            Engine(TellFlow(), crowd, batch=4, inflight=16),
            Engine(DeliverFlow(calls), crowd, batch=4, inflight=8, call_seconds=CALL_SECONDS),
        ]
        print("working", flush=True)
        await asyncio.gather(*(one.run(asyncio.Event()) for one in engines))


asyncio.run(main(sys.argv[1]))
