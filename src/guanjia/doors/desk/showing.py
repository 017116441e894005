"""A case page, put together: once for looking, and again with what was typed when something was refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.http import HttpResponse

from guanjia.base.errors import Refusal
from guanjia.cases.models import Case, CaseState
from guanjia.cases.rules import access_case
from guanjia.coverage.rules import Verb
from guanjia.doors.desk.desk import desk_of
from guanjia.doors.desk.queries import case as read
from guanjia.doors.desk.queries.lists import BESIDE
from guanjia.doors.desk.queries.merchants import MerchantLook, merchant_look
from guanjia.people.pages import Visit


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed into a box whose sending was refused. `key` stays: it is the same word."""

    box: str
    body: str
    key: str
    seen: int


def case_of(visit: Visit, number: str) -> Case:
    """Raises Missing for a stranger, Forbidden for the merchant's own people: notes are not for them."""
    found = access_case(actor=visit.user, number=number, verb=Verb.NOTE, now=visit.now)
    return read.case_with_people(found)


def show_case(
    visit: Visit, number: str, *, refusal: Refusal | None = None, typed: Typed | None = None
) -> HttpResponse:
    """The page of a case, with the list beside it."""
    case = case_of(visit, number)
    side = merchant_look(case.merchant, visit.now)
    content = _live(visit, case, side) | _boxes(visit, case, typed)
    desk = desk_of(visit, rows=BESIDE)
    content |= {"side": side, "refusal": refusal, "open_number": case.number, "at": "case"}
    status = refusal.status if refusal else 200
    return visit.render("doors/desk/case.html", desk.content(**content), status=status)


def pulse(visit: Visit, number: str, mark: str) -> dict[str, Any] | None:
    """What has changed on an open case page, or None: who is there, and the part that lives."""
    case = case_of(visit, number)
    others = read.others_here(case, visit.user, visit.now)
    now = mark_of(visit, case, others)
    if mark == now:
        return None
    side = merchant_look(case.merchant, visit.now)
    return _live(visit, case, side) | {"side": side, "moved": mark.partition(":")[0] != case.state}


def mark_of(visit: Visit, case: Case, others: list[tuple[str, bool]]) -> str:
    """State, newest event and minute, and who else is there."""
    return f"{case.state}:{read.version(case, visit.now)}:{others!r}"


def _live(visit: Visit, case: Case, side: MerchantLook) -> dict[str, Any]:
    may = read.verbs(visit.user, case, visit.now)
    others = read.others_here(case, visit.user, visit.now)
    waits = read.waits(case)
    return {
        "case": case,
        "solved": case.state in (CaseState.SOLVED, CaseState.CLOSED),
        "may": {verb.value: True for verb in may},
        "waits": waits,
        "running": [wait for wait in waits if wait.stopped_at is None],
        "words": read.conversation(case, side.members),
        "packages": read.packages(case),
        "tasks": read.tasks(case, settles=Verb.SETTLE_BY_HAND in may),
        "happenings": read.happenings(case),
        "others": others,
        "mark": mark_of(visit, case, others),
    }


def _boxes(visit: Visit, case: Case, typed: Typed | None) -> dict[str, Any]:
    """Both boxes: what was refused before what was saved."""
    kept, newest = read.boxes(case, visit.user), read.newest(case)
    found: dict[str, Any] = {"seen": newest, "box": typed.box if typed else "reply"}
    for box, body, at in (("reply", kept.reply, kept.reply_at), ("note", kept.note, kept.note_at)):
        mine = typed if typed and typed.box == box else None
        found[f"{box}_box"] = {
            "body": mine.body if mine else body,
            "saved_at": at,
            "key": mine.key if mine and mine.key else uuid4().hex,
        }
    if typed:
        found["unread_after"] = typed.seen
    elif kept.note and not kept.reply:
        found["box"] = "note"
    return found
