"""One change for many cases: chosen, tried, done, and taken back where it can be."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import Refusal
from guanjia.cases.actions import BulkPlan, ask_bulk, run_bulk, try_bulk, undo_bulk
from guanjia.cases.changing import read_change
from guanjia.doors.desk.queries.bulk import both, done_rows, own_bulk
from guanjia.doors.desk.queries.macros import choices, shown, usable
from guanjia.doors.desk.rules import at_desk
from guanjia.people.pages import Visit, page

NUMBERS_MOST = 1000
ASKED = ("priority", "kind", "wait", "tags", "untag", "solve", "macro")
DIGITS_MOST = 9


@page("POST")
def bulk(visit: Visit) -> HttpResponse:
    """Choose what to do with the chosen cases; see what would become of each; do it."""
    scope, form, numbers = at_desk(visit.user), visit.request.POST, _numbers(visit)
    content: dict[str, Any] = {"tried": None, "refusal": None}
    if form.get("step") in ("try", "do"):
        try:
            plan = _plan(visit)
            if form.get("step") == "do":
                return _do(visit, numbers, plan)
            content |= _tried(visit, numbers, plan)
        except Refusal as caught:
            content["refusal"] = caught
    content |= {"numbers": numbers, "form": form, "key": uuid4().hex, "macros": shown(visit.user, scope)}
    content |= choices(visit.user, scope)
    status = content["refusal"].status if content["refusal"] else 200
    return visit.render("doors/desk/bulk.html", content, status=status)


def _tried(visit: Visit, numbers: list[str], plan: BulkPlan) -> dict[str, Any]:
    """What was chosen goes on as it is: what is done is what was looked at."""
    tried = try_bulk(actor=visit.user, numbers=numbers, plan=plan, now=visit.now)
    form = visit.request.POST
    return {
        "tried": tried,
        "able": sum(one.changed for one in tried),
        "does": plan.change.words(),
        "says": plan.body,
        "asked": [(name, form.get(name, "")) for name in ASKED if form.get(name)],
    }


def _do(visit: Visit, numbers: list[str], plan: BulkPlan) -> HttpResponse:
    key = visit.request.POST.get("key", "")[:64].replace("\x00", "") or uuid4().hex
    asked = ask_bulk(actor=visit.user, numbers=numbers, plan=plan, idempotency_key=key, now=visit.now)
    run_bulk(actor=visit.user, bulk=asked.pk, now=visit.now)
    return visit.go(reverse("desk_bulk_done", args=[asked.pk]))


@page("GET", "POST")
def done(visit: Visit, pk: int) -> HttpResponse:
    """What has become of each case; going on where it stopped."""
    if visit.request.method == "POST":
        run_bulk(actor=visit.user, bulk=pk, now=visit.now)
        return visit.go(reverse("desk_bulk_done", args=[pk]))
    found = own_bulk(visit.user, pk)
    return visit.render("doors/desk/bulk_done.html", {"bulk": found, "rows": done_rows(pk)})


@page("POST")
def undo(visit: Visit, pk: int) -> HttpResponse:
    """Take back what can be taken back."""
    undo_bulk(actor=visit.user, bulk=pk, now=visit.now)
    return visit.go(reverse("desk_bulk_done", args=[pk]), told=_("能撤回的都撤回了。"))


def _numbers(visit: Visit) -> list[str]:
    given = visit.request.POST.getlist("number")[:NUMBERS_MOST]
    return list(dict.fromkeys(one[:40].replace("\x00", "") for one in given))


def _plan(visit: Visit) -> BulkPlan:
    """From the form: a change, and a macro's text with what it does. Raises BadInput, Missing."""
    form = visit.request.POST
    asked = form.get("macro", "")
    if not (asked.isdecimal() and len(asked) <= DIGITS_MOST):
        return BulkPlan(read_change(form.dict()))
    macro = usable(visit.user, int(asked))
    return BulkPlan(read_change(both(form.dict(), macro)), macro.body, macro.internal)
