"""Checks of what a hold answers (4.1.3, 4.2) and of duplicates (4.3), on each service."""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID, uuid4

from guanjia.lines.conformance.prober import Answer, Breach, Skip
from guanjia.lines.conformance.rules import both
from guanjia.lines.conformance.samples import misfits, names
from guanjia.lines.conformance.trial import (
    BYE,
    HELD,
    PENDING,
    REFUSED,
    RELEASED,
    Check,
    Taken,
    Trial,
    authority,
    expect_problem,
    expect_same,
    expect_state,
    fields,
)
from guanjia.lines.protocol.errors import STATUS_OF_CODE
from guanjia.lines.protocol.messages import Authority, Rule

_AT_ONCE: Final = 32


async def decision_rule(trial: Trial) -> None:
    """4.1.3: who decides, as published."""
    rule = trial.spec.decision.rule
    if rule is not Rule.ALWAYS:
        taken = await trial.reserved()
        expect_state(taken.answer, taken.hold_id, HELD)
        await trial.tidy()
    if rule is not Rule.NEVER:
        request = {**trial.request(), "authority": authority(Authority.NONE)}
        answer = await trial.post(request)
        if answer.state not in (HELD, PENDING):
            raise Skip(both("预留不成", "the hold did not work"))
        expect_state(answer, UUID(request["hold_id"]), PENDING)


async def refusal(trial: Trial) -> None:
    """4.2.1: a refusal that comes as an error has a code that §7 does not know."""
    answer = (await trial.take()).answer
    if _refused_as_error(answer):
        raise Breach(answer, both("HTTP 200，refused 与原因", "HTTP 200, refused with a reason"))
    if answer.state != REFUSED:
        raise Skip(both("这些参数没有被拒绝", "these parameters are not refused"))
    if not isinstance(answer.member("reason"), dict):
        raise Breach(answer, both("拒绝带 reason", "a refusal with a reason"))


def _refused_as_error(answer: Answer) -> bool:
    return 400 <= (answer.status or 0) < 500 and answer.code not in STATUS_OF_CODE


async def reservation(trial: Trial) -> None:
    """4.2.2."""
    taken = await trial.take()
    answer = taken.answer
    if _refused_as_error(answer):
        raise Skip(both("拒绝不是 200（见 4.2.1）", "the refusal is not a 200 (4.2.1)"))
    expect_state(answer, taken.hold_id, HELD, PENDING, REFUSED)
    if answer.state == REFUSED:
        raise Skip(both("业务线拒绝了这些参数", "the line refused these parameters"))
    if answer.member("expires_at") is None:
        raise Breach(answer, both("有 expires_at", "an expires_at"))
    if answer.state == PENDING and answer.member("decision_due_at") is None:
        raise Breach(answer, both("有 decision_due_at", "a decision_due_at"))


async def schema_violations(trial: Trial) -> None:
    """4.2.3: one spoilt member at a time."""
    wrong = misfits(trial.spec.schema, trial.params)
    if not wrong:
        raise Skip(both("模式什么都接受", "the schema accepts everything"))
    for misfit in wrong:
        request = {**trial.request(), "params": misfit.params}
        answer = await trial.post(request)
        expect_problem(answer, "schema_violation")
        if not any(names(field, misfit.field) for field in fields(answer)):
            expected = f"errors: [{{field: {misfit.field!r}}}]"
            raise Breach(answer, both(expected, expected))
        seen = await trial.look(UUID(request["hold_id"]))
        if seen.status == 200:
            raise Breach(seen, both("HTTP 404：没有预留", "HTTP 404: nothing is reserved"))


async def duplicate_hold(trial: Trial) -> None:
    """4.3.1: one after the other, with what does not belong to the content changed."""
    taken = await trial.reserved()
    relabelled = {**taken.request, "ttl_seconds": 30}
    relabelled["merchant"] = {**taken.request["merchant"], "name": "另一个名字"}
    for request in (taken.request, relabelled):
        expect_same(await trial.post(request), taken.answer)


async def many_at_once(trial: Trial) -> None:
    """4.3.1: the same hold 32 times in one moment; one effect shows as one answer."""
    await trial.reserved()  # alone it works
    await trial.tidy()
    request = trial.request()
    answers = await asyncio.gather(*(trial.post(request) for _ in range(_AT_ONCE)))
    expect_state(answers[0], UUID(request["hold_id"]), HELD, PENDING, REFUSED)
    for answer in answers[1:]:
        expect_same(answer, answers[0])


async def other_content(trial: Trial) -> None:
    """4.3.2: the same id for another item or merchant; the hold is as it was."""
    taken = await trial.reserved()
    for change in (
        {"package": {"number": "LP1-CHECK", "item": 2}},
        {"merchant": {"ref": "LP1-CHECK-2", "name": "协议检查"}},
    ):
        answer = await trial.post({**taken.request, **change})
        expect_problem(answer, "idempotency_mismatch")
    expect_state(await trial.look(taken.hold_id), taken.hold_id, HELD, PENDING)


async def second_release(trial: Trial) -> None:
    """4.3.3."""
    taken = await trial.released()
    again = await trial.on(taken.hold_id, "release", BYE)
    expect_state(again, taken.hold_id, RELEASED)


async def hold_after_empty_release(trial: Trial) -> None:
    """4.5.3: with any content."""
    hold_id = uuid4()
    if (await trial.on(hold_id, "release", BYE)).state != RELEASED:
        raise Skip(both("空释放不成（见 4.5.2）", "the empty release did not work (4.5.2)"))
    request = trial.request(hold_id=hold_id)
    other = {**request, "package": {"number": "LP1-CHECK", "item": 2}}
    await _refused_late(trial, Taken(hold_id, request, await trial.post(request)))
    await _refused_late(trial, Taken(hold_id, other, await trial.post(other)))


async def hold_after_release(trial: Trial) -> None:
    """4.5.3: a duplicate of what was held and given back, and another content."""
    taken = await trial.released()
    other = {**taken.request, "package": {"number": "LP1-CHECK", "item": 2}}
    for request in (taken.request, other):
        await _refused_late(trial, Taken(taken.hold_id, request, await trial.post(request)))


async def _refused_late(trial: Trial, late: Taken) -> None:
    expect_problem(late.answer, "hold_released")
    seen = await trial.look(late.hold_id)
    if seen.state in (HELD, PENDING):
        raise Breach(seen, both("没有预留", "nothing is reserved"))


CHECKS: Final = (
    Check("4.1.3", decision_rule),
    Check("4.2.1", refusal),
    Check("4.2.2", reservation),
    Check("4.2.3", schema_violations),
    Check("4.3.1", duplicate_hold),
    Check("4.3.1", many_at_once),
    Check("4.3.2", other_content),
    Check("4.3.3", second_release),
    Check("4.5.3", hold_after_empty_release),
    Check("4.5.3", hold_after_release),
)
