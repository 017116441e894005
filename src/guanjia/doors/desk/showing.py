"""A case page, put together: once for looking, and again with what was typed when something was refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.http import HttpResponse

from guanjia.base.errors import Refusal
from guanjia.cases.models import Case
from guanjia.doors.desk.desk import desk_of
from guanjia.doors.desk.parts import more_of, parts_of
from guanjia.doors.desk.queries import case as read
from guanjia.doors.desk.queries.lists import BESIDE
from guanjia.doors.desk.queries.merchants import MerchantLook, merchant_look
from guanjia.doors.desk.queries.talk import Around, around
from guanjia.doors.desk.then import Tick
from guanjia.people.pages import Visit


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed into a box that is shown again: its sending was refused, or a macro or a shared draft
    has come into it. `key` stays: it is the same word. `then` is what is done along with it (see `then`),
    `shared` the version of the shared draft that it goes on with."""

    box: str
    body: str
    key: str
    seen: int
    then: Sequence[Tick] = ()
    shared: int | None = None


def show_case(
    visit: Visit, number: str, *, refusal: Refusal | None = None, typed: Typed | None = None
) -> HttpResponse:
    """The page of a case, with the list beside it."""
    case = read.opened(visit.user, number, visit.now)
    side = merchant_look(case.merchant, visit.now)
    on_case = read.on_case(case, visit.user, side.members, visit.now)
    content = _live(case, side, on_case, read.mark(case.pk, visit.user, visit.now))
    content |= _boxes(on_case, around(case, visit.user), typed)
    if refusal and typed:
        content["unread_after"] = typed.seen
    content |= {"parts": parts_of(visit, case), "more": more_of(case)}
    content |= {"refusal": refusal, "open_number": case.number, "at": "case"}
    desk = desk_of(visit, rows=BESIDE)
    status = refusal.status if refusal else 200
    return visit.render("doors/desk/case.html", desk.content(**content), status=status)


def pulse(visit: Visit, case: Case, mark: str) -> dict[str, Any] | None:
    """What has changed on an open case page, or None: who is there, and the part that lives."""
    now = read.mark(case.pk, visit.user, visit.now)
    if mark == now.text:
        return None
    found = read.opened(visit.user, case.number, visit.now)
    side = merchant_look(found.merchant, visit.now)
    on_case = read.on_case(found, visit.user, side.members, visit.now)
    more = more_of(found)
    return _live(found, side, on_case, now) | {"more": more, "moved": mark.partition(":")[0] != found.state}


def _live(case: read.Opened, side: MerchantLook, on_case: read.OnCase, mark: read.Mark) -> dict[str, Any]:
    return {
        "case": case,
        "side": side,
        "solved": case.solved,
        "may": {verb.value: True for verb in case.may},
        "waits": on_case.waits,
        "running": [wait for wait in on_case.waits if wait.stopped_at is None],
        "words": on_case.words,
        "packages": on_case.packages,
        "tasks": on_case.tasks,
        "happenings": on_case.happenings,
        "others": mark.others,
        "mark": mark.text,
    }


def _boxes(on_case: read.OnCase, beside: Around, typed: Typed | None) -> dict[str, Any]:
    """Both boxes: what was typed before what was saved."""
    kept, newest = on_case.boxes, max(word.pk for word in on_case.words)
    found: dict[str, Any] = {"seen": newest, "box": typed.box if typed else "reply", "beside": beside}
    for box, body, at in (("reply", kept.reply, kept.reply_at), ("note", kept.note, kept.note_at)):
        mine = typed if typed and typed.box == box else None
        found[f"{box}_box"] = {
            "body": mine.body if mine else body,
            "saved_at": at,
            "key": mine.key if mine and mine.key else uuid4().hex,
            "then": mine.then if mine else (),
            "goes_on_with": mine.shared if mine else None,
            "shared": beside.shared.get(box),
            "macros": beside.macros[box],
        }
    if not typed and kept.note and not kept.reply:
        found["box"] = "note"
    return found
