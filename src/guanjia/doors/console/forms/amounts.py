"""Amounts as people type them: 1200 or 1200.50 in, minor units out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

from guanjia.base.inputs import MAX_INTEGER


class AmountField(forms.DecimalField):
    """Cleans to minor units (hundredths) as an integer, or None. `initial` is in minor units too."""

    widget = forms.TextInput

    def __init__(self, **more: Any) -> None:
        super().__init__(min_value=0, max_value=MAX_INTEGER // 100, decimal_places=2, **more)

    def clean(self, value: Any) -> Any:
        found = super().clean(str(value).replace(",", "").replace("，", "") if value else value)
        return None if found is None else int(found * 100)

    def prepare_value(self, value: Any) -> Any:
        return f"{Decimal(value) / 100:.2f}" if isinstance(value, int) else value

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {"inputmode": "decimal", "autocomplete": "off", "class": "number"}
