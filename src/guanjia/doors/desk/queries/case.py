"""One case, as its page shows it: the same number of statements whatever is on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext as _

from guanjia.base.sql import rows
from guanjia.base.texts import pick
from guanjia.cases.history import CaseEvent
from guanjia.cases.history import history as case_history
from guanjia.cases.models import Case, Clock, Draft, Message, Presence, TaskKind
from guanjia.cases.notices import words_of
from guanjia.core.package import PackageState
from guanjia.coverage.rules import MAY, Verb, relations
from guanjia.doors.desk.queries.lists import title_of
from guanjia.ledger.models import Event
from guanjia.packages.models import Package
from guanjia.packages.queries import PackageLook, looks
from guanjia.packages.words import item_word, package_word
from guanjia.people.models import User

MESSAGES_MOST = 200
PACKAGES_MOST = 10
CLOCKS_MOST = 30
TASKS_MOST = 30
EVENTS_MOST = 100
PRESENT = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Word:
    """One entry of the conversation. `side` is merchant, staff, note or house."""

    pk: int
    side: str
    author: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Wait:
    """A clock in words: whom it waits for, and whether it still runs."""

    text: str
    owner: str
    started_at: datetime
    due_at: datetime
    stopped_at: datetime | None

    @property
    def kept(self) -> bool:
        return self.stopped_at is not None and self.stopped_at <= self.due_at


@dataclass(frozen=True, slots=True)
class Work:
    """A task; with `package` and `position` where a person has to settle an item."""

    pk: int
    text: str
    assignee: str
    about: str
    due_at: datetime
    done_at: datetime | None
    package: str
    position: int
    by_hand: bool


@dataclass(frozen=True, slots=True)
class Boxes:
    """What is begun and not sent: texts of the two boxes, and when they were saved."""

    reply: str = ""
    reply_at: datetime | None = None
    note: str = ""
    note_at: datetime | None = None


def conversation(case: Case, members: frozenset[int]) -> list[Word]:
    """The last MESSAGES_MOST words, the oldest first; the need itself is the first of all."""
    found = case.messages.select_related("author").order_by("-pk")[:MESSAGES_MOST]
    said = [_word(message, members) for message in reversed(found)]
    side = "merchant" if case.opened_by_id in members else "staff"
    return [Word(0, side, case.opened_by.name, case.need, case.opened_at), *said]


def _word(message: Message, members: frozenset[int]) -> Word:
    text = words_of(message)
    if message.author is None:
        return Word(message.pk, "house", _("管家"), text, message.at)
    side = "merchant" if message.author_id in members else "staff"
    return Word(message.pk, "note" if message.internal else side, message.author.name, text, message.at)


def waits(case: Case) -> list[Wait]:
    """Running clocks first, by their deadline."""
    found = case.clocks.select_related("owner", "line").order_by("stopped_at", "due_at", "pk")
    return [_wait(clock) for clock in sorted(found[:CLOCKS_MOST], key=lambda k: k.stopped_at is not None)]


def _wait(clock: Clock) -> Wait:
    text = _(clock.get_kind_display())
    if clock.line:
        text = _("%(line)s答复") % {"line": pick(clock.line.titles)}
    return Wait(text, clock.owner.name, clock.started_at, clock.due_at, clock.stopped_at)


_TASKS = """
SELECT t.id, t.kind, u.name, t.due_at, t.done_at, s.titles, p.number, i.position, i.state
FROM cases_task t JOIN people_user u ON u.id = t.assignee_id
LEFT JOIN packages_item i ON i.uid = t.item LEFT JOIN packages_package p ON p.id = i.package_id
LEFT JOIN lines_service s ON s.id = i.service_id
WHERE t.case_id = %s ORDER BY t.done_at IS NOT NULL, t.due_at, t.id LIMIT %s
"""


def tasks(case: Case, *, settles: bool) -> list[Work]:
    """Open ones first. `settles`: the reader may settle an item by hand."""
    return [_work(row, settles) for row in rows(_TASKS, [case.pk, TASKS_MOST])]


def _work(row: tuple[Any, ...], settles: bool) -> Work:
    pk, kind, assignee, due_at, done_at, titles, package, position, state = row
    by_hand = settles and done_at is None and state == "failed_needs_hand"
    about = title_of(titles)
    return Work(
        pk, _(TaskKind(kind).label), assignee, about, due_at, done_at, package or "", position or 0, by_hand
    )


def packages(case: Case) -> list[PackageLook]:
    """The newest PACKAGES_MOST of the case, the newest first."""
    keys = case.packages.order_by("-pk").values_list("pk", flat=True)[:PACKAGES_MOST]
    return looks(list(keys))


def happenings(case: Case) -> list[CaseEvent]:
    """The case's events and its packages', the newest first."""
    told = [*case_history(case), *_of_packages(case)]
    return sorted(told, key=lambda event: event.at, reverse=True)[:EVENTS_MOST]


def _of_packages(case: Case) -> list[CaseEvent]:
    """What moved packages, in short: each package has a page of its own with the rest."""
    numbers = case.packages.order_by("-pk").values_list("number", flat=True)[:PACKAGES_MOST]
    subjects = {f"package:{number}" for number in numbers}
    found = Event.objects.filter(subject__in=subjects).order_by("-pk")[:EVENTS_MOST] if subjects else []
    told = [(event, _package_words(event)) for event in found]
    return [CaseEvent(event.at, event.subject.partition(":")[2], text) for event, text in told if text]


def _package_words(event: Event) -> str:
    payload = event.payload
    if event.kind == "packages.moved":
        moved = [
            _("第 %(n)d 项%(state)s") % {"n": move["item"], "state": item_word(move["after"])[0]}
            for move in payload["items"]
        ]
        if payload["before"] != payload["after"]:
            moved.append(package_word(PackageState(payload["after"]))[0])
        return _("；").join(moved)
    return {
        "packages.composed": _("拟好一揽子"),
        "packages.submitted": _("提交"),
        "packages.accepted": _("商家确认价格"),
        "packages.answered": _("商家答复价格"),
        "packages.cancelled": _("要求撤回"),
        "packages.item_settled_by_hand": _("人工处理一项"),
    }.get(event.kind, "")


def boxes(case: Case, user: User) -> Boxes:
    found = {draft.internal: draft for draft in Draft.objects.filter(case=case, author=user)}
    reply, note = found.get(False), found.get(True)
    return Boxes(
        reply.body if reply else "",
        reply.saved_at if reply else None,
        note.body if note else "",
        note.saved_at if note else None,
    )


def others_here(case: Case, user: User, now: datetime) -> list[tuple[str, bool]]:
    """Who else has the case open, and whether they are writing."""
    here = Presence.objects.select_related("user").filter(case=case, seen_at__gt=now - PRESENT)
    return [(one.user.name, one.writing) for one in here.exclude(user=user).order_by("user_id")]


def newest(case: Case) -> int:
    """The newest message; 0 without one."""
    return case.messages.aggregate(newest=Max("pk"))["newest"] or 0


_MARK = """
SELECT coalesce((SELECT max(id) FROM ledger_event WHERE subject = 'case:' || %(number)s), 0),
  (SELECT max(e.id) FROM packages_package p CROSS JOIN LATERAL (
     SELECT id FROM ledger_event WHERE subject = 'package:' || p.number ORDER BY id DESC LIMIT 1) e
   WHERE p.case_id = %(case)s)
"""


def version(case: Case, now: datetime) -> str:
    """Changes whenever something on the page does: an event, or the minute that clocks are shown by."""
    [(of_case, of_packages)] = rows(_MARK, {"number": case.number, "case": case.pk})
    return f"{of_case}-{of_packages or 0}-{int(now.timestamp()) // 60}"


def verbs(user: User, case: Case, now: datetime) -> frozenset[Verb]:
    """What this person may do for the case's merchant; one statement."""
    held = relations(user, case.merchant, at=now)
    return frozenset(verb for verb in Verb if held & MAY[verb])


def case_with_people(case: Case) -> Case:
    """The case with everybody whom its page names."""
    people = ("merchant", "person", "team__lead", "pool__lead", "opened_by", "first_contact")
    return Case.objects.select_related(*people).get(pk=case.pk)


def own_tasks(user: User) -> list[tuple[Any, ...]]:
    """Open tasks of one person: case number, case title, kind in words, deadline."""
    found = user.tasks.select_related("case").filter(done_at=None).order_by("due_at")[:TASKS_MOST]
    return [(task.case.number, task.case.title, _(task.get_kind_display()), task.due_at) for task in found]


def package_case(number: str) -> str:
    """The number of the case that a package belongs to; empty if there is none."""
    found = Package.objects.filter(number=number).values_list("case__number", flat=True).first()
    return found or ""
