"""One service under test: takes holds, knows which are open, and gives them back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from guanjia.lines.conformance.prober import Answer, Breach, Prober, Skip
from guanjia.lines.conformance.report import Trace
from guanjia.lines.conformance.rules import both
from guanjia.lines.protocol.errors import STATUS_OF_CODE
from guanjia.lines.protocol.messages import Authority, HoldState, Rule, ServiceSpec, Texts
from guanjia.lines.protocol.wire import parse_instant

HELD, PENDING = HoldState.HELD, HoldState.PENDING
REFUSED, CONFIRMED = HoldState.REFUSED, HoldState.CONFIRMED
RELEASED, LAPSED = HoldState.RELEASED, HoldState.LAPSED

ACCEPTED: Final = {"authority": {"kind": "accepted"}}
SILENCE: Final = {"authority": {"kind": "silence"}}
BYE: Final = {"reason": "LP/1 check"}
LONGER: Final = {"ttl_seconds": 60}

# The members of a hold object; a line may add others, which may change.
HOLD_MEMBERS: Final = (
    "hold_id",
    "state",
    "expires_at",
    "quote",
    "decision_due_at",
    "reason",
    "reference",
)

_TTL: Final = 60
_POLL_SECONDS: Final = 0.25
_POLLS: Final = 60
_LONGEST_LAPSE: Final = timedelta(seconds=10)

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Taken:
    """A hold that was asked for: the request and the line's first answer."""

    hold_id: UUID
    request: Mapping[str, Any]
    answer: Answer


def expect_state(answer: Answer, hold_id: UUID, *states: HoldState) -> None:
    """Breach unless it is a 200 about this hold in one of `states`."""
    about = str(answer.member("hold_id")).lower() == str(hold_id)
    if not (answer.status == 200 and about and answer.state in states):
        wanted = " / ".join(states)
        raise Breach(answer, both(f"HTTP 200，本预留，{wanted}", f"HTTP 200, this hold, {wanted}"))


def expect_problem(answer: Answer, code: str) -> None:
    """Breach unless it is the error `code`; a missing code is left to 2.6."""
    status = STATUS_OF_CODE[code]
    if answer.status != status or answer.code not in (None, code):
        raise Breach(answer, both(f"HTTP {status} {code}", f"HTTP {status} {code}"))


def expect_same(answer: Answer, before: Answer) -> None:
    """Breach unless both answers show the same hold object."""
    for name in HOLD_MEMBERS:
        if answer.status != 200 or answer.member(name) != before.member(name):
            raise Breach(answer, both(f"{name} 与上次应答相同", f"{name} the same as in the answer before"))


def instant(answer: Answer, name: str) -> datetime:
    """A time in the answer; Skip where it cannot be read, which is another rule's matter."""
    value = answer.member(name)
    try:
        return parse_instant(value if isinstance(value, str) else "")
    except ValueError:
        raise Skip(both(f"{name} 不可读（见 2.4、4.2.2）", f"{name} is unreadable (2.4, 4.2.2)")) from None


class Trial:
    """Holds on one service, one after the other, so that a line with one free place will do."""

    def __init__(
        self,
        prober: Prober,
        spec: ServiceSpec,
        params: Mapping[str, Any],
        *,
        may_confirm: bool,
        sleep: Sleep,
    ) -> None:
        self.prober = prober
        self.spec = spec
        self.params = params
        self.may_confirm = may_confirm
        self.confirmed: list[Trace] = []
        self.left_behind: list[Trace] = []
        self.had_place = False
        self._sleep = sleep
        self._open: dict[UUID, Taken] = {}
        self._the_confirmed: tuple[Taken, Answer] | None = None
        self._never_lapses: Texts | None = None

    # --- asking ----------------------------------------------------------------------------------

    def request(self, *, hold_id: UUID | None = None, ttl: int = _TTL) -> dict[str, Any]:
        """A sound `POST /holds` body; with a mandate where the rule asks for one."""
        kind = Authority.NONE
        if self.spec.decision.rule is Rule.BEYOND_MANDATE:
            kind = Authority.MANDATE
        return {
            "hold_id": str(hold_id or uuid4()),
            "service": self.spec.code,
            "params": dict(self.params),
            "merchant": {"ref": "LP1-CHECK", "name": "协议检查"},
            "package": {"number": "LP1-CHECK", "item": 1},
            "authority": authority(kind),
            "ttl_seconds": ttl,
        }

    async def post(self, request: Mapping[str, Any], **more: Any) -> Answer:
        """`POST /holds`; what it reserves is given back later."""
        more = {"headers": {"Idempotency-Key": str(request["hold_id"])}, **more}
        answer = await self.prober.call("POST", "/holds", request, **more)
        self._remember(request, answer)
        return answer

    def _remember(self, request: Mapping[str, Any], answer: Answer) -> None:
        try:
            hold_id = UUID(str(request["hold_id"]))
        except ValueError:
            return
        reserved = answer.state in (HELD, PENDING)
        self.had_place = self.had_place or reserved
        if reserved or answer.status is None or answer.status >= 500:  # no answer may reserve too
            self._open[hold_id] = Taken(hold_id, request, answer)

    async def on(self, hold_id: UUID, verb: str, body: Mapping[str, Any]) -> Answer:
        """`POST /holds/{id}/{verb}`."""
        answer = await self.prober.call("POST", f"/holds/{hold_id}/{verb}", body)
        if answer.state in (CONFIRMED, RELEASED):
            taken = self._open.pop(hold_id, None)
            if answer.state == CONFIRMED and taken is not None:
                self.confirmed.append(self._trace(taken))
        return answer

    async def look(self, hold_id: UUID) -> Answer:
        """`GET /holds/{id}`."""
        return await self.prober.call("GET", f"/holds/{hold_id}")

    # --- premises: each gives a hold in a known state or skips the check ---------------------------

    async def take(self, **more: Any) -> Taken:
        """Ask for a hold and see."""
        request = self.request(**more)
        return Taken(UUID(request["hold_id"]), request, await self.post(request))

    async def reserved(self, **more: Any) -> Taken:
        """A hold that is held or pending."""
        taken = await self.take(**more)
        if taken.answer.state not in (HELD, PENDING):
            raise Skip(_not_reserved(taken.answer))
        return taken

    async def held(self, **more: Any) -> Taken:
        """A hold that is held."""
        if self.spec.decision.rule is Rule.ALWAYS:
            raise Skip(both("每次都由人裁定", "a person decides every use"))
        taken = await self.reserved(**more)
        if taken.answer.state != HELD:
            raise Skip(both("预留不是 held（见 4.1.3）", "the hold is not held (4.1.3)"))
        return taken

    async def pending(self) -> Taken:
        """A hold that waits for a person."""
        if self.spec.decision.rule is Rule.NEVER:
            raise Skip(both("这项服务不经人裁定", "nobody decides on this service"))
        request = {**self.request(), "authority": authority(Authority.NONE)}
        taken = Taken(UUID(request["hold_id"]), request, await self.post(request))
        if taken.answer.state != PENDING:
            raise Skip(both("预留不是 pending（见 4.1.3）", "the hold is not pending (4.1.3)"))
        return taken

    async def refused(self) -> Taken:
        """A hold that the line refused; only where it refuses these parameters."""
        taken = await self.take()
        if taken.answer.state != REFUSED:
            raise Skip(both("这些参数没有被拒绝", "these parameters are not refused"))
        return taken

    async def released(self) -> Taken:
        """A hold that was given back."""
        taken = await self.reserved()
        if (await self.on(taken.hold_id, "release", BYE)).state != RELEASED:
            raise Skip(both("释放不成（见 4.5.1）", "the release did not work (4.5.1)"))
        return taken

    async def final(self) -> tuple[Taken, Answer]:
        """The one confirmed hold of this service, and the answer to its confirm."""
        if not self.may_confirm:
            raise Skip(both("没有允许真实确认", "real confirms were not allowed"))
        if self._the_confirmed is None:
            taken = await self.held()
            self._the_confirmed = taken, await self.on(taken.hold_id, "confirm", ACCEPTED)
        return self._the_confirmed

    async def confirmed_hold(self) -> tuple[Taken, Answer]:
        """As `final`, where the confirm worked."""
        taken, answer = await self.final()
        if answer.state != CONFIRMED:
            raise Skip(both("确认不成（见 4.4.1）", "the confirm did not work (4.4.1)"))
        return taken, answer

    async def lapsed(self) -> Taken:
        """A hold that lapsed."""
        if self._never_lapses is not None:
            raise Skip(self._never_lapses)
        taken, seen = await self.outlived()
        if seen.state != LAPSED:
            raise Skip(both("预留没有失效（见 4.7.1）", "the hold did not lapse (4.7.1)"))
        return taken

    async def outlived(self) -> tuple[Taken, Answer]:
        """A hold of one second, and how it looked when it lapsed or our patience ended."""
        taken = await self.reserved(ttl=1)
        granted = instant(taken.answer, "expires_at") - self.prober.now()
        if granted > _LONGEST_LAPSE:
            seconds = int(granted.total_seconds())
            self._never_lapses = both(
                f"业务线至少给 {seconds} 秒，等不到失效", f"the line grants {seconds} s, too long to wait"
            )
            raise Skip(self._never_lapses)
        for _ in range(_POLLS):
            seen = await self.look(taken.hold_id)
            if seen.state == LAPSED:
                return replace(taken, answer=seen), seen
            await self._sleep(_POLL_SECONDS)
        self._never_lapses = both("预留没有失效（见 4.7.1）", "the hold did not lapse (4.7.1)")
        return taken, seen

    # --- leftovers ------------------------------------------------------------------------------

    async def tidy(self) -> None:
        """Release what is open; what cannot be released is written down."""
        for taken in list(self._open.values()):
            answer = await self.on(taken.hold_id, "release", BYE)
            if self._open.pop(taken.hold_id, None) is not None:
                self._note_leftover(taken, answer)

    def _note_leftover(self, taken: Taken, answer: Answer) -> None:
        if answer.code == "hold_confirmed":  # by a line that confirms what it should not
            self.confirmed.append(self._trace(taken))
        elif answer.status != 404:
            self.left_behind.append(self._trace(taken))

    def _trace(self, taken: Taken) -> Trace:
        reference = taken.answer.member("reference")
        return Trace(
            self.spec.code,
            str(taken.hold_id),
            reference if isinstance(reference, str) else None,
        )


@dataclass(frozen=True, slots=True)
class Check:
    """One way to try a rule; `run` raises Breach or Skip. A rule may have several."""

    rule: str
    run: Callable[[Trial], Awaitable[None]]


def authority(kind: Authority) -> dict[str, Any]:
    """The `authority` of a hold; the mandate is one that no line can know."""
    return {"kind": kind.value, "mandate": "LP1-CHECK" if kind is Authority.MANDATE else None}


def _not_reserved(answer: Answer) -> Texts:
    if answer.state != REFUSED:
        return both("预留不成（见 4.2.1、4.2.2）", "the hold did not work (4.2.1, 4.2.2)")
    reason = answer.member("reason")
    code = reason.get("code") if isinstance(reason, dict) else None
    return both(
        f"业务线拒绝了这些参数（{code}）；可用 --params 给出别的",
        f"the line refused these parameters ({code}); give others with --params",
    )


def fields(answer: Answer) -> Iterator[str]:
    """The `field` of each entry in the `errors` of a problem."""
    errors = answer.member("errors")
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, dict) and isinstance(error.get("field"), str):
            yield error["field"]
