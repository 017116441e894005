"""Slots of a hosted service: changed row by row, opened many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import islice, product
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from guanjia.doors.console.asked import title_of
from guanjia.lines.actions.hosted import CAPACITY_MOST
from guanjia.lines.hosted.services import slot_fields, slot_key
from guanjia.lines.models import Service

KEYS_MOST = 400
"""Slots that one form opens at most: a bit more than a year of days."""
PREFIX = "c:"
_DAYS = (
    (0, _("周一")),
    (1, _("周二")),
    (2, _("周三")),
    (3, _("周四")),
    (4, _("周五")),
    (5, _("周六")),
    (6, _("周日")),
)


class OpenForm(forms.Form):
    """Opens the slots that its parts make: days of a span, options that are ticked, values that are listed.

    One set of inputs for each property of the schema that is part of a slot's key.
    """

    capacity = forms.IntegerField(label=_("每档名额"), min_value=0, max_value=CAPACITY_MOST)

    def __init__(self, service: Service, data: Any = None) -> None:
        super().__init__(data)
        self._parts = slot_fields(service.schema)
        self._schemas: Mapping[str, Any] = {name: service.schema["properties"][name] for name in self._parts}
        for name in self._parts:
            self.fields |= _inputs(name, self._schemas[name])
        self.fields["capacity"] = self.fields.pop("capacity")

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if self.errors:
            return found
        values = [self._values(name, found) for name in self._parts]
        if self.errors:
            return found
        keys = list(islice((slot_key(list(one)) for one in product(*values)), KEYS_MOST + 1))
        if len(keys) > KEYS_MOST:
            self.add_error(None, _("一次最多开 %(most)d 个档位，请分几次。") % {"most": KEYS_MOST})
        found["keys"] = keys
        return found

    def _values(self, name: str, found: Mapping[str, Any]) -> Sequence[Any]:
        schema = self._schemas[name]
        if schema.get("format") == "date":
            return self._days(name, found)
        if "enum" in schema:
            return list(found[name])
        return list(dict.fromkeys(line.strip() for line in found[name].splitlines() if line.strip()))

    def _days(self, name: str, found: Mapping[str, Any]) -> list[str]:
        first, last = found[f"{name}_from"], found[f"{name}_to"]
        if last < first:
            self.add_error(f"{name}_to", _("结束日期在开始日期之前。"))
            return []
        wanted = {int(day) for day in found[f"{name}_on"]}
        span = min((last - first).days + 1, KEYS_MOST * 7)
        days = (first + timedelta(days=number) for number in range(span))
        chosen = [day.isoformat() for day in days if day.weekday() in wanted]
        if not chosen:
            self.add_error(f"{name}_on", _("这段时间里没有这样的日子。"))
        return chosen


def _inputs(name: str, schema: Mapping[str, Any]) -> dict[str, forms.Field]:
    title = title_of(schema, name)
    if schema.get("format") == "date":
        day = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        return {
            f"{name}_from": forms.DateField(label=_("%(title)s从") % {"title": title}, widget=day),
            f"{name}_to": forms.DateField(label=_("%(title)s到") % {"title": title}, widget=day),
            f"{name}_on": forms.MultipleChoiceField(
                label=_("哪几天"),
                choices=_DAYS,
                initial=[number for number, _day in _DAYS],
                widget=forms.CheckboxSelectMultiple,
            ),
        }
    if "enum" in schema:
        options = [(str(one), str(one)) for one in schema["enum"]]
        ticks = forms.CheckboxSelectMultiple
        return {name: forms.MultipleChoiceField(label=title, choices=options, widget=ticks)}
    lines = forms.Textarea(attrs={"rows": 3})
    return {name: forms.CharField(label=title, help_text=_("一行一个。"), max_length=20_000, widget=lines)}


def changed(typed: Mapping[str, str], now: Mapping[str, int]) -> tuple[dict[str, int], dict[str, str]]:
    """From the inputs `c:KEY` of a table: capacities that differ from `now`, and by key what is wrong."""
    wanted, wrong = {}, {}
    for name, text in typed.items():
        key = name.removeprefix(PREFIX)
        if not name.startswith(PREFIX) or key not in now:
            continue
        if not text.strip().isdecimal() or int(text) > CAPACITY_MOST:
            wrong[key] = str(_("请填 0 或以上的整数。"))
        elif int(text) != now[key]:
            wanted[key] = int(text)
    return wanted, wrong


def today_first(form: OpenForm, today: date) -> OpenForm:
    """Dates begin with today where nothing is typed yet."""
    for name, field in form.fields.items():
        if isinstance(field, forms.DateField):
            field.initial = today if name.endswith("_from") else today + timedelta(days=29)
    return form
