"""What follows from a settle: the event, words on the case, clocks, tasks, and mandates given back.

All in the settle's transaction, set by set: a batch costs the same few statements as one package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from guanjia.base.actors import Actor
from guanjia.base.sql import rows
from guanjia.cases.actions import (
    AboutItem,
    finish_tasks,
    merchant_has_the_turn,
    open_task,
    start_clock,
    stop_clocks_of,
    stop_item_clocks,
)
from guanjia.cases.models import Case, ClockKind, Message, TaskKind
from guanjia.cases.promises import About, book
from guanjia.core.package import (
    ENDED,
    Decision,
    Item,
    ItemState,
    Notice,
    NoticeKind,
    PackageState,
)
from guanjia.ledger.actions import Entry, record
from guanjia.lines.actions.mandates import return_uses
from guanjia.lines.models import Line
from guanjia.packages.events import ItemMove, PackageMoved
from guanjia.packages.rows import ItemRow, PackageRow


@dataclass(frozen=True)
class Settled:
    """A package before and after one settle."""

    row: PackageRow
    decision: Decision

    @property
    def before(self) -> PackageState:
        return self.row.package.state

    @property
    def after(self) -> PackageState:
        return self.decision.package.state

    @property
    def ended(self) -> bool:
        return self.after in ENDED and self.before not in ENDED

    @cached_property
    def moved(self) -> list[tuple[ItemRow, Item, Item]]:
        """Items whose state changed: what it is about, before, after."""
        trios = zip(self.row.items, self.row.package.items, self.decision.package.items, strict=True)
        return [trio for trio in trios if trio[1].state is not trio[2].state]

    @cached_property
    def told(self) -> bool:
        return bool(self.moved or self.decision.notices or self.before is not self.after)


def follow(settled: Sequence[Settled], now: datetime, actor: Actor) -> None:
    changed = [s for s in settled if s.told]
    record([_event(s, now, actor) for s in changed])
    people = _People(changed)
    for s in changed:
        for notice in s.decision.notices:
            _tell(s, notice, people, now)
    if asked := [s.row.case_pk for s in changed if _asks(s)]:
        merchant_has_the_turn(asked, now)
    Message.objects.bulk_create(
        Message(case_id=s.row.case_pk, notice=words, at=now) for s in changed for words in _words(s, people)
    )
    _stop_clocks(changed, now)
    _end([s for s in changed if s.ended], now, actor)
    _finish_tasks(settled, now, actor)


def _asks(s: Settled) -> bool:
    """The merchant's yes to a price is waited for from now on."""
    return any(notice.kind is NoticeKind.ACCEPTANCE_NEEDED for notice in s.decision.notices)


def _event(s: Settled, now: datetime, actor: Actor) -> Entry:
    moves = [
        ItemMove(row.position, row.line_slug, before.state, after.state, after.reason_code)
        for row, before, after in s.moved
    ]
    kinds = [notice.kind.value for notice in s.decision.notices]
    payload = PackageMoved(s.row.number, s.before, s.after, moves, kinds)
    return Entry(now, actor, f"package:{s.row.number}", payload, s.row.merchant_pk)


class _People:
    """Lines and cases that the notices of this batch speak of, read once and only if any does."""

    def __init__(self, settled: Sequence[Settled]) -> None:
        self._settled = settled

    @cached_property
    def lines(self) -> Mapping[int, Line]:
        pks = {row.line_pk for s in self._settled for row in s.row.items}
        return {line.pk: line for line in Line.objects.select_related("lead").filter(pk__in=pks)}

    @cached_property
    def cases(self) -> Mapping[int, Case]:
        found = Case.objects.select_related("person", "team__lead", "pool__lead")
        return {case.pk: case for case in found.filter(pk__in={s.row.case_pk for s in self._settled})}


# --- clocks and tasks ---------------------------------------------------------------------------


def _tell(s: Settled, notice: Notice, people: _People, now: datetime) -> None:
    case = people.cases[s.row.case_pk]
    if notice.kind is NoticeKind.ACCEPTANCE_NEEDED:
        due_at = s.decision.package.accept_due_at
        assert due_at is not None
        kind = ClockKind.MERCHANT_ANSWER
        start_clock(case=case, kind=kind, owner=case.answerable, now=now, due_at=due_at)
        return
    assert notice.item is not None
    row, item = _find(s, notice.item)
    line = people.lines[row.line_pk]
    if notice.kind is NoticeKind.DECISION_NEEDED:
        assert item.decision_due_at is not None
        kind, about = ClockKind.LINE_DECISION, AboutItem(line, item.uid)
        promised = book().promise(kind, About(line=line.slug), now)  # then it is due as `settle` has said
        due_at = None if promised else item.decision_due_at
        start_clock(case=case, kind=kind, owner=line.lead, about=about, now=now, due_at=due_at)
    elif task := _task_of(notice, item):
        detail = item.reason.get("code") or item.reason_code or "no answer"
        open_task(kind=task, case=case, assignee=line.lead, item=item.uid, detail=detail, now=now)


def _task_of(notice: Notice, item: Item) -> TaskKind | None:
    if notice.kind is NoticeKind.DECISION_OVERDUE:
        return TaskKind.OVERDUE_DECISION
    if notice.kind is NoticeKind.NEEDS_HAND:
        return TaskKind.STUCK_CONFIRM
    if notice.kind is not NoticeKind.STUCK:
        return None
    if item.state is ItemState.CONFIRMING:
        return TaskKind.STUCK_CONFIRM
    return TaskKind.STUCK_RELEASE if item.state is ItemState.RELEASING else TaskKind.LINE_FAULT


def _find(s: Settled, uid: UUID) -> tuple[ItemRow, Item]:
    pairs = zip(s.row.items, s.decision.package.items, strict=True)
    return next((row, item) for row, item in pairs if item.uid == uid)


def _stop_clocks(settled: Sequence[Settled], now: datetime) -> None:
    decided = [
        after.uid
        for s in settled
        for _, before, after in s.moved
        if before.state is ItemState.PENDING_DECISION
    ]
    if decided:
        stop_item_clocks(decided, now=now)
    answered = [
        s.row.case_pk for s in settled if s.row.package.accept_due_at and not s.decision.package.accept_due_at
    ]
    if answered:
        stop_clocks_of(answered, now=now, kinds=[ClockKind.MERCHANT_ANSWER])


# --- words --------------------------------------------------------------------------------------


def _words(s: Settled, people: _People) -> Iterator[dict[str, Any]]:
    for notice in s.decision.notices:
        if say := _NOTICE_WORDS.get(notice.kind):
            yield say(s, notice, people)
    for row, _before, after in s.moved:
        if after.state is ItemState.REFUSED:
            reason = after.reason or {"zh-Hans": after.reason_code, "en": after.reason_code}
            yield _on_line("item_refused", row, people, reason=dict(reason))
    if s.ended:
        yield _ending(s)


def _ending(s: Settled) -> dict[str, Any]:
    states = [item.state for item in s.decision.package.items if not item.declined]
    confirmed = states.count(ItemState.CONFIRMED)
    values = {"package": s.row.number, "confirmed": confirmed, "failed": len(states) - confirmed}
    if s.after is PackageState.RELEASED:
        return {"kind": "package_released", "values": values}
    return {"kind": "package_done_partly" if values["failed"] else "package_done", "values": values}


def _on_line(kind: str, row: ItemRow, people: _People, **values: Any) -> dict[str, Any]:
    return {"kind": kind, "values": {"line": people.lines[row.line_pk].titles, **values}}


def _about_item(kind: str) -> Callable[[Settled, Notice, _People], dict[str, Any]]:
    def say(s: Settled, notice: Notice, people: _People) -> dict[str, Any]:
        assert notice.item is not None
        row, item = _find(s, notice.item)
        due = item.decision_due_at.isoformat() if item.decision_due_at else ""
        return _on_line(kind, row, people, due=due)

    return say


_NOTICE_WORDS: Mapping[NoticeKind, Callable[[Settled, Notice, _People], dict[str, Any]]] = {
    NoticeKind.ACCEPTANCE_NEEDED: lambda s, _n, _p: {
        "kind": "acceptance_needed",
        "values": {"package": s.row.number},
    },
    NoticeKind.DECISION_NEEDED: _about_item("decision_needed"),
    NoticeKind.DECISION_OVERDUE: _about_item("decision_overdue"),
    NoticeKind.SILENCE_CONSENTED: _about_item("silence_consented"),
    NoticeKind.SILENCE_REFUSED: _about_item("silence_refused"),
    NoticeKind.NEEDS_HAND: _about_item("needs_hand"),
}


# --- the end ------------------------------------------------------------------------------------

_SOLVE = (
    "UPDATE cases_case c SET state = 'solved', solved_at = %s WHERE c.id = ANY(%s)"
    " AND c.state IN ('open', 'waiting_line', 'waiting_merchant')"
    " AND NOT EXISTS (SELECT FROM packages_package p"
    "  WHERE p.case_id = c.id AND p.state NOT IN ('done', 'released', 'drafted')) RETURNING c.id"
)


def _end(settled: Sequence[Settled], now: datetime, actor: Actor) -> None:
    if not settled:
        return
    done = [s.row.case_pk for s in settled if s.after is PackageState.DONE]
    if done:
        solved = [pk for (pk,) in rows(_SOLVE, [now, done])]
        if solved:
            stop_clocks_of(solved, now=now)
    unused = [
        item.uid
        for s in settled
        for row, item in zip(s.row.items, s.decision.package.items, strict=True)
        if row.within_mandate and item.state is not ItemState.CONFIRMED
    ]
    if unused:
        return_uses(actor=actor, items=unused, now=now)


def _finish_tasks(settled: Sequence[Settled], now: datetime, actor: Actor) -> None:
    """A task ends with the trouble it was opened for, by a person's hand or because trying helped."""
    over: dict[int, list[UUID]] = {}
    for s in settled:
        pairs = zip(s.row.package.items, s.decision.package.items, strict=True)
        passed = [new.uid for old, new in pairs if _in_trouble(old) and (s.ended or not _in_trouble(new))]
        if passed:
            over.setdefault(s.row.case_pk, []).extend(passed)
    for case in Case.objects.filter(pk__in=over) if over else ():
        finish_tasks(actor=actor, case=case, items=over[case.pk], now=now)


def _in_trouble(item: Item) -> bool:
    overdue = item.escalated and item.state is ItemState.PENDING_DECISION
    return item.stuck or overdue or item.state is ItemState.FAILED_NEEDS_HAND
