"""A major case, carried to its children chunk by chunk: each chunk is one transaction with the flow's turn,
so that one killed half way leaves nothing, and one done is never done again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from guanjia.base.actors import SYSTEM
from guanjia.base.sql import numbers, rows, run
from guanjia.cases.actions.clocks import start_clock, stop_clocks_of
from guanjia.cases.actions.closing import close_in_time
from guanjia.cases.events import CaseOpened, CaseSolved, MessageSent
from guanjia.cases.major_events import MajorMoved
from guanjia.cases.models import (
    LIVE,
    Case,
    CaseKind,
    CaseState,
    Clock,
    ClockKind,
    MajorCase,
    MajorState,
    MajorUpdate,
    Message,
    Recipient,
    Task,
)
from guanjia.cases.numbers import case_number
from guanjia.coverage.standing import ACCOUNTABLE
from guanjia.ledger.actions import Entry, record
from guanjia.people.actors import actor_of

CHUNK = 250
"""Children in one transaction: less than a second of work, which a stop waits for."""

_NEXT = f"""
SELECT r.id, m.id, a.person_id, a.team_id, a.pool_id, a.answerable
FROM (SELECT id, merchant_id FROM cases_recipient WHERE major_id = %(major)s AND case_id IS NULL
      ORDER BY id LIMIT %(most)s) r
  JOIN merchants_merchant m ON m.id = r.merchant_id CROSS JOIN LATERAL ({ACCOUNTABLE}) a
ORDER BY r.id
"""  # noqa: S608 - our own text


@dataclass(frozen=True, slots=True)
class Next:
    """A recipient whose case is to be opened, and who is accountable for its merchant."""

    recipient: int
    merchant: int
    person: int | None
    team: int | None
    pool: int | None
    answerable: int

    @property
    def owner(self) -> str:
        kinds = {"person": self.person, "team": self.team, "pool": self.pool}
        return next(f"{kind}:{holder}" for kind, holder in kinds.items() if holder is not None)


@transaction.atomic
def advance_major(*, major: int, now: datetime, most: int = CHUNK) -> bool:
    """Do the next chunk of what is left to do for this major case; False when nothing is left."""
    found = MajorCase.objects.select_for_update(no_key=True).select_related("owner").filter(pk=major).first()
    if found is None:
        return False
    if found.state == MajorState.OPENING:
        if _open_some(found, most, now):
            return True
        _moved(found, MajorState.OPEN, now)
    if _tell_some(found, most, now):
        return True
    if found.state == MajorState.SOLVING:
        if _solve_some(found, most, now):
            return True
        _moved(found, MajorState.SOLVED, now)
    return False


def _moved(major: MajorCase, state: MajorState, now: datetime) -> None:
    before, major.state = major.state, state
    major.solved_at = now if state == MajorState.SOLVED else None
    major.save(update_fields=["state", "solved_at"])
    moved = MajorMoved(major.number, before, state)
    record([Entry(now, SYSTEM, f"major:{major.number}", moved)])


# --- opening ----------------------------------------------------------------------------------------


def _open_some(major: MajorCase, most: int, now: datetime) -> bool:
    found = [Next(*row) for row in rows(_NEXT, {"major": major.pk, "most": most, "at": now})]
    if not found:
        return False
    cases = Case.objects.bulk_create(
        _child(major, one, serial, now)
        for one, serial in zip(found, numbers("cases_number", len(found)), strict=True)
    )
    _promise(major, cases, found, now)
    Message.objects.bulk_create(
        Message(case=case, notice={"kind": "part_of_major", "values": {}}, at=now) for case in cases
    )
    run(
        "UPDATE cases_recipient r SET case_id = t.id FROM unnest(%s::bigint[], %s::bigint[]) t(recipient, id)"
        " WHERE r.id = t.recipient",
        [[one.recipient for one in found], [case.pk for case in cases]],
    )
    record([_opened(major, case, one, now) for case, one in zip(cases, found, strict=True)])
    return True


def _child(major: MajorCase, one: Next, serial: int, now: datetime) -> Case:
    return Case(
        number=case_number(now, serial),
        merchant_id=one.merchant,
        title=major.title,
        need=major.said,
        kind=CaseKind.MAJOR,
        opened_by=major.owner,
        first_contact=major.owner,
        person_id=one.person,
        team_id=one.team,
        pool_id=one.pool,
        opened_at=now,
        due_at=major.due_at,
    )


def _promise(major: MajorCase, cases: Sequence[Case], found: Sequence[Next], now: datetime) -> None:
    """One promise for each child, the same for all: by when the cause is dealt with."""
    kind = ClockKind.RESOLUTION
    first = start_clock(case=cases[0], kind=kind, owner=cases[0].answerable, now=now, due_at=major.due_at)
    same = {
        field.attname: getattr(first, field.attname)
        for field in Clock._meta.concrete_fields
        if field.attname not in ("id", "case_id", "owner_id")
    }
    Clock.objects.bulk_create(
        Clock(case=case, owner_id=one.answerable, **same)
        for case, one in zip(cases[1:], found[1:], strict=True)
    )


def _opened(major: MajorCase, case: Case, one: Next, now: datetime) -> Entry:
    opened = CaseOpened(case.number, one.owner, major.owner_id, major.due_at.isoformat())
    return Entry(now, actor_of(major.owner), f"case:{case.number}", opened, case.merchant_id)


# --- updates ----------------------------------------------------------------------------------------


def _tell_some(major: MajorCase, most: int, now: datetime) -> bool:
    """Updates that have not reached some children, to each in their order."""
    updates = list(major.updates.select_related("author").order_by("n"))
    if not updates:
        return False
    newest = updates[-1].n
    behind = Recipient.objects.select_related("case").filter(major=major, heard__lt=newest)
    some = list(behind.exclude(case=None).order_by("heard", "pk")[:most])
    if not some:
        return False
    due = [(child.case, update) for child in some for update in updates if update.n > child.heard]
    said = Message.objects.bulk_create(
        Message(case=case, author=update.author, body=update.body, at=update.at) for case, update in due
    )
    record([_said(message, update) for message, (_case, update) in zip(said, due, strict=True)])
    Recipient.objects.filter(pk__in=[child.pk for child in some]).update(heard=newest)
    return True


def _said(message: Message, update: MajorUpdate) -> Entry:
    sent = MessageSent(message.case.number, message.pk, internal=False)
    subject = f"case:{message.case.number}"
    return Entry(update.at, actor_of(update.author), subject, sent, message.case.merchant_id)


# --- solving ----------------------------------------------------------------------------------------


def _solve_some(major: MajorCase, most: int, now: datetime) -> bool:
    waiting = Recipient.objects.filter(major=major, finished=False).order_by("pk")
    some = list(waiting.values_list("pk", "case_id", "kept_open")[:most])
    if not some:
        return False
    wanted = [case for _pk, case, kept in some if case is not None and not kept]
    solved = _solve(wanted, _busy(wanted), major, now)
    Recipient.objects.filter(pk__in=[pk for pk, _case, _kept in some]).update(finished=True)
    Recipient.objects.filter(major=major, case__in=set(wanted) - set(solved), case__state__in=LIVE).update(
        kept_open=True
    )
    return True


def _busy(cases: Collection[int]) -> set[int]:
    """Those with a package or a task that is under way: somebody has to look after them."""
    packages = rows(
        "SELECT case_id FROM packages_package"
        " WHERE case_id = ANY(%s) AND submitted_at IS NOT NULL AND ended_at IS NULL",
        [list(cases)],
    )
    tasks = Task.objects.filter(case__in=cases, holds=True, done_at=None).values_list("case_id", flat=True)
    return {case for (case,) in packages} | set(tasks)


def _solve(cases: Collection[int], busy: Collection[int], major: MajorCase, now: datetime) -> list[int]:
    locked = Case.objects.select_for_update(no_key=True).filter(pk__in=cases, state__in=LIVE)
    found: Mapping[int, Case] = {case.pk: case for case in locked.order_by("pk") if case.pk not in busy}
    Case.objects.filter(pk__in=found).update(state=CaseState.SOLVED, solved_at=now, due_at=None)
    stop_clocks_of(list(found), now=now)
    Message.objects.bulk_create(
        Message(case=case, notice={"kind": "case_solved", "values": {}}, at=now) for case in found.values()
    )
    who = actor_of(major.owner)
    record(
        [
            Entry(now, who, f"case:{case.number}", CaseSolved(case.number), case.merchant_id)
            for case in found.values()
        ]
    )
    close_in_time(list(found), now)
    return list(found)
