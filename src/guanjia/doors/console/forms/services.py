"""A hosted service as its specialists write it: what it is, and the form a merchant fills in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.forms import BaseFormSet, formset_factory
from django.utils.translation import gettext_lazy as _

from guanjia.base.errors import Refusal
from guanjia.base.inputs import read_object
from guanjia.doors.console.forms.amounts import AmountField
from guanjia.doors.console.formtable import NAME, FieldRow, compile_schema, read_schema
from guanjia.lines.models import Service
from guanjia.lines.models.line import DecisionRuleChoice
from guanjia.lines.models.line import Silence as SilenceChoice
from guanjia.lines.protocol.messages import DecisionRule, Money, Rule, ServiceSpec, Silence
from guanjia.lines.protocol.wire import MAX_TTL_SECONDS

FIELDS_MOST = 40
SPARE = 2
_YEAR_MINUTES = 366 * 24 * 60


def _n(choices: Sequence[tuple[str, str]]) -> list[tuple[str, Any]]:
    return [(value, _(text)) for value, text in choices]


class ServiceForm(forms.Form):
    """What the service is and who decides; times in minutes, the price in minor units."""

    code = forms.SlugField(
        label=_("代号"), max_length=60, help_text=_("小写字母、数字和连字符；发布后不能改。")
    )
    zh = forms.CharField(label=_("名称（中文）"), max_length=80)
    en = forms.CharField(label=_("名称（英文）"), max_length=80, widget=forms.TextInput(attrs={"lang": "en"}))
    price = AmountField(label=_("价格（元）"), required=False, help_text=_("不填：没有价目价。"))
    hold = forms.IntegerField(
        label=_("预留时长（分钟）"), min_value=1, max_value=MAX_TTL_SECONDS // 60, initial=15
    )
    rule = forms.ChoiceField(label=_("谁来决定"), choices=_n(DecisionRuleChoice.choices), initial="never")
    within = forms.IntegerField(
        label=_("答复时限（分钟）"), min_value=1, max_value=_YEAR_MINUTES, initial=240, required=False
    )
    grace = forms.IntegerField(
        label=_("超时后的宽限（分钟）"), min_value=0, max_value=_YEAR_MINUTES, initial=60, required=False
    )
    silence = forms.ChoiceField(
        label=_("一直不答复"), choices=_n(SilenceChoice.choices), initial="refusal", required=False
    )
    way = forms.ChoiceField(
        label=_("表单写法"),
        choices=[("table", _("用表格")), ("json", _("直接写 JSON Schema"))],
        initial="table",
        widget=forms.RadioSelect,
    )
    raw = forms.CharField(
        label="JSON Schema",
        required=False,
        strip=False,
        max_length=60_000,
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false", "class": "code"}),
    )

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if found.get("rule") not in (None, "never") and "within" in found and found["within"] is None:
            self.add_error("within", _("要人来决定，就要有时限。"))
        if found.get("way") == "json":
            self._read_raw(found)
        return found

    def _read_raw(self, found: dict[str, Any]) -> None:
        try:
            read_object(found.get("raw", "").encode())  # refuses what a database could choke on later
        except Refusal as refusal:
            self.add_error("raw", refusal.message)
        else:
            found["schema"] = json.loads(found["raw"])


class FieldForm(forms.Form):
    """One row of the table; a row without a name is not there."""

    name = forms.RegexField(
        NAME,
        label=_("字段名"),
        required=False,
        max_length=40,
        error_messages={"invalid": _("小写字母开头，只用小写字母、数字和下划线。")},
    )
    zh = forms.CharField(label=_("中文名"), required=False, max_length=40)
    en = forms.CharField(label=_("英文名"), required=False, max_length=40)
    kind = forms.ChoiceField(
        label=_("类型"),
        choices=[
            ("text", _("文字")),
            ("integer", _("整数")),
            ("number", _("小数")),
            ("date", _("日期")),
            ("moment", _("时刻")),
            ("choice", _("选项")),
            ("yes", _("是或否")),
        ],
    )
    required = forms.BooleanField(label=_("必填"), required=False)
    options = forms.CharField(label=_("选项（用逗号分开）"), required=False, max_length=2000)
    least = forms.FloatField(label=_("最小"), required=False, widget=forms.TextInput)
    most = forms.FloatField(label=_("最大"), required=False, widget=forms.TextInput)
    fact = forms.SlugField(label=_("已知事实"), required=False, max_length=60)
    mark = forms.ChoiceField(
        label=_("占用名额"),
        required=False,
        choices=[("", "—"), ("slot", _("定档位")), ("quantity", _("定数量"))],
    )

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if not found.get("name"):
            return found
        if found.get("kind") == "choice" and not _options(found.get("options", "")):
            self.add_error("options", _("请列出选项。"))
        if found.get("kind") in ("text", "integer"):
            self._require_whole(found)
        if found.get("mark") == "slot" and not found.get("required"):
            self.add_error("required", _("定档位的字段要必填。"))
        if found.get("mark") == "slot" and found.get("kind") in ("number", "yes"):
            self.add_error("kind", _("档位只能由文字、整数、日期或选项来定。"))
        if found.get("mark") == "quantity" and (
            found.get("kind") != "integer" or (found.get("least") or 0) < 1
        ):
            self.add_error("least", _("定数量的字段是整数，最小至少为 1。"))
        return found

    def _require_whole(self, found: Mapping[str, Any]) -> None:
        for bound in ("least", "most"):
            value = found.get(bound)
            if value is not None and value != int(value):
                self.add_error(bound, _("请填整数。"))

    def row(self) -> FieldRow | None:
        found = self.cleaned_data
        if not found.get("name"):
            return None
        bounded = found["kind"] in ("text", "integer", "number")
        return FieldRow(
            name=found["name"],
            zh=found["zh"],
            en=found["en"],
            kind=found["kind"],
            required=found["required"],
            options=_options(found["options"]) if found["kind"] == "choice" else (),
            least=_plain(found["least"]) if bounded else None,
            most=_plain(found["most"]) if bounded else None,
            fact=found["fact"],
            mark=found["mark"],
        )


def _options(text: str) -> tuple[str, ...]:
    parts = (part.strip() for part in text.replace("，", ",").replace("、", ",").split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def _plain(value: float | None) -> int | float | None:
    """1.0 is 1 to a person."""
    return int(value) if value is not None and value == int(value) else value


if TYPE_CHECKING:
    _FieldForms = BaseFormSet[FieldForm]
else:
    _FieldForms = BaseFormSet  # generic to type checkers only


class FieldSet(_FieldForms):
    def clean(self) -> None:
        names = [form.cleaned_data.get("name") for form in self.forms if form.is_valid()]
        for form in self.forms:
            name = form.cleaned_data.get("name") if form.is_valid() else None
            if name and names.count(name) > 1:
                form.add_error("name", _("这个字段名用了不止一次。"))

    def rows(self) -> list[FieldRow]:
        return [row for form in self.forms if (row := form.row())]


def field_set(data: Any = None, *, rows: Sequence[FieldRow] = (), more: int = SPARE) -> FieldSet:
    """The table: what was typed, or these rows with `more` empty ones below."""
    made = formset_factory(
        FieldForm, formset=FieldSet, extra=more, max_num=FIELDS_MOST, absolute_max=FIELDS_MOST
    )
    initial = [_initial(row) for row in rows]
    return cast(FieldSet, made(data, initial=initial, prefix="f", form_kwargs={"empty_permitted": True}))


def _initial(row: FieldRow) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in FieldRow.__slots__}
    return {**shown, "options": "，".join(row.options), "least": _text(row.least), "most": _text(row.most)}


def _text(value: float | None) -> str:
    return "" if value is None else str(value)


def initial_of(service: Service) -> dict[str, Any]:
    """A service as the form shows it."""
    rows = read_schema(service.schema)
    return {
        "code": service.code,
        "zh": service.titles.get("zh-Hans", ""),
        "en": service.titles.get("en", ""),
        "price": service.price_amount,
        "hold": max(service.hold_ttl_seconds // 60, 1),
        "rule": service.decision_rule,
        "within": service.decision_within_seconds // 60 or None,
        "grace": service.decision_grace_seconds // 60,
        "silence": service.silence,
        "way": "json" if rows is None else "table",
        "raw": json.dumps(service.schema, ensure_ascii=False, indent=2),
    }


def spec_from(found: Mapping[str, Any], fields: Sequence[FieldRow], currency: str) -> ServiceSpec:
    """What the action publishes, from forms that are valid."""
    rule = Rule(found["rule"])
    decision = (
        DecisionRule(rule)
        if rule is Rule.NEVER
        else DecisionRule(
            rule, found["within"] * 60, (found["grace"] or 0) * 60, Silence(found["silence"] or "refusal")
        )
    )
    return ServiceSpec(
        code=found["code"],
        titles={"zh-Hans": found["zh"], "en": found["en"]},
        schema=found["schema"] if found["way"] == "json" else compile_schema(fields),
        hold_ttl_seconds=found["hold"] * 60,
        price=None if found["price"] is None else Money(found["price"], currency),
        decision=decision,
    )
