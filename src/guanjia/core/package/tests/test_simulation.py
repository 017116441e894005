"""The machine against simulated lines, a network that loses and repeats, and workers that die.

Whatever happens, three things are checked after every settle (`World.check`): no call repeats without
a pause and nobody sleeps for good; no confirm before the point of no return, and none on a hold that
lapsed or costs more than was accepted; no release behind it. At the end of every run (`World.finish`)
the package has ended, no line holds anything, and all-or-nothing means it, unless people were told
that an item needs a hand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from guanjia.core.package import (
    ENDED,
    Accepted,
    Call,
    CallKind,
    Cancelled,
    Decision,
    Declined,
    HandSettled,
    Item,
    ItemState,
    Mode,
    NoticeKind,
    Package,
    PackageState,
    Signal,
    Submitted,
    Unreachable,
    settle,
)
from guanjia.core.package.states import ACTIVE, OPEN, OUT
from guanjia.core.package.tests.scenes import NOON, documented_moves, seconds
from guanjia.core.package.tests.simulated import Line

DOCUMENTED = documented_moves()
MOST_TURNS = 20_000
PAST = (PackageState.CONFIRMING, PackageState.DONE)


@dataclass
class Message:
    """A call under way, or with `signal` its answer; `heard` says whether somebody still listens."""

    call: Call | None
    line: Line
    signal: Signal | None = None


@dataclass
class World:
    package: Package
    lines: dict[UUID, Line]
    now: datetime = NOON
    requests: list[Message] = field(default_factory=list)
    answers: list[Message] = field(default_factory=list)
    out: set[UUID] = field(default_factory=set)  # items that may be released behind the point of no return
    handed: set[UUID] = field(default_factory=set)  # items of which people were told NEEDS_HAND
    wake_at: datetime | None = None

    # --- what can happen ------------------------------------------------------------------------

    def settle(self, *signals: Signal, answered: Call | None = None) -> Decision:
        before = self.package
        decision = settle(before, signals, self.now)
        self.check(before, decision, answered)
        self.package, self.wake_at = decision.package, decision.wake_at
        return decision

    def work(self) -> list[Message]:
        """A worker looks: the calls that are due are under way."""
        calls = self.settle().calls
        sent = [Message(call, self.lines[call.item.uid]) for call in calls]
        self.requests += sent
        return sent

    def arrive(self, message: Message) -> Message:
        """The line gets the call and answers."""
        call = message.call
        assert call is not None
        signal = message.line.answer(call.kind, call.item.hold_id, self.now, silence=call.item.by_silence)
        return Message(call, message.line, signal)

    def hear(self, message: Message) -> None:
        assert message.signal is not None
        self.settle(message.signal, answered=message.call)

    def accept(self) -> None:
        """The merchant accepts what it is shown."""
        self.settle(self._yes_without(None))

    def answer(self, declined: Item) -> None:
        """The merchant declines one item and accepts the others."""
        self.settle(Declined([declined.uid]), self._yes_without(declined))

    def _yes_without(self, declined: Item | None) -> Accepted:
        shown = (ItemState.DRAFTED, ItemState.HELD)
        items = [i for i in self.package.items if i.state in shown and i.quote_amount is not None]
        return Accepted({item.uid: item.quote_amount or 0 for item in items if item is not declined})

    def by_hand(self, item: Item, outcome: str) -> None:
        """A person who looks before saying that something was confirmed."""
        if outcome == "confirmed" and self.lines[item.uid].state_of(item.hold_id) != "confirmed":
            outcome = "retry"
        if outcome == "waived":
            self.out.add(item.uid)
        self.settle(HandSettled(item.uid, outcome))  # type: ignore[arg-type]

    @property
    def failed(self) -> list[Item]:
        return [item for item in self.package.items if item.state is ItemState.FAILED_NEEDS_HAND]

    # --- what must hold after every settle --------------------------------------------------------

    def check(self, before: Package, decision: Decision, answered: Call | None) -> None:
        after = decision.package
        assert before.state is after.state or (before.state, after.state) in DOCUMENTED
        self._check_told(before, decision)
        self._check_pauses(decision, answered)
        if before.state in OPEN and after.state in PAST:
            self._check_point_of_no_return(after)
        if before.state is PackageState.CONFIRMING:
            assert after.state in (*PAST, PackageState.RELEASED)
        for call in decision.calls:
            if call.kind is CallKind.CONFIRM:
                assert after.state is PackageState.CONFIRMING
                assert (call.item.quote_amount or 0) <= (call.item.accepted_amount or 0)
            if call.kind is CallKind.RELEASE and after.state in PAST:
                assert call.item.uid in self.out

    def _check_told(self, before: Package, decision: Decision) -> None:
        told = {n.item for n in decision.notices if n.kind is NoticeKind.NEEDS_HAND}
        for old, new in zip(before.items, decision.package.items, strict=True):
            entered = new.state is not old.state and new.state is ItemState.FAILED_NEEDS_HAND
            assert (new.uid in told) == entered
        self.handed |= {uid for uid in told if uid}

    def _check_pauses(self, decision: Decision, answered: Call | None) -> None:
        package = decision.package
        if answered is not None:
            again = {(call.kind, call.item.hold_id) for call in decision.calls}
            assert (answered.kind, answered.item.hold_id) not in again
        for item in package.items:
            assert (item.next_at is not None) == (item.state in ACTIVE)
        if decision.calls or package.state in ENDED:
            assert package.state not in ENDED or not decision.calls
            return
        if decision.wake_at is None:
            assert all(item.state not in ACTIVE for item in package.items)
            assert any(item.state is ItemState.FAILED_NEEDS_HAND for item in package.items)
        else:
            assert decision.wake_at > self.now

    def _check_point_of_no_return(self, after: Package) -> None:
        for item in after.items:
            if item.state is ItemState.CONFIRMING:
                assert item.hold_expires_at is not None
                assert item.hold_expires_at > self.now
                assert (item.quote_amount or 0) <= (item.accepted_amount or 0)
            elif item.state in OUT:
                self.out.add(item.uid)
            else:
                assert item.uid in self.handed

    # --- to the end -----------------------------------------------------------------------------------

    def finish(self, random: Random) -> None:
        """From here on the network works, and lines and people answer sooner or later."""
        outcomes = {item.uid: ["waived", "confirmed", "retry"] for item in self.package.items}
        if self.package.state is PackageState.DRAFTED:
            self.settle(Submitted())
        for _ in range(MOST_TURNS):
            if self.package.state in ENDED:
                break
            if self.answers and random.random() < 0.5:
                self.hear(self.answers.pop(random.randrange(len(self.answers))))
            elif self.requests and random.random() < 0.2:
                self.arrive(self.requests.pop(random.randrange(len(self.requests))))
            else:
                self._turn(random, outcomes)
        assert self.package.state in ENDED
        self._check_end()

    def _turn(self, random: Random, outcomes: dict[UUID, list[str]]) -> None:
        calls = self.work()
        for message in calls:
            self.requests.remove(message)
            self.now += seconds(random.choice((0.001, 0.05)))
            self.hear(self.arrive(message))
        if calls or self.package.state in ENDED:
            return
        if self.package.accept_due_at and random.random() < 0.3:
            self.accept()
        elif self.failed and (self.wake_at is None or random.random() < 0.3):
            item = self.failed[0]
            self.by_hand(item, outcomes[item.uid].pop() if outcomes[item.uid] else "waived")
            outcomes[item.uid] = outcomes[item.uid] or ["waived", "confirmed"]
        else:
            self._decide(random)
            assert self.wake_at is not None
            self.now = max(self.now, self.wake_at)

    def _decide(self, random: Random) -> None:
        for line in self.lines.values():
            for hold_id in line.undecided(self.now):
                if random.random() < 0.05:
                    line.decide(hold_id, self.now, yes=random.random() < 0.7, quote=line.price)

    def _check_end(self) -> None:
        for message in self.requests:  # what the network still had under way comes too late
            self.arrive(message)
        for item in self.package.items:
            line = self.lines[item.uid]
            assert not any(hold.alive(self.now) for hold in line.holds.values())
            booked = [hold for hold in line.holds.values() if hold.state == "confirmed"]
            assert len(booked) <= 1
            if item.uid not in self.handed:
                assert len(booked) == (item.state is ItemState.CONFIRMED)
                assert all((hold.quote or 0) <= (item.accepted_amount or 0) for hold in booked)
            if item.state is ItemState.CONFIRMED:
                assert (item.quote_amount or 0) <= (item.accepted_amount or 0)
        if not self.handed:
            self._check_mode()

    def _check_mode(self) -> None:
        package = self.package
        done = [item for item in package.items if item.state is ItemState.CONFIRMED]
        wanted = [item for item in package.items if not item.declined]
        assert bool(done) == (package.state is PackageState.DONE)
        assert all(item in wanted for item in done)
        if done and package.mode is Mode.ALL_OR_NOTHING:
            assert done == wanted
        if done and package.mode is Mode.CORE_AND_OPTIONAL:
            assert all(item in done for item in wanted if item.core)


# --- how a world is made --------------------------------------------------------------------------

PRICES = st.sampled_from([None, 100, 100, 100, 130])
GRANTS = st.sampled_from([0.2, 1, 3, 20, 900, 900, 900, 86_400])


@st.composite
def lines(draw) -> Line:
    return Line(
        granted=draw(GRANTS),
        price=draw(PRICES),
        decides=draw(st.booleans()),
        within=draw(st.sampled_from([5, 60, 3600])),
        grace=draw(st.sampled_from([0, 5, 600])),
        consents=draw(st.booleans()),
        sold_out=draw(st.integers(0, 9)) == 0,
        behind=draw(st.sampled_from([0, 0, 0, 2])),
    )


def item_for(line: Line, number: int, *, core: bool, ttl: int) -> Item:
    return Item(
        uid=UUID(int=number),
        state=ItemState.DRAFTED,
        core=core,
        ttl_seconds=ttl,
        grace_seconds=int(line.grace),
        silence_consents=line.consents,
        quote_amount=100,
    )


@st.composite
def worlds(draw) -> World:
    of_items = draw(st.lists(lines(), min_size=1, max_size=4))
    wishes = [draw(st.sampled_from([int(line.granted) or 1, 900])) for line in of_items]
    cores = [True, *(draw(st.booleans()) for _ in of_items[1:])]
    numbered = enumerate(zip(of_items, wishes, cores, strict=True), 1)
    items = [item_for(line, n, core=core, ttl=ttl) for n, (line, ttl, core) in numbered]
    mode = draw(st.sampled_from([Mode.ALL_OR_NOTHING, *Mode]))
    package = Package(PackageState.DRAFTED, mode, tuple(items))
    return World(package, {item.uid: line for item, line in zip(items, of_items, strict=True)})


class Simulation(RuleBasedStateMachine):
    """Each rule is one thing that can happen to a package, in any order."""

    @initialize(world=worlds(), seed=st.integers(0, 2**32), accepted=st.booleans())
    def begin(self, world: World, seed: int, accepted: bool) -> None:
        self.world, self.random = world, Random(seed)
        world.settle(Submitted({i.uid: 100 for i in world.package.items} if accepted else {}))

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.finish(self.random)

    def _pick(self, messages: list[Message], keep: bool) -> Message:
        index = self.random.randrange(len(messages))
        return messages[index] if keep else messages.pop(index)

    @rule()
    def work(self) -> None:
        self.world.work()

    @precondition(lambda self: self.world.requests)
    @rule(twice=st.integers(0, 5).map(lambda n: n == 0), deaf=st.integers(0, 5).map(lambda n: n == 0))
    def arrive(self, twice: bool, deaf: bool) -> None:
        """A call reaches its line, perhaps once more later; the answer is on its way, or lost."""
        answer = self.world.arrive(self._pick(self.world.requests, twice))
        if not deaf:
            self.world.answers.append(answer)

    @precondition(lambda self: self.world.answers)
    @rule(twice=st.integers(0, 5).map(lambda n: n == 0))
    def hear(self, twice: bool) -> None:
        self.world.hear(self._pick(self.world.answers, twice))

    @precondition(lambda self: self.world.requests)
    @rule(lost=st.booleans(), pause=st.sampled_from([None, 1, 3600]))
    def time_out(self, lost: bool, pause: float | None) -> None:
        """The worker has waited long enough; the call may still arrive, or not."""
        message = self._pick(self.world.requests, not lost)
        assert message.call is not None
        retry_at = None if pause is None else self.world.now + seconds(pause)
        call = message.call
        self.world.settle(Unreachable(call.item.hold_id, "timeout", retry_at), answered=call)

    @rule(lost=st.booleans())
    def crash(self, lost: bool) -> None:
        """The worker dies: what it waited for is forgotten, what it had sent is on its way or not."""
        self.world.answers.clear()
        if lost:
            self.world.requests.clear()

    @rule(number=st.sampled_from([0.05, 0.6, 5, 40, 500, 4000, 90_000]))
    def pass_time(self, number: float) -> None:
        self.world.now += seconds(number)

    @precondition(lambda self: self.world.wake_at is not None)
    @rule()
    def sleep(self) -> None:
        """Until the package is to be looked at again, and then all goes well for one turn."""
        assert self.world.wake_at is not None
        self.world.now = max(self.world.now, self.world.wake_at)
        for message in self.world.work():
            self.world.requests.remove(message)
            self.world.hear(self.world.arrive(message))

    @rule(yes=st.booleans(), quote=PRICES, told=st.booleans())
    def decide(self, yes: bool, quote: int | None, told: bool) -> None:
        """A person of a line decides; the webhook may be lost."""
        world = self.world
        for line in world.lines.values():
            for hold_id in line.undecided(world.now)[:1]:
                signal = line.decide(hold_id, world.now, yes=yes, quote=quote)
                world.answers += [Message(None, line, signal)] if told else []
                return

    @rule()
    def accept(self) -> None:
        self.world.accept()

    @rule(really=st.integers(0, 3).map(lambda n: n == 0), yes=st.booleans())
    def decline(self, really: bool, yes: bool) -> None:
        item = self.random.choice(self.world.package.items)
        if really and yes:
            self.world.answer(item)
        elif really:
            self.world.settle(Declined([item.uid]))

    @rule(really=st.integers(0, 7).map(lambda n: n == 0))
    def cancel(self, really: bool) -> None:
        if really:
            self.world.settle(Cancelled())

    @precondition(lambda self: self.world.failed)
    @rule(outcome=st.sampled_from(["confirmed", "waived", "retry"]))
    def settle_by_hand(self, outcome: str) -> None:
        self.world.by_hand(self.random.choice(self.world.failed), outcome)

    @rule(price=PRICES, sold_out=st.integers(0, 4).map(lambda n: n == 0))
    def change_line(self, price: int | None, sold_out: bool) -> None:
        line = self.random.choice(list(self.world.lines.values()))
        line.price, line.sold_out = price, sold_out

    @rule(price=PRICES, sold_out=st.integers(0, 4).map(lambda n: n == 0))
    def outage(self, price: int | None, sold_out: bool) -> None:
        """All our processes are down until most holds have lapsed, and the world goes on meanwhile."""
        self.crash(lost=True)
        self.pass_time(1000)
        self.change_line(price, sold_out)

    @rule(really=st.integers(0, 7).map(lambda n: n == 0))
    def confirm_unasked(self, really: bool) -> None:
        """A line makes a hold final by itself."""
        line = self.random.choice(list(self.world.lines.values()))
        for hold in line.holds.values():
            if really and hold.alive(self.world.now):
                hold.state = "confirmed"


Simulation.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestSimulation = Simulation.TestCase
