"""Checks that one service is enough for: transport (§2), signatures (§3), unknown things (§4)."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID, uuid4

from guanjia.lines.conformance.prober import Answer, Breach, Seal, Skip
from guanjia.lines.conformance.rules import both
from guanjia.lines.conformance.trial import (
    ACCEPTED,
    BYE,
    HELD,
    PENDING,
    REFUSED,
    RELEASED,
    Check,
    Trial,
    expect_problem,
    expect_state,
)
from guanjia.lines.protocol.signing import TOLERANCE_SECONDS, new_secret
from guanjia.lines.protocol.wire import MAX_BODY_BYTES, MAX_TTL_SECONDS, dump_body

_FORGED: Final = Seal(secret=new_secret())
_UNREADABLE: Final = (b"{", b"[1]", b'{"hold_id": "\xff"}', b"{}")


async def unreadable_bodies(trial: Trial) -> None:
    """2.1, and `malformed` of §7: not JSON, not an object, not UTF-8, members missing, NUL."""
    spoilt = {**trial.request(), "merchant": {"ref": "LP1-CHECK", "name": "a\0b"}}
    for body in (*_UNREADABLE, dump_body(spoilt)):
        expect_problem(await trial.prober.send("POST", "/holds", body), "malformed")


async def oversized_body(trial: Trial) -> None:
    """2.2: one byte more than allowed."""
    request = {**trial.request(), "padding": ""}
    padding = MAX_BODY_BYTES + 1 - len(dump_body(request))
    expect_problem(await trial.post({**request, "padding": "x" * padding}), "body_too_large")
    await _nothing_known(trial, UUID(request["hold_id"]))


async def unknown_members_of_a_hold(trial: Trial) -> None:
    """2.7: members of a later protocol, which do not belong to the content either."""
    await trial.reserved()  # without them it works
    await trial.tidy()
    request = trial.request()
    grown: dict[str, Any] = {**request, "lp1_check": {"a": [1]}}
    grown["merchant"] = {**request["merchant"], "lp1_check": True}
    for document in (grown, request):
        answer = await trial.post(document)
        expect_state(answer, UUID(request["hold_id"]), HELD, PENDING, REFUSED)


async def unknown_members_of_a_release(trial: Trial) -> None:
    """2.7."""
    if (await trial.on(uuid4(), "release", BYE)).state != RELEASED:
        raise Skip(both("空释放不成（见 4.5.2）", "the empty release did not work (4.5.2)"))
    hold_id = uuid4()
    answer = await trial.on(hold_id, "release", {**BYE, "lp1_check": None})
    expect_state(answer, hold_id, RELEASED)


async def signature_of_another_request(trial: Trial) -> None:
    """3.2: a good signature, but for another path, query or method."""
    if (await trial.prober.send("GET", f"/holds/{uuid4()}", seal=_FORGED)).status != 401:
        raise Skip(both("任何签名都被接受（见 3.3）", "any signature is accepted (3.3)"))
    mine, other = f"/holds/{uuid4()}", f"/holds/{uuid4()}"
    release = dump_body(BYE)
    send = trial.prober.send
    strays = (
        await send("POST", f"{other}/release", release, seal=Seal(path=f"{mine}/release")),
        await send("POST", f"{other}/release", release, seal=Seal(path=f"{other}/confirm")),
        await send("GET", f"{other}?lp1=check", seal=Seal(path=other)),
    )
    for answer in strays:
        expect_problem(answer, "signature_invalid")
    honest = await send("GET", f"{other}?lp1=check")
    if honest.status == 401:
        raise Breach(honest, both("签名含查询串，应被接受", "accepted: the signature covers the query"))


_BAD_SEALS: Final = (
    (Seal(absent=True), "signature_missing"),
    (_FORGED, "signature_invalid"),
    (Seal(body=b'{"reason":"another"}'), "signature_invalid"),
    (Seal(late=2 * TOLERANCE_SECONDS), "timestamp_skew"),
    (Seal(late=-2 * TOLERANCE_SECONDS), "timestamp_skew"),
)


async def bad_signatures(trial: Trial) -> None:
    """3.3: each kind on hold and release, none at all on every call; and nothing came of it."""
    request = trial.request()
    hold_id = UUID(request["hold_id"])
    for seal, code in _BAD_SEALS:
        expect_problem(await trial.post(request, seal=seal), code)
        body = dump_body(BYE)
        answer = await trial.prober.send("POST", f"/holds/{hold_id}/release", body, seal=seal)
        expect_problem(answer, code)
    for method, path, body in _others(hold_id):
        answer = await trial.prober.send(method, path, body, seal=Seal(absent=True))
        expect_problem(answer, "signature_missing")
    await _nothing_known(trial, hold_id)


def _others(hold_id: UUID) -> tuple[tuple[str, str, bytes], ...]:
    return (
        ("GET", f"/holds/{hold_id}", b""),
        ("POST", f"/holds/{hold_id}/confirm", dump_body(ACCEPTED)),
        ("POST", f"/holds/{hold_id}/renew", dump_body({"ttl_seconds": 60})),
    )


async def unknown_service(trial: Trial) -> None:
    """4.2.4."""
    request = {**trial.request(), "service": "lp1-check-no-such-service", "params": {}}
    expect_problem(await trial.post(request), "unknown_service")
    await _nothing_known(trial, UUID(request["hold_id"]))


async def ids_and_times_to_live(trial: Trial) -> None:
    """4.2.5."""
    request = trial.request()
    for change in (
        {"hold_id": "0b9f"},
        {"hold_id": UUID(request["hold_id"]).hex},
        {"ttl_seconds": 0},
        {"ttl_seconds": MAX_TTL_SECONDS + 1},
    ):
        expect_problem(await trial.post({**request, **change}, headers={}), "malformed")
    other = {"Idempotency-Key": str(uuid4())}
    expect_problem(await trial.post(request, headers=other), "malformed")
    expect_problem(await trial.prober.send("GET", "/holds/0b9f"), "malformed")
    await _nothing_known(trial, UUID(request["hold_id"]))


async def upper_case_id(trial: Trial) -> None:
    """4.2.5: one hold, whichever way its id is written."""
    taken = await trial.reserved()
    shouted = {**taken.request, "hold_id": str(taken.hold_id).upper()}
    expect_state(await trial.post(shouted), taken.hold_id, HELD, PENDING)


async def empty_confirm(trial: Trial) -> None:
    """4.4.3."""
    hold_id = uuid4()
    expect_problem(await trial.on(hold_id, "confirm", ACCEPTED), "unknown_hold")
    await _nothing_known(trial, hold_id)


async def empty_release(trial: Trial) -> None:
    """4.5.2; what the tombstone is for is 4.5.3."""
    hold_id = uuid4()
    expect_state(await trial.on(hold_id, "release", BYE), hold_id, RELEASED)


async def _nothing_known(trial: Trial, hold_id: UUID) -> None:
    answer: Answer = await trial.look(hold_id)
    if answer.status == 200:
        expected = both("HTTP 404：先前的请求没有效果", "HTTP 404: the earlier request had no effect")
        raise Breach(answer, expected)


CHECKS: Final = (
    Check("2.1", unreadable_bodies),
    Check("2.2", oversized_body),
    Check("2.7", unknown_members_of_a_hold),
    Check("2.7", unknown_members_of_a_release),
    Check("3.2", signature_of_another_request),
    Check("3.3", bad_signatures),
    Check("4.2.4", unknown_service),
    Check("4.2.5", ids_and_times_to_live),
    Check("4.2.5", upper_case_id),
    Check("4.4.3", empty_confirm),
    Check("4.5.2", empty_release),
)
