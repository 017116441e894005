"""Waits: they begin, stand still, go on, and end. Parts of the actions that have these effects.

Whoever changes clocks holds the lock on their case, so that two changes cannot wait for each other in a
circle: the case comes first, its clocks after it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from guanjia.base.sql import as_json, run
from guanjia.cases.actions.acting import end_escalations
from guanjia.cases.models import LIVE_CLOCKS, Case, Clock, ClockKind, ClockStatus, PauseReason
from guanjia.cases.promises import OURS, about, book
from guanjia.cases.timing import SECOND, acts_at, count, entry, schedule_of
from guanjia.lines.models import Line
from guanjia.people.models import User

PAUSED_BY_MERCHANT = (ClockKind.NEXT_ANSWER, ClockKind.RESOLUTION)
"""What stands still while it is the merchant's turn."""
OPENING = (ClockKind.FIRST_ANSWER, ClockKind.RESOLUTION)
_COUNTED = (
    "status",
    "target",
    "remaining",
    "counted_at",
    "counted_with",
    "due_at",
    "acts_at",
    "breached_at",
    "warned_at",
    "stopped_at",
    "history",
)
# As one set of rows: a major case stops ten thousand clocks at once.
_KEEP = f"""
UPDATE cases_clock c SET {", ".join(f"{name} = t.{name}" for name in _COUNTED)}
FROM json_to_recordset(%(clocks)s::json) AS t(id bigint, status text, target int, remaining int,
  counted_at timestamptz, counted_with int, due_at timestamptz, acts_at timestamptz,
  breached_at timestamptz, warned_at timestamptz, stopped_at timestamptz, history jsonb)
WHERE c.id = t.id
"""  # noqa: S608 - our own text


@dataclass(frozen=True, slots=True)
class AboutItem:
    """What a clock is about, where a case may have several of its kind: one of them runs per item.

    A line's clock names the line that has to answer.
    """

    line: Line | None
    item: UUID


# --- one case -----------------------------------------------------------------------------------


def start_clock(
    *,
    case: Case,
    kind: ClockKind,
    owner: User,
    now: datetime,
    seconds: int | None = None,
    due_at: datetime | None = None,
    about: AboutItem | None = None,
) -> Clock:
    """A wait begins: it has an owner and a deadline. One live clock per case, kind and item: if there is
    one, it goes on as it was.

    `due_at` is a fixed instant; `seconds` are business time by the case's calendar. With neither, the
    promise in force for the case holds; raises ValueError where nothing is promised for this kind.
    """
    line = about.line.slug if about and about.line else ""
    clock = _fixed(now, due_at) if due_at is not None else _promised(case, kind, now, seconds, line)
    found, _new = Clock.objects.get_or_create(
        case=case,
        kind=kind,
        item=about.item if about else None,
        stopped_at=None,
        defaults={
            "owner": owner,
            "line": about.line if about else None,
            "started_at": now,
            **{name: getattr(clock, name) for name in _STARTED},
        },
    )
    return found


_STARTED = (
    "calendar",
    "counted_with",
    "promised",
    "target",
    "remaining",
    "counted_at",
    "warn_share",
    "due_at",
    "acts_at",
)


def _fixed(now: datetime, due_at: datetime) -> Clock:
    """A clock that ends at an instant: every second counts."""
    due_at = max(due_at, now + SECOND)
    return _counted(Clock(due_at=due_at), now, math.ceil((due_at - now).total_seconds()))


def opening_clocks(case: Case, now: datetime) -> list[Clock]:
    """The clocks that every case begins with, for the statement that opens it to write."""
    return [_promised(case, kind, now) for kind in OPENING]


def _promised(
    case: Case, kind: ClockKind, now: datetime, seconds: int | None = None, line: str = ""
) -> Clock:
    known, ours = book(), about(case)
    promise = known.promise(kind, replace(ours, line=line), now)
    if promise is None:
        if seconds is None:
            raise ValueError(f"nothing is promised for {kind}")
        promise = known.promise(ClockKind.RESOLUTION, ours, now)
        assert promise is not None  # the house's own rule fits everybody
    target = promise.seconds if seconds is None else seconds
    counting = known.counting(promise.calendar)
    due_at = counting.schedule.due(now, target)
    clock = Clock(kind=kind, calendar=promise.calendar, counted_with=counting.newest, due_at=due_at)
    clock.warn_share = promise.warn_share
    return _counted(clock, now, target)


def _counted(clock: Clock, now: datetime, target: int) -> Clock:
    clock.promised = clock.target = clock.remaining = target
    clock.counted_at = now
    clock.acts_at = acts_at(clock, schedule_of(clock))
    return clock


def pause_clocks(case: Case, *, kinds: Collection[ClockKind], reason: str, now: datetime) -> int:
    """These stand still, and have no deadline until they go on; how many. `reason`: see PauseReason."""

    def pause(clock: Clock, now: datetime) -> bool:
        return clock.status == ClockStatus.RUNNING and _happens(clock, now, "paused", why=reason)

    return _change([case.pk], kinds, now, pause)


def resume_clocks(
    case: Case, *, kinds: Collection[ClockKind], now: datetime, reason: str | None = None
) -> int:
    """Those that stood still go on, their deadlines moved by the pause; with a reason, only those that
    stood still for it. How many."""
    return _change([case.pk], kinds, now, _resuming(reason))


def stop_clocks(case: Case, *, now: datetime, kinds: Collection[ClockKind]) -> int:
    """What they waited for has happened, in time or not. Where that was the merchant's answer, the
    clocks that stood still for it go on."""
    return _stop_many([case.pk], kinds, now)


def cancel_clocks(case: Case, *, now: datetime, kinds: Collection[ClockKind] = tuple(ClockKind)) -> int:
    """What they waited for does not matter any more, for example of a merged case: neither kept nor
    broken."""

    def cancel(clock: Clock, now: datetime) -> bool:
        return _ends(clock, now, ClockStatus.CANCELLED)

    return _change([case.pk], kinds, now, cancel)


def reset_clocks(case: Case, *, kinds: Collection[ClockKind], now: datetime) -> int:
    """They begin again, with the whole promise; one that stood still goes on."""

    def reset(clock: Clock, now: datetime) -> bool:
        clock.warned_at = clock.breached_at = None
        return _happens(clock, now, "reset")

    return _change([case.pk], kinds, now, reset)


def retarget_clocks(case: Case, now: datetime) -> int:
    """The case has changed (its priority, its kind, who is accountable): what runs follows the promise
    that is in force for it now. What has passed is kept, and so is the calendar. How many changed."""
    known, ours = book(), about(case)

    def retarget(clock: Clock, now: datetime) -> bool:
        promise = known.promise(clock.kind, ours, now)
        if promise is None or not clock.calendar or promise.seconds == clock.target:
            return False
        clock.warned_at = None
        return _happens(clock, now, "target_set", target=promise.seconds)

    return _change([case.pk], OURS, now, retarget)


def reown_clocks(case: Case, owner: User, now: datetime) -> int:
    """After a hand-over: what we owe is owed by the new owner. A line's clock stays with its line."""
    live = Clock.objects.filter(case=case, stopped_at=None).exclude(kind=ClockKind.LINE_DECISION)
    return live.exclude(owner=owner).update(owner=owner)


def owe_answer(case: Case, now: datetime) -> None:
    """The merchant has spoken: our answer has a clock. The first answer's goes on as it was: no later
    word moves it; and so does the next answer's, from the first word that waits for it."""
    if case.clocks.filter(kind=ClockKind.FIRST_ANSWER, stopped_at=None).exists():
        return
    resume_clocks(case, kinds=[ClockKind.NEXT_ANSWER], now=now)
    start_clock(case=case, kind=ClockKind.NEXT_ANSWER, owner=case.answerable, now=now)


# --- many cases ---------------------------------------------------------------------------------


def stop_clocks_of(
    cases: Collection[int], *, now: datetime, kinds: Collection[ClockKind] = tuple(ClockKind)
) -> int:
    """`stop_clocks` for many cases (their ids) in the same few statements."""
    return _stop_many(sorted(set(cases)), kinds, now)


def stop_item_clocks(items: Collection[UUID], *, now: datetime) -> int:
    """What was waited for about these items has been decided."""
    found = Clock.objects.filter(item__in=items, stopped_at=None).values_list("case_id", flat=True)
    cases = sorted(set(found))
    return _stop_many(cases, (ClockKind.LINE_DECISION,), now, items=items) if cases else 0


def end_clock_of(case: Case, *, kind: ClockKind, item: UUID, how: ClockStatus, now: datetime) -> int:
    """The one wait of this kind about `item` is over: answered, or (CANCELLED) of no matter any more."""

    def end(clock: Clock, now: datetime) -> bool:
        return clock.item == item and _ends(clock, now, how)

    return _change([case.pk], [kind], now, end)


def merchant_has_the_turn(cases: Collection[int], now: datetime) -> int:
    """Our clocks stand still while the merchant has to answer."""

    def pause(clock: Clock, now: datetime) -> bool:
        running = clock.status == ClockStatus.RUNNING
        return running and _happens(clock, now, "paused", why=PauseReason.MERCHANT)

    return _change(sorted(set(cases)), PAUSED_BY_MERCHANT, now, pause)


def _stop_many(
    cases: Sequence[int], kinds: Collection[str], now: datetime, items: Collection[UUID] | None = None
) -> int:
    resume, wanted = _resuming(PauseReason.MERCHANT), set(kinds)
    answered: set[int] = set()

    def stop(clock: Clock, now: datetime) -> bool:
        if clock.kind in wanted and (items is None or clock.item in items):
            if clock.kind == ClockKind.MERCHANT_ANSWER:
                answered.add(clock.case_id)
            return _ends(clock, now, ClockStatus.STOPPED)
        return clock.case_id in answered and resume(clock, now)

    also = PAUSED_BY_MERCHANT if ClockKind.MERCHANT_ANSWER in wanted else ()
    return _change(cases, {*kinds, *also}, now, stop)


# --- one change ---------------------------------------------------------------------------------


def _change(
    cases: Sequence[int],
    kinds: Collection[str],
    now: datetime,
    change: Callable[[Clock, datetime], bool],
) -> int:
    """Change the live clocks of these kinds, those of merchants' answers first; how many changed."""
    list(Case.objects.select_for_update(no_key=True).filter(pk__in=cases).order_by("pk").values_list("pk"))
    live = Clock.objects.filter(case__in=cases, kind__in=kinds, status__in=LIVE_CLOCKS)
    found = sorted(live.order_by("pk"), key=lambda clock: clock.kind != ClockKind.MERCHANT_ANSWER)
    changed = [clock for clock in found if change(clock, _not_before(clock, now))]
    if changed:
        kept = [{"id": clock.pk, **{name: getattr(clock, name) for name in _COUNTED}} for clock in changed]
        run(_KEEP, {"clocks": as_json(kept)})
        end_escalations(changed, now)
    return len(changed)


def _not_before(clock: Clock, now: datetime) -> datetime:
    """Two machines' times differ a little; the history of a clock never goes back."""
    return max(now, clock.counted_at or now)


def _happens(clock: Clock, now: datetime, did: str, *, why: str = "", target: int | None = None) -> bool:
    clock.history = [*clock.history, entry(now, did, why=why, target=target)]
    count(clock, now)
    return True


def _resuming(reason: str | None) -> Callable[[Clock, datetime], bool]:
    def resume(clock: Clock, now: datetime) -> bool:
        if clock.status != ClockStatus.PAUSED or reason not in (None, _stands_still_for(clock)):
            return False
        return _happens(clock, now, "resumed")

    return resume


def _stands_still_for(clock: Clock) -> str:
    """Why a paused clock is paused: what its history says last about it."""
    return next(
        (one.get("why", "") for one in reversed(clock.history) if one["did"] == "paused"),
        "",
    )


def _ends(clock: Clock, now: datetime, how: ClockStatus) -> bool:
    """A clock that has ended keeps its last deadline; one that stood still, the one it would have got."""
    due_at = clock.due_at
    clock.status, clock.stopped_at = how, now
    count(clock, now)
    clock.due_at = due_at or _would_be_due(clock, now)
    return True


def _would_be_due(clock: Clock, now: datetime) -> datetime:
    if clock.remaining <= 0:
        return clock.breached_at or now - timedelta(seconds=max(-clock.remaining, 0))
    return schedule_of(clock).due(now, clock.remaining)
