"""A specialist's yes, perhaps at another price, or no with its reason."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from guanjia.doors.console.forms.amounts import AmountField
from guanjia.lines.actions.hosted import REASON_MOST


class ApproveForm(forms.Form):
    """`quote` in minor units; empty: the list price, or none where the service has none."""

    quote = AmountField(required=False, label=_("报价"))
    quote.widget.attrs = {**quote.widget.attrs, "data-key": "a", "data-says": _("同意当前这一条")}


class RefuseForm(forms.Form):
    zh = forms.CharField(
        label=_("理由（给商家看）"),
        max_length=REASON_MOST,
        error_messages={"required": _("请写给商家看得懂的理由。")},
        widget=forms.Textarea(attrs={"rows": 2, "data-key": "x", "data-says": _("拒绝当前这一条")}),
    )
    en = forms.CharField(
        label=_("英文理由（可不填）"),
        max_length=REASON_MOST,
        required=False,
        widget=forms.Textarea(attrs={"rows": 1, "lang": "en"}),
    )

    def texts(self) -> dict[str, str]:
        """By language tag, as the action takes it."""
        given: dict[str, Any] = {"zh-Hans": self.cleaned_data["zh"], "en": self.cleaned_data["en"]}
        return {tag: text for tag, text in given.items() if text}
