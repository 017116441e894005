"""Granting a mandate: to whom, for what, how much, how long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils.timezone import make_aware
from django.utils.translation import gettext_lazy as _

from guanjia.base.texts import pick
from guanjia.doors.console.forms.amounts import AmountField
from guanjia.doors.console.queries.mandates import holder_named
from guanjia.lines.models import MandatePeriod, Service
from guanjia.lines.models.line import Silence


class GrantForm(forms.Form):
    """`holder` cleans to a person, team or pool, `service` to a service or None for all, `until` to the
    end of the last day."""

    holder = forms.CharField(
        label=_("授权给"),
        max_length=90,
        help_text=_("用户名；专班写 team:代号，共享池写 pool:代号。"),
        widget=forms.TextInput(attrs={"list": "holders", "autocomplete": "off"}),
    )
    service = forms.ChoiceField(label=_("服务"), required=False)
    per_use = AmountField(label=_("单次最多（元）"))
    per_period = AmountField(label=_("每期合计最多（元）"))
    uses = forms.IntegerField(label=_("每期最多次数"), min_value=1, max_value=2**31 - 1)
    period = forms.ChoiceField(
        label=_("一期"), choices=[(value, _(text)) for value, text in MandatePeriod.choices], initial="month"
    )
    silence = forms.ChoiceField(
        label=_("超出额度而业务线不答复"),
        choices=[(value, _(text)) for value, text in Silence.choices],
        initial="refusal",
        help_text=_("服务本身也要写明“视为同意”，才算同意。"),
    )
    until = forms.DateField(
        label=_("最后一天（可不填）"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, services: Sequence[Service], data: Any = None) -> None:
        super().__init__(data)
        self._services = {service.code: service for service in services}
        offered = [(code, pick(service.titles)) for code, service in self._services.items()]
        self.fields["service"].choices = [("", _("全部服务")), *offered]  # type: ignore[attr-defined]

    def clean_holder(self) -> Any:
        found = holder_named(self.cleaned_data["holder"])
        if found is None:
            raise forms.ValidationError(_("没有这个人、专班或共享池。"))
        return found

    def clean_service(self) -> Service | None:
        return self._services.get(self.cleaned_data["service"])

    def clean_until(self) -> datetime | None:
        last = self.cleaned_data["until"]
        return make_aware(datetime.combine(last + timedelta(days=1), time())) if last else None

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        each, whole = found.get("per_use"), found.get("per_period")
        if each is not None and whole is not None and each > whole:
            self.add_error("per_period", _("每期合计不能小于单次。"))
        return found
