"""What a worker runs: one engine per durable flow, until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
from typing import Any

from aiohttp import ClientSession
from django.conf import settings

from guanjia.base.flows import Crew, Engine, crew
from guanjia.base.processes.cpus import own_cpu
from guanjia.cases.flows.clocks import ClocksFlow, RecountFlow
from guanjia.cases.flows.structure import ClosingFlow, MajorFlow
from guanjia.cases.flows.work import HandoverFlow, OverdueTaskFlow
from guanjia.config import env
from guanjia.lines.client import Limits, LineClient
from guanjia.lines.flows import KIT_SECONDS, ConformanceFlow
from guanjia.lines.health import keep_vitals
from guanjia.lines.hosted.flows import DecisionFlow, session
from guanjia.packages.flows import PackageFlow
from guanjia.post.calls import CALL_SECONDS, Caller, caller
from guanjia.post.flows import DeliverFlow, SweepFlow, TellFlow
from guanjia.post.mail.flows import MAILBOX_SECONDS, MailboxFlow, MailFlow
from guanjia.post.mail.outgoing import deliver
from guanjia.routines.flows import ScheduleFlow, TriggerFlow
from guanjia.search.flows import CaseWordsFlow, MerchantWordsFlow

ERRAND_THREADS = 3


async def work(*, batch: int, inflight: int, settlers: int = 1) -> None:
    """Run until SIGTERM or SIGINT. Settles up to `batch` packages in one transaction."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    _sweep_seldom()
    house = env.load()
    assert house.database_url is not None
    dsn, limits = house.database_url, Limits(concurrent=inflight)
    with own_cpu(house.home / "run"):
        async with (
            LineClient(settings.LINE_NETWORKS, limits=limits) as client,
            session() as http,
            caller(deliver, settings.HOOK_NETWORKS) as calls,
            crew(dsn, threads=settlers + 1) as packers,
            crew(dsn, threads=ERRAND_THREADS) as runners,
        ):
            engines: list[Engine[Any, Any]] = [
                Engine(PackageFlow(client), packers, batch=batch, inflight=inflight, settlers=settlers),
                *_errands(runners, http),
                *_post(runners, calls),
            ]
            async with asyncio.TaskGroup() as running:
                for engine in engines:
                    running.create_task(engine.run(stop))
                running.create_task(keep_vitals(client, stop))


def _errands(runners: Crew, http: ClientSession) -> list[Engine[Any, Any]]:
    """All that is not a package: few at a time, and so a few sessions for all of them together."""
    kit = ConformanceFlow(settings.LINE_NETWORKS)
    return [
        Engine(DecisionFlow(http), runners, inflight=32),
        Engine(ClocksFlow(), runners, inflight=1),
        Engine(RecountFlow(), runners, inflight=1),
        Engine(OverdueTaskFlow(), runners, batch=100, inflight=200),
        Engine(HandoverFlow(), runners, batch=20, inflight=40),
        Engine(ClosingFlow(), runners, batch=100, inflight=200),
        Engine(MajorFlow(), runners, batch=1, inflight=4),
        Engine(TriggerFlow(), runners, batch=8, inflight=32),
        Engine(ScheduleFlow(), runners, batch=1, inflight=4),
        Engine(CaseWordsFlow(), runners, batch=64, inflight=128),
        Engine(MerchantWordsFlow(), runners, batch=1, inflight=4),
        Engine(MailboxFlow(), runners, inflight=1, call_seconds=MAILBOX_SECONDS),
        Engine(MailFlow(), runners, batch=1, inflight=4),
        Engine(kit, runners, inflight=4, call_seconds=KIT_SECONDS + 30),
    ]


def _post(runners: Crew, calls: Caller) -> list[Engine[Any, Any]]:
    """Telling people: what is told at once in one transaction, what leaves the house call by call."""
    return [
        Engine(TellFlow(), runners, batch=64, inflight=128),
        Engine(DeliverFlow(calls), runners, batch=32, inflight=64, call_seconds=CALL_SECONDS),
        Engine(SweepFlow(), runners, batch=1, inflight=1),
    ]


def _sweep_seldom() -> None:
    """Look for garbage cycles every 20,000 new objects instead of every 700, and never among what is
    there for good. With hundreds of calls under way the usual rhythm took a fifth of our CPU time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
