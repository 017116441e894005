"""Calendars and promises as forms: hours as people write them, days in rows, a promise a row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from guanjia.cases.models import CaseKind, ClockKind, Priority
from guanjia.cases.promises import Rule
from guanjia.cases.workdays import days_between
from guanjia.core.clock import Calendar, Hours

_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*[-–—~到至]\s*(\d{1,2}):(\d{2})")
_DAYS = (_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日"))
LONGEST = 60
"""Days in one row."""


def hours_text(hours: Sequence[Hours]) -> str:
    """As it is typed: `09:00-12:00 13:00-18:00`."""
    return " ".join(f"{_clock(span.start)}-{_clock(span.end)}" for span in hours)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


class HoursField(forms.CharField):
    """Cleans to pairs of minutes after midnight, in order; empty for a day off."""

    def __init__(self, **more: Any) -> None:
        super().__init__(required=False, max_length=80, **more)

    def clean(self, value: Any) -> list[list[int]]:
        text = super().clean(value).replace("：", ":").replace("，", " ").replace(",", " ").strip()
        found = [[int(a) * 60 + int(b), int(c) * 60 + int(d)] for a, b, c, d in _SPAN.findall(text)]
        if _SPAN.sub("", text).strip() or any(not 0 <= a < b <= 1440 for a, b in found):
            raise forms.ValidationError(_("请写成 09:00-12:00 13:00-18:00；不上班就空着。"))
        if sorted(found) != found or any(b[0] < a[1] for a, b in pairwise(found)):
            raise forms.ValidationError(_("时段要按先后写，不能重叠。"))
        return found


class CalendarForm(forms.Form):
    """The week; `code` only where the calendar is new."""

    code = forms.SlugField(label=_("代号"), max_length=40, help_text=_("小写字母和数字，以后不能改。"))
    name = forms.CharField(label=_("名称"), max_length=80)
    zone = forms.CharField(
        label=_("时区"), max_length=60, widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"})
    )
    since = forms.DateTimeField(
        label=_("从何时起生效"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("之前的照旧算，不会改。"),
    )

    try_hours = forms.FloatField(label=_("试算：承诺几小时"), min_value=0.02, max_value=400, initial=4)
    try_at = forms.DateTimeField(
        label=_("试算：何时提出"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("不填就从生效那一刻算。"),
    )

    def __init__(self, *args: Any, known: bool, **more: Any) -> None:
        super().__init__(*args, **more)
        if known:
            del self.fields["code"]
        for number, label in enumerate(_DAYS):
            self.fields[f"day{number}"] = HoursField(label=label)

    def clean_zone(self) -> str:
        zone: str = self.cleaned_data["zone"]
        if zone not in available_timezones():
            raise forms.ValidationError(_("没有这个时区；请写成 Asia/Shanghai 这样。"))
        return zone

    def week_fields(self) -> list[forms.BoundField]:
        return [self[f"day{number}"] for number in range(7)]

    @property
    def week(self) -> list[list[list[int]]]:
        return [self.cleaned_data[f"day{number}"] for number in range(7)]


class DayForm(forms.Form):
    """Days that differ from the week: with hours a make-up workday, without a day off."""

    first = forms.DateField(
        label=_("从"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    last = forms.DateField(
        label=_("到"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    hours = HoursField(label=_("上班时段（空着是放假）"))

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        first, last = found.get("first"), found.get("last")
        if first and last and not first <= last <= first + timedelta(days=LONGEST):
            self.add_error("last", _("不能早于第一天，最多 60 天。"))
        if not first and (last or found.get("hours")):
            self.add_error("first", _("请填第一天。"))
        return found


DayRows = forms.formset_factory(DayForm, extra=3, max_num=200, absolute_max=200)


def days_of(rows: Any) -> dict[str, list[list[int]]]:
    """What the rows say, day by day; the later row has the last word."""
    found: dict[str, list[list[int]]] = {}
    for row in rows.cleaned_data:
        if first := row.get("first"):
            for day in days_between(first, row.get("last") or first):
                found[day.isoformat()] = row["hours"]
    return found


def day_rows(days: Mapping[date, Sequence[Hours]]) -> list[dict[str, Any]]:
    """Days that follow each other with the same hours, as one row."""
    rows: list[dict[str, Any]] = []
    for day in sorted(days):
        hours = hours_text(days[day])
        if rows and rows[-1]["hours"] == hours and rows[-1]["last"] == day - timedelta(days=1):
            rows[-1]["last"] = day
        else:
            rows.append({"first": day, "last": day, "hours": hours})
    return rows


def filled_in(name: str, calendar: Calendar, since: datetime) -> dict[str, Any]:
    """What a form shows of a calendar that is there."""
    week = {f"day{number}": hours_text(hours) for number, hours in enumerate(calendar.week)}
    return {"name": name, "zone": calendar.zone, "since": since, **week}


# --- promises -----------------------------------------------------------------------------------

_KINDS = {
    "first_answer": ClockKind.FIRST_ANSWER,
    "next_answer": ClockKind.NEXT_ANSWER,
    "resolution": ClockKind.RESOLUTION,
    "line_decision": ClockKind.LINE_DECISION,
}
TIERS = (("", _("所有")), ("team", _("专班")), ("person", _("专属")), ("pool", _("共享池")))


class PromiseForm(forms.Form):
    """One row of the table: whom it is for, and its hours. A row without hours is left out."""

    kind = forms.ChoiceField(label=_("类型"), required=False)
    priority = forms.ChoiceField(label=_("优先级"), required=False)
    tier = forms.ChoiceField(label=_("由谁负责"), required=False, choices=TIERS)
    pool = forms.ChoiceField(label=_("共享池"), required=False)
    line = forms.ChoiceField(label=_("业务线"), required=False)
    first_answer = forms.FloatField(label=_("首次答复"), required=False, min_value=0.02, max_value=400)
    next_answer = forms.FloatField(label=_("再次答复"), required=False, min_value=0.02, max_value=400)
    resolution = forms.FloatField(label=_("办结"), required=False, min_value=0.02, max_value=400)
    line_decision = forms.FloatField(label=_("业务线答复"), required=False, min_value=0.02, max_value=400)
    calendar = forms.ChoiceField(label=_("日历"))
    warn_share = forms.IntegerField(label=_("用到百分之几时提醒"), min_value=0, max_value=99, initial=75)

    def __init__(self, *args: Any, offered: Mapping[str, Any], **more: Any) -> None:
        super().__init__(*args, **more)
        every: list[tuple[str, Any]] = [("", _("所有"))]
        choices: dict[str, list[tuple[str, Any]]] = {
            "kind": [*every, *((value, _(text)) for value, text in CaseKind.choices)],
            "priority": [*every, *((str(value), _(text)) for value, text in Priority.choices)],
            "pool": [*every, *offered["pools"]],
            "line": [("", _("事项")), *offered["lines"]],
            "calendar": list(offered["calendars"]),
        }
        for name, options in choices.items():
            self.fields[name].choices = options  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if bool(found.get("line")) != bool(found.get("line_decision")) and self.has_changed():
            self.add_error("line_decision", _("业务线的时限只写在业务线那一行，也只写这一项。"))
        return found

    def rule(self) -> Rule | None:
        """The row; None where it promises nothing."""
        given = self.cleaned_data
        hours = {kind: given.get(name) for name, kind in _KINDS.items()}
        seconds = {kind.value: round(value * 3600) for kind, value in hours.items() if value}
        if not seconds:
            return None
        return Rule(
            seconds,
            calendar=given["calendar"],
            warn_share=given["warn_share"],
            kind=given["kind"],
            priority=int(given["priority"]) if given["priority"] else None,
            tier=given["tier"],
            pool=int(given["pool"]) if given["pool"] else None,
            line=given["line"],
        )


def promise_row(rule: Rule) -> dict[str, Any]:
    """What the form shows of a row that is there."""
    hours = {name: rule.seconds[kind] / 3600 for name, kind in _KINDS.items() if kind in rule.seconds}
    about = {"kind": rule.kind, "priority": rule.priority or "", "tier": rule.tier, "pool": rule.pool or ""}
    shown = {name: f"{value:g}" for name, value in hours.items()}
    return {**about, "line": rule.line, "calendar": rule.calendar, "warn_share": rule.warn_share, **shown}


PromiseRows = forms.formset_factory(PromiseForm, extra=2, max_num=40, absolute_max=40)


class SinceForm(forms.Form):
    since = forms.DateTimeField(
        label=_("从何时起生效"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("之前开始的时钟，仍按当时的承诺。"),
    )
