"""One case, as its page shows it: the same number of statements whatever is on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.sql import prepared
from guanjia.base.texts import pick
from guanjia.cases.explaining import Account, account
from guanjia.cases.history import CaseEvent, told
from guanjia.cases.models import CaseState, Clock, ClockKind, TaskKind, TaskState
from guanjia.cases.notices import both_names, say
from guanjia.cases.rules import access_known, no_case
from guanjia.core.package import PackageState
from guanjia.coverage.rules import MAY, Verb
from guanjia.doors.files.queries import FileLook, by_message, files_on
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
class Opened:
    """A case that somebody has open, and what they may do for its merchant."""

    may: frozenset[Verb]
    pk: int
    number: str
    title: str
    need: str
    state: str
    opened_at: datetime
    opener: int
    opened_by: str
    first_contact: str
    merchant: int
    merchant_ref: str
    merchant_name: str

    @property
    def state_text(self) -> str:
        return _(CaseState(self.state).label)

    @property
    def solved(self) -> bool:
        return self.state in (CaseState.SOLVED, CaseState.CLOSED)


@dataclass(frozen=True, slots=True)
class Word:
    """One entry of the conversation. `side` is merchant, staff, note or house; `origin` the number of the
    case where it was said, if not here; the need of that one has minus its id for `pk`."""

    pk: int
    side: str
    author: str
    text: str
    at: datetime
    files: Sequence[FileLook] = ()
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """A clock in words: whom it waits for, whether it still runs, and how it came to its deadline.
    `due_at` is None while it stands still."""

    text: str
    owner: str
    started_at: datetime
    due_at: datetime | None
    stopped_at: datetime | None
    life: Account

    @property
    def kept(self) -> bool | None:
        return self.life.reading.kept


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


@dataclass(frozen=True, slots=True)
class Mark:
    """Changes whenever something on the page does: an event, the minute that clocks are shown by, and who
    else is there (with whether they are writing)."""

    text: str
    others: list[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class OnCase:
    """All that is on a case. Words are the last MESSAGES_MOST, the oldest first, after the need itself;
    running clocks and open tasks come first, happenings and packages with the newest."""

    words: list[Word]
    waits: list[Wait]
    tasks: list[Work]
    happenings: list[CaseEvent]
    packages: list[PackageLook]
    boxes: Boxes


_OPENED = """
SELECT c.id, c.number, c.title, c.need, c.state, c.opened_at, c.opened_by_id, o.name, f.name,
  m.id, m.ref, m.name
FROM cases_case c JOIN merchants_merchant m ON m.id = c.merchant_id
JOIN people_user o ON o.id = c.opened_by_id JOIN people_user f ON f.id = c.first_contact_id
WHERE c.number = %(number)s
"""


def opened(user: User, number: str, now: datetime) -> Opened:
    """Two statements. Raises Missing for a stranger, Forbidden for the merchant's own people: notes are not
    for them."""
    found = prepared(_OPENED, {"number": number})
    if not found:
        raise no_case(number)
    [case] = found
    *_rest, ref, _name = case
    held = access_known(actor=user, number=number, ref=ref, verb=Verb.NOTE, now=now)
    return Opened(frozenset(verb for verb in Verb if held & MAY[verb]), *case)


_MARK = """
SELECT c.state,
  (SELECT max(id) FROM ledger_event WHERE subject = 'case:' || c.number),
  (SELECT max(e.id) FROM packages_package p CROSS JOIN LATERAL (
     SELECT id FROM ledger_event WHERE subject = 'package:' || p.number ORDER BY id DESC LIMIT 1) e
   WHERE p.case_id = c.id),
  (SELECT json_agg(json_build_array(u.name, h.writing) ORDER BY u.id)
   FROM cases_presence h JOIN people_user u ON u.id = h.user_id
   WHERE h.case_id = c.id AND h.seen_at > %(since)s AND u.id <> %(user)s)
FROM cases_case c WHERE c.id = %(case)s
"""


def mark(case: int, user: User, now: datetime) -> Mark:
    """What an open page is asked to be compared with, every few seconds: one statement."""
    given = {"case": case, "user": user.pk, "since": now - PRESENT}
    [(state, of_case, of_packages, here)] = prepared(_MARK, given)
    others = [(name, writing) for name, writing in here or ()]
    minute = int(now.timestamp()) // 60
    return Mark(f"{state}:{of_case or 0}-{of_packages or 0}-{minute}:{others!r}", others)


# What was said here, on the cases that were merged into this one, and what was taken along when it was split
# off; the needs of merged cases are words with minus their case's id.
JOINED = f"""
(SELECT id, case_id, author_id, internal, body, notice, at, standing_in_id FROM cases_message
 WHERE case_id = %(case)s ORDER BY id DESC LIMIT {MESSAGES_MOST})
UNION ALL
SELECT s.* FROM cases_caselink l CROSS JOIN LATERAL (
  (SELECT id, case_id, author_id, internal, body, notice, at, standing_in_id FROM cases_message
   WHERE case_id = l.source_id AND notice ->> 'kind' IS DISTINCT FROM 'merged_into'
   ORDER BY id DESC LIMIT {MESSAGES_MOST})
  UNION ALL
  SELECT -id, id, opened_by_id, false, need, NULL, opened_at, NULL FROM cases_case WHERE id = l.source_id) s
WHERE l.target_id = %(case)s AND l.kind = 'merged'
UNION ALL
SELECT s.id, s.case_id, s.author_id, s.internal, s.body, s.notice, s.at, s.standing_in_id
FROM cases_quote q JOIN cases_message s ON s.id = q.message_id WHERE q.case_id = %(case)s
"""  # noqa: S608 - our own text
# Each list is one JSON value: read at once, and cheaper than a row at a time.
_ON_CASE = f"""
WITH p AS (SELECT id, number FROM packages_package WHERE case_id = %(case)s
           ORDER BY id DESC LIMIT {PACKAGES_MOST})
SELECT
  (SELECT json_agg(x.one) FROM (
   SELECT json_build_array(s.id, s.author_id, u.name, s.internal, s.body, s.notice, s.at, o.number,
     b.name) AS one
   FROM ({JOINED}) s LEFT JOIN people_user u ON u.id = s.author_id
     LEFT JOIN people_user b ON b.id = s.standing_in_id
     LEFT JOIN cases_case o ON o.id = s.case_id AND o.id <> %(case)s
   ORDER BY s.at DESC, s.id DESC LIMIT {MESSAGES_MOST}) x),
  (SELECT json_agg(x.one) FROM (
   SELECT json_build_array(k.kind, l.titles, u.name, k.started_at, k.due_at, k.stopped_at, k.status,
     k.calendar, k.promised, k.history) AS one
   FROM cases_clock k JOIN people_user u ON u.id = k.owner_id LEFT JOIN lines_line l ON l.id = k.line_id
   WHERE k.case_id = %(case)s
   ORDER BY k.stopped_at IS NOT NULL, k.stopped_at, k.due_at, k.id LIMIT {CLOCKS_MOST}) x),
  (SELECT json_agg(x.one) FROM (
   SELECT json_build_array(t.id, t.kind, u.name, t.due_at, t.done_at, s.titles,
     o.number, i.position, i.state) AS one
   FROM cases_task t JOIN people_user u ON u.id = t.assignee_id
   LEFT JOIN packages_item i ON i.uid = t.item LEFT JOIN packages_package o ON o.id = i.package_id
   LEFT JOIN lines_service s ON s.id = i.service_id
   WHERE t.case_id = %(case)s AND t.kind <> 'by_hand'
   ORDER BY t.done_at IS NOT NULL, t.due_at, t.id LIMIT {TASKS_MOST}) x),
  (SELECT json_agg(x.one) FROM (
   SELECT json_build_array(e.at, e.kind, u.name, e.payload) AS one
   FROM ledger_event e LEFT JOIN people_user u
     ON u.id = CASE WHEN starts_with(e.actor, 'user:') THEN split_part(e.actor, ':', 2)::bigint END
   WHERE e.subject = 'case:' || %(number)s::text ORDER BY e.id DESC LIMIT {EVENTS_MOST}) x),
  (SELECT json_agg(x.one) FROM (
   SELECT json_build_array(e.at, e.kind, p.number, e.payload) AS one FROM p CROSS JOIN LATERAL (
     SELECT * FROM ledger_event WHERE subject = 'package:' || p.number ORDER BY id DESC LIMIT {EVENTS_MOST}) e
   ORDER BY e.id DESC LIMIT {EVENTS_MOST}) x),
  (SELECT json_agg(p.id) FROM p),
  (SELECT json_agg(json_build_array(d.internal, d.body, d.saved_at))
   FROM cases_draft d WHERE d.case_id = %(case)s AND d.author_id = %(user)s)
"""  # noqa: S608 - our own text


def on_case(case: Opened, user: User, members: frozenset[int], now: datetime) -> OnCase:
    """Two statements, and two more where there are packages."""
    given = {"case": case.pk, "number": case.number, "user": user.pk}
    [found] = prepared(_ON_CASE, given)
    said, clocks, tasks, events, of_packages, packages, drafts = (one or [] for one in found)
    by_hand = Verb.SETTLE_BY_HAND in case.may
    words = [_need(case, members), *(_word(*one, members=members) for one in reversed(said))]
    files = by_message(files_on(case.pk, notes=True))
    return OnCase(
        words=[replace(word, files=files.get(word.pk, ())) for word in words] if files else words,
        waits=[_wait(*one, now=now) for one in clocks],
        tasks=[_work(*one, settles=by_hand) for one in tasks],
        happenings=_happenings(events, of_packages),
        packages=looks(packages) if packages else [],
        boxes=_boxes(drafts),
    )


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _need(case: Opened, members: frozenset[int]) -> Word:
    side = "merchant" if case.opener in members else "staff"
    return Word(0, side, case.opened_by, case.need, case.opened_at)


def _word(
    pk: int,
    author: int | None,
    name: str,
    internal: bool,
    body: str,
    notice: dict[str, Any] | None,
    at: str,
    origin: str | None,
    absent: str | None,
    *,
    members: frozenset[int],
) -> Word:
    text, said_on = body if notice is None else say(notice), origin or ""
    if author is None:
        return Word(pk, "house", _("管家"), text, _at(at), origin=said_on)
    side = "merchant" if author in members else "staff"
    who = both_names(name, absent)
    return Word(pk, "note" if internal else side, who, text, _at(at), origin=said_on)


def _wait(
    kind: str,
    line: dict[str, str] | None,
    owner: str,
    started_at: str,
    due_at: str | None,
    stopped_at: str | None,
    status: str,
    calendar: str,
    promised: int,
    history: list[Any],
    *,
    now: datetime,
) -> Wait:
    text = _("%(line)s答复") % {"line": pick(line)} if line else _(ClockKind(kind).label)
    clock = Clock(status=status, calendar=calendar, promised=promised, history=history)
    clock.started_at, clock.due_at = _at(started_at), _at(due_at) if due_at else None
    clock.stopped_at = _at(stopped_at) if stopped_at else None
    life = account(clock, now, merchant=False)
    return Wait(text, owner, clock.started_at, clock.due_at, clock.stopped_at, life)


def _work(
    pk: int,
    kind: str,
    assignee: str,
    due_at: str,
    done_at: str | None,
    titles: dict[str, str] | None,
    package: str | None,
    position: int | None,
    state: str | None,
    *,
    settles: bool,
) -> Work:
    """`settles`: the reader may settle an item by hand."""
    return Work(
        pk=pk,
        text=_(TaskKind(kind).label),
        assignee=assignee,
        about=pick(titles) if titles else "",
        due_at=_at(due_at),
        done_at=_at(done_at) if done_at else None,
        package=package or "",
        position=position or 0,
        by_hand=settles and done_at is None and state == "failed_needs_hand",
    )


def _happenings(of_case: Sequence[Any], of_packages: Sequence[Any]) -> list[CaseEvent]:
    """The case's events and what moved its packages, in short: each package has a page with the rest."""
    every = [told(_at(at), *event) for at, *event in of_case]
    every += _moved(of_packages)
    spoken = [event for event in every if event.text]
    return sorted(spoken, key=lambda event: event.at, reverse=True)[:EVENTS_MOST]


def _moved(events: Sequence[Any]) -> Iterator[CaseEvent]:
    for at, kind, package, payload in events:
        yield CaseEvent(_at(at), package, package_words(kind, payload))


def package_words(kind: str, payload: dict[str, Any]) -> str:
    if kind == "packages.moved":
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
    }.get(kind, "")


def _boxes(drafts: Sequence[Any]) -> Boxes:
    found = {internal: (body, _at(saved_at)) for internal, body, saved_at in drafts}
    return Boxes(*found.get(False, ("", None)), *found.get(True, ("", None)))


def own_tasks(user: User) -> list[tuple[Any, ...]]:
    """Tasks that one person can begin: case number, case title, the task in words, deadline."""
    found = user.tasks.select_related("case").filter(done_at=None).exclude(state=TaskState.BLOCKED)
    return [
        (task.case.number, task.case.title, task.title or _(task.get_kind_display()), task.due_at)
        for task in found.order_by("due_at")[:TASKS_MOST]
    ]


def package_case(number: str) -> str:
    """The number of the case that a package belongs to; empty if there is none."""
    found = Package.objects.filter(number=number).values_list("case__number", flat=True).first()
    return found or ""
