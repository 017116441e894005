"""Calendars and promises: a look, a form, what it would mean, and the next version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Missing, Refusal
from guanjia.cases.actions.calendars import publish_calendar, publish_promises
from guanjia.cases.promises import Counting, book, calendar_of
from guanjia.doors.lead.hours import queries
from guanjia.doors.lead.hours.forms import (
    CalendarForm,
    DayRows,
    PromiseRows,
    SinceForm,
    day_rows,
    days_of,
    filled_in,
    promise_row,
)
from guanjia.doors.lead.rules import require_lead
from guanjia.people.pages import Visit, page


@page()
def calendars(visit: Visit) -> HttpResponse:
    require_lead(visit.user)
    return visit.render("doors/lead/calendars.html", {"calendars": queries.calendars(visit.now)})


@page("GET", "POST")
def new_calendar(visit: Visit) -> HttpResponse:
    """A calendar that is not there yet."""
    require_lead(visit.user)
    return _edit(visit, "", None)


@page("GET", "POST")
def calendar(visit: Visit, code: str) -> HttpResponse:
    """The next version of a calendar."""
    require_lead(visit.user)
    counting = book().calendars.get(code)
    if counting is None:
        raise Missing(_("没有这个日历。"), hint=_("请从列表里选。"))
    return _edit(visit, code, counting)


@dataclass(frozen=True)
class _Sheet:
    """The two forms of a calendar, as typed or as it is."""

    form: CalendarForm
    rows: Any

    def sound(self) -> bool:
        return bool(self.form.is_valid() & self.rows.is_valid())


def _edit(visit: Visit, code: str, counting: Counting | None) -> HttpResponse:
    if visit.request.method == "GET":
        return _calendar_page(visit, code, _blank(visit, counting), counting)
    post = visit.request.POST
    sheet = _Sheet(CalendarForm(post, known=counting is not None), DayRows(post, prefix="days"))
    if not sheet.sound():
        return _calendar_page(visit, code, sheet, counting, status=422)
    if post.get("do") != "publish":
        return _calendar_page(visit, code, sheet, counting, tried=_try(sheet, counting))
    try:
        _publish(visit, code, sheet)
    except Refusal as refusal:
        return _calendar_page(visit, code, sheet, counting, refusal=refusal, status=refusal.status)
    return visit.go(reverse("lead_calendars"), told=_("日历的新一版已发布；之后的期限会自动跟着算。"))


def _blank(visit: Visit, counting: Counting | None) -> _Sheet:
    since = queries.first_instant(counting, visit.now)
    if counting is None:
        return _Sheet(CalendarForm(known=False, initial={"zone": "Asia/Shanghai", "since": since}), _rows({}))
    newest, look = queries.newest(counting), queries.look_at("", counting, visit.now)
    form = CalendarForm(known=True, initial=filled_in(look.name, newest, since))
    return _Sheet(form, _rows(newest.days))


def _rows(days: Any) -> Any:
    return DayRows(initial=day_rows(days), prefix="days")


def _try(sheet: _Sheet, counting: Counting | None) -> queries.Tried | None:
    given = sheet.form.cleaned_data
    try:
        edited = calendar_of(given["zone"], sheet.form.week, days_of(sheet.rows))
    except ValueError:
        return None
    at: datetime = given["try_at"] or given["since"]
    return queries.try_calendar(counting, edited, given["since"], at, round(given["try_hours"] * 3600))


def _publish(visit: Visit, code: str, sheet: _Sheet) -> None:
    given = sheet.form.cleaned_data
    if not code and given["code"] in book().calendars:
        raise BadInput(_("已经有这个代号的日历。"), hint=_("请换一个代号，或去改那一个。"))
    publish_calendar(
        actor=visit.user,
        code=code or given["code"],
        name=given["name"],
        zone=given["zone"],
        week=sheet.form.week,
        days=days_of(sheet.rows),
        since=given["since"],
        now=visit.now,
    )


def _calendar_page(
    visit: Visit, code: str, sheet: _Sheet, counting: Counting | None, *, status: int = 200, **more: Any
) -> HttpResponse:
    look = queries.look_at(code, counting, visit.now) if counting else None
    content = {"form": sheet.form, "rows": sheet.rows, "calendar": look, **more}
    return visit.render("doors/lead/calendar.html", content, status=status)


@page("GET", "POST")
def promises(visit: Visit) -> HttpResponse:
    """The table of promises, and its next version."""
    require_lead(visit.user)
    offered = {"offered": queries.offered()}
    if visit.request.method == "GET":
        known, _since = queries.newest_rules()
        rows = PromiseRows(initial=[promise_row(rule) for rule in known], prefix="rows", form_kwargs=offered)
        return _promise_page(
            visit, SinceForm(initial={"since": queries.first_instant(None, visit.now)}), rows
        )
    post = visit.request.POST
    form, rows = SinceForm(post), PromiseRows(post, prefix="rows", form_kwargs=offered)
    if not (form.is_valid() & rows.is_valid()):
        return _promise_page(visit, form, rows, status=422)
    rules = [rule for row in rows if row.cleaned_data and (rule := row.rule())]
    since = form.cleaned_data["since"]
    if post.get("do") != "publish":
        return _promise_page(visit, form, rows, tried=queries.try_promises(rules, since))
    try:
        publish_promises(actor=visit.user, rules=rules, since=since, now=visit.now)
    except Refusal as refusal:
        return _promise_page(visit, form, rows, refusal=refusal, status=refusal.status)
    return visit.go(reverse("lead_promises"), told=_("承诺的新一版已发布；已经开始的时钟不变。"))


def _promise_page(visit: Visit, form: Any, rows: Any, *, status: int = 200, **more: Any) -> HttpResponse:
    return visit.render("doors/lead/promises.html", {"form": form, "rows": rows, **more}, status=status)
