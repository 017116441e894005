"""The client when a line fails: retries, the circuit, the bulkhead."""

import asyncio
from datetime import timedelta

import pytest
from aiohttp import web

from guanjia.lines.answers import Answered, Unreachable
from guanjia.lines.circuit import Policy
from guanjia.lines.client import Limits, LineEndpoint
from guanjia.lines.protocol.signing import verify_request
from guanjia.lines.tests.scripted_line import (
    HELD,
    HOLD_ID,
    NOON,
    REQUEST,
    SECRET,
    a_world,
    hold_outcome,
    ok,
)

# --- retries -------------------------------------------------------------------------------------


def test_a_retry_carries_the_same_signed_message():
    async def main():
        async with a_world(web.Response(status=503), web.Response(status=429), ok(HELD)) as world:
            assert isinstance(await world.hold(), Answered)
            first, second, third = world.seen
            for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
                assert first.headers[name] == second.headers[name] == third.headers[name]
            assert first.body == third.body
            assert world.pauses == [0.025, 0.05]  # half of 0.05 s, then half of 0.1 s

    asyncio.run(main())


def test_two_calls_carry_different_message_ids():
    async def main():
        async with a_world(ok(HELD), ok(HELD)) as world:
            await world.hold()
            await world.hold()
            first, second = world.seen
            assert first.headers["webhook-id"] != second.headers["webhook-id"]

    asyncio.run(main())


def test_retries_are_bounded_in_number():
    async def main():
        async with a_world(*[web.Response(status=500) for _ in range(5)]) as world:
            assert await world.hold() == Unreachable("status_500")
            assert len(world.seen) == 3

    asyncio.run(main())


def test_retries_are_bounded_by_the_budget():
    async def main():
        limits = Limits(total=1.0, backoff=4.0)
        async with a_world(web.Response(status=500), limits=limits) as world:
            assert await world.hold() == Unreachable("status_500")
            assert (len(world.seen), world.pauses) == (1, [])

    asyncio.run(main())


def test_a_short_retry_after_is_waited_for():
    async def main():
        busy = web.Response(status=429, headers={"Retry-After": "2"})
        async with a_world(busy, ok(HELD)) as world:
            assert isinstance(await world.hold(), Answered)
            assert world.pauses == [2.0]

    asyncio.run(main())


def test_a_long_retry_after_is_handed_to_the_caller():
    async def main():
        busy = web.Response(status=503, headers={"Retry-After": "120"})
        async with a_world(busy) as world:
            assert await world.hold() == Unreachable("status_503", NOON + timedelta(seconds=120))
            assert (len(world.seen), world.pauses) == (1, [])

    asyncio.run(main())


def test_a_broken_connection_is_tried_again():
    calls = []

    async def drop_once(request):
        calls.append(1)
        if len(calls) == 1:
            request.transport.abort()
        return ok(HELD)

    assert isinstance(hold_outcome(drop_once), Answered)
    assert len(calls) == 2


def test_a_refused_connection_is_unreachable():
    async def main():
        async with a_world() as world:
            endpoint = LineEndpoint("gone", "http://127.0.0.1:1/", SECRET)
            assert await world.client.look(endpoint, HOLD_ID) == Unreachable("refused")
            assert len(world.pauses) == 2

    asyncio.run(main())


def test_an_unknown_name_is_unreachable():
    async def main():
        async with a_world() as world:
            endpoint = LineEndpoint("gone", "https://line.invalid/", SECRET)
            assert await world.client.look(endpoint, HOLD_ID) == Unreachable("dns")

    asyncio.run(main())


@pytest.mark.parametrize(
    "babbled",
    [
        b"220 mail.example ESMTP\r\n\r\n",
        # two ways to tell the length: believing the small one would leave the other unbounded
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    ],
)
def test_an_answer_that_is_not_sound_http_is_unreachable(babbled):
    async def main():
        async def babble(reader, writer):
            await reader.readline()
            writer.write(babbled)
            writer.close()

        server = await asyncio.start_server(babble, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, a_world() as world:
            endpoint = LineEndpoint("mail", f"http://127.0.0.1:{port}/", SECRET)
            assert await world.client.look(endpoint, HOLD_ID) == Unreachable("broken")

    asyncio.run(main())


def test_a_line_that_never_answers_is_given_up_within_the_budget():
    async def hang(_):
        await asyncio.Event().wait()

    async def main():
        async with a_world(hang, limits=Limits(total=0.05, retries=0)) as world:
            assert await world.hold() == Unreachable("timeout")

    asyncio.run(main())


def test_a_line_that_stops_in_the_middle_of_its_answer_is_given_up():
    async def stall(request):
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(b"{")
        await asyncio.Event().wait()

    outcome = hold_outcome(stall, limits=Limits(total=0.05, retries=0))
    assert outcome == Unreachable("timeout")


# --- the circuit ---------------------------------------------------------------------------------

TWO = Policy(failures=2, first=8.0, cap=60.0)
NO_RETRY = Limits(retries=0)


def test_the_circuit_opens_and_calls_stop():
    async def main():
        async with a_world(
            web.Response(status=500), web.Response(status=502), limits=NO_RETRY, policy=TWO
        ) as world:
            assert await world.hold() == Unreachable("status_500")
            until = NOON + timedelta(seconds=6)  # 8 s less half of the jittered half
            assert await world.hold() == Unreachable("status_502", until)
            assert await world.hold() == Unreachable("circuit_open", until)
            assert len(world.seen) == 2

    asyncio.run(main())


def test_an_opening_circuit_ends_the_retries_of_its_call():
    async def main():
        async with a_world(web.Response(status=500), web.Response(status=500), policy=TWO) as world:
            outcome = await world.hold()
            assert isinstance(outcome, Unreachable)
            assert outcome.why == "status_500"
            assert len(world.seen) == 2

    asyncio.run(main())


def test_after_the_interval_one_answered_probe_closes_the_circuit():
    async def main():
        bad = [web.Response(status=500), web.Response(status=500)]
        async with a_world(*bad, ok(HELD), ok(HELD), limits=NO_RETRY, policy=TWO) as world:
            await world.hold()
            await world.hold()
            world.clock[0] = 6.0
            assert isinstance(await world.hold(), Answered)
            assert isinstance(await world.hold(), Answered)

    asyncio.run(main())


def test_only_one_probe_is_out_at_a_time_and_a_cancelled_one_makes_room():
    arrived, stay = asyncio.Event(), asyncio.Event()

    async def script(_, calls=[]):  # noqa: B006 - the count of this test
        calls.append(1)
        if len(calls) <= 2:
            return web.Response(status=500)
        if len(calls) == 3:
            arrived.set()
            await stay.wait()
        return ok(HELD)

    async def main():
        async with a_world(script, limits=NO_RETRY, policy=TWO) as world:
            await world.hold()
            await world.hold()
            world.clock[0] = 6.0
            probe = asyncio.create_task(world.hold())
            await arrived.wait()
            outcome = await world.hold()
            assert isinstance(outcome, Unreachable)
            assert outcome.why == "circuit_open"
            probe.cancel()
            with pytest.raises(asyncio.CancelledError):
                await probe
            assert isinstance(await world.hold(), Answered)
            stay.set()

    asyncio.run(main())


def test_one_lines_circuit_is_not_anothers():
    async def main():
        async with a_world(
            web.Response(status=500), web.Response(status=500), ok(HELD), limits=NO_RETRY, policy=TWO
        ) as w:
            await w.hold()
            await w.hold()
            other = LineEndpoint("other", w.endpoint.base_url, SECRET)
            assert isinstance(await w.client.hold(other, REQUEST), Answered)

    asyncio.run(main())


def test_a_new_secret_keeps_the_circuit_and_a_new_address_starts_afresh():
    new = "whsec_" + "bmV3LXNlY3JldC1vZi10aGUtZGlzcGxheS1saW5lcy4="

    async def main():
        bad = [web.Response(status=500), web.Response(status=500)]
        async with a_world(*bad, ok(HELD), limits=NO_RETRY, policy=TWO) as world:
            await world.hold()
            await world.hold()
            rotated = LineEndpoint("display-slots", world.endpoint.base_url, new)
            outcome = await world.client.hold(rotated, REQUEST)
            assert isinstance(outcome, Unreachable)
            moved = LineEndpoint("display-slots", world.endpoint.base_url + "v2", new)
            assert isinstance(await world.client.hold(moved, REQUEST), Answered)
            request = world.seen[-1]
            assert request.path == "/lp/v2/holds"
            verify_request(new, "POST", "/holds", request.headers, request.body, NOON)

    asyncio.run(main())


# --- the bulkhead --------------------------------------------------------------------------------


def test_a_line_gets_at_most_its_slots_and_the_rest_wait():
    gate = asyncio.Event()
    inside: list[int] = [0, 0]

    async def count(_):
        inside[0] += 1
        inside[1] = max(inside[1], inside[0])
        if inside[0] == 3:
            gate.set()
        await gate.wait()
        inside[0] -= 1
        return ok(HELD)

    async def main():
        async with a_world(count, limits=Limits(concurrent=3)) as world:
            outcomes = await asyncio.gather(*(world.hold() for _ in range(12)))
            assert all(isinstance(outcome, Answered) for outcome in outcomes)
            assert inside == [0, 3]

    asyncio.run(main())


def test_who_finds_no_slot_within_half_the_budget_is_told_so():
    arrived, stay = asyncio.Event(), asyncio.Event()

    async def hang(_):
        arrived.set()
        await stay.wait()
        return ok(HELD)

    async def main():
        async with a_world(hang, limits=Limits(total=0.2, concurrent=1, retries=0)) as world:
            first = asyncio.create_task(world.hold())
            await arrived.wait()
            assert await world.hold() == Unreachable("busy")
            assert len(world.seen) == 1
            stay.set()
            assert isinstance(await first, Answered)

    asyncio.run(main())
