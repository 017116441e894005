"""Items, packages and answers as the tests of this room need them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from guanjia.core.package import (
    Call,
    Confirmed,
    Decision,
    Held,
    Item,
    ItemState,
    Mode,
    Notice,
    Package,
    PackageState,
    Pending,
    Refused,
    Rejected,
    Released,
    Signal,
    Unreachable,
    settle,
)
from guanjia.core.package.signals import LineSignal

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
BANNER, FLASH, STORE = UUID(int=1), UUID(int=2), UUID(int=3)
TEXTS = {"zh-Hans": "售罄", "en": "sold out"}
PAGE = Path(__file__).parents[5] / "docs" / "package-states.md"

DAY = 86_400

P, S = PackageState, ItemState


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def at(number: float) -> datetime:
    """So many seconds after noon."""
    return NOON + seconds(number)


def make_item(uid: UUID = BANNER, state: ItemState = S.DRAFTED, **more) -> Item:
    """An item for 100, accepted, with all that an item in this state has; `more` has the last word."""
    terms: dict[str, object] = {"core": True, "ttl_seconds": 900, "quote_amount": 100, "accepted_amount": 100}
    if state in (S.HELD, S.PENDING_DECISION, S.CONFIRMING, S.RELEASING):
        terms |= {"hold_expires_at": at(900), "next_at": at(450)}
    if state is S.PENDING_DECISION:
        terms |= {"decision_due_at": at(3600), "grace_seconds": 600, "next_at": at(30)}
    if state in (S.HOLDING, S.CONFIRMING, S.RELEASING):
        terms |= {"next_at": NOON}
    if state is S.HOLDING:
        terms |= {"give_up_at": at(900)}
    if state in (S.HELD, S.PENDING_DECISION):
        terms |= {"give_up_at": at(1800)}
    return Item(uid=uid, state=state, **terms | more)  # type: ignore[arg-type]


def make_package(state: PackageState, *items: Item, mode: Mode = Mode.ALL_OR_NOTHING, **more) -> Package:
    return Package(state, mode, items, **more)


def held(item: Item, *, until: float = 900, quote: int | None = 100, reference: str = "") -> Held:
    return Held(item.hold_id, at(until), quote, reference)


def pending(item: Item, *, until: float = 900, due: float = 3600, quote: int | None = 100) -> Pending:
    return Pending(item.hold_id, at(until), at(due), quote)


def answers(item: Item) -> dict[str, LineSignal]:
    """Every kind of answer a line can give about the item's hold, by the name it has on the page."""
    hold_id = item.hold_id
    return {
        "held": held(item),
        "pending": pending(item),
        "refused": Refused(hold_id, "sold_out", TEXTS),
        "confirmed": Confirmed(hold_id),
        "released": Released(hold_id),
        "`hold_lapsed`, `unknown_hold`": Rejected(hold_id, "hold_lapsed"),
        "`hold_released`": Rejected(hold_id, "hold_released"),
        "`hold_refused`": Rejected(hold_id, "hold_refused"),
        "`hold_confirmed`": Rejected(hold_id, "hold_confirmed"),
        "`decision_pending`": Rejected(hold_id, "decision_pending"),
        "`schema_violation`, `unknown_service`": Rejected(hold_id, "unknown_service"),
        "any other error": Rejected(hold_id, "malformed", "what is that"),
        "no answer": Unreachable(hold_id, "timeout"),
    }


COLUMNS = (S.HOLDING, S.PENDING_DECISION, S.HELD, S.CONFIRMING, S.RELEASING)


@dataclass
class Play:
    """A package to which things happen, and what `settle` said last."""

    package: Package
    now: datetime = NOON
    decision: Decision | None = None

    def __call__(self, *signals: Signal, at: datetime | None = None) -> Decision:
        self.now = at or self.now
        self.decision = settle(self.package, signals, self.now)
        self.package = self.decision.package
        return self.decision

    def item(self, uid: UUID = BANNER) -> Item:
        return next(item for item in self.package.items if item.uid == uid)

    @property
    def state(self) -> PackageState:
        return self.package.state

    @property
    def states(self) -> list[ItemState]:
        return [item.state for item in self.package.items]


def two(state=P.HOLDING, first=S.HOLDING, second=S.HOLDING, mode=Mode.ALL_OR_NOTHING, **more) -> Play:
    """A package of two items; `more` goes to the first."""
    items = make_item(BANNER, first, **more), make_item(FLASH, second)
    return Play(make_package(state, *items, mode=mode))


def optional(state: ItemState, **more) -> Item:
    return make_item(STORE, state, core=False, **more)


def kinds(decision: Decision) -> list[tuple[str, int]]:
    """The calls, as (kind, number of the item)."""
    return [(call.kind.value, call.item.uid.int) for call in decision.calls]


def calls_for(decision: Decision, uid: UUID) -> list[Call]:
    return [call for call in decision.calls if call.item.uid == uid]


def told(decision: Decision) -> list[tuple[str, int | None]]:
    """The notices, as (kind, number of the item)."""
    return [_told(notice) for notice in decision.notices]


def _told(notice: Notice) -> tuple[str, int | None]:
    return notice.kind.value, notice.item.int if notice.item else None


def documented_moves() -> set[tuple[PackageState, PackageState]]:
    """The moves of a package that docs/package-states.md knows: rows `| from | to | when |`."""
    section = PAGE.read_text().partition("## How a package moves")[2].partition("\n## ")[0]
    lines = section.splitlines()
    rows = [line.split("|") for line in lines if line.startswith("| `")]
    return {(P(row[1].strip(" `")), P(row[2].strip(" `"))) for row in rows}
