"""What a merchant's reference, name and facts may be; the importer holds its rows to the same."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput
from guanjia.base.texts import clean

REF_MOST, NAME_MOST, FACT_MOST = 64, 200, 1000  # characters
KEY = re.compile(r"[-a-zA-Z0-9_]{1,60}")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# What makes a spreadsheet take a cell for a formula; a guarded one is guarded once more, to come back.
FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
GUARDED = re.compile(r"'+[=+\-@\t\r＝＋－＠]")
READABLE = 12  # characters of a reference that people still read; a longer one is cut to the first 8


def clean_ref(ref: str) -> str:
    """The marketplace's own id, stripped. Raises BadInput when it is empty, too long or not one line."""
    ref = clean(ref, field=_("商家编号"), most=REF_MOST)
    if CONTROL.search(ref):
        raise BadInput(_("“商家编号”里有控制字符。"), hint=_("请删掉换行、制表符等不可见字符后重试。"))
    return ref


def readable_name(ref: str) -> str:
    """What to call a merchant whose name nobody has told us; `importing.statements` says it in SQL."""
    return f"商家 {short(ref)}"


def short(ref: str) -> str:
    """A reference as people can read it out."""
    return ref if len(ref) <= READABLE else ref[:8]


def unguard(cell: str) -> str:
    """Take off the apostrophe that an export puts before what a spreadsheet would run as a formula."""
    return cell[1:] if GUARDED.match(cell) else cell


def guard(cell: str) -> str:
    """The inverse: `unguard(guard(cell)) == cell` for every cell."""
    return f"'{cell}" if FORMULA.match(cell) else cell


def clean_facts(facts: Mapping[str, object]) -> dict[str, object]:
    """Facts with their texts stripped; None stands for "no longer known".

    Raises BadInput for a key that cannot be one, and for a value that is too long as JSON.
    """
    return {_clean_key(key): _clean_value(key, value) for key, value in facts.items()}


def _clean_key(key: str) -> str:
    if not KEY.fullmatch(key):
        raise BadInput(
            _("“%(key)s”不能作为信息项的代码。") % {"key": key[:60]},
            hint=_("请用字母、数字、- 和 _，最多 60 个字符。"),
        )
    return key


def _clean_value(key: str, value: object) -> object:
    if isinstance(value, str):
        return clean(value, field=key, most=FACT_MOST)
    if len(json.dumps(value)) > FACT_MOST or "\\u0000" in json.dumps(value):
        raise BadInput(
            _("信息项“%(key)s”的值太长，或有空字符 (NUL)。") % {"key": key},
            hint=_("写成 JSON 后最多 %(most)d 个字符。") % {"most": FACT_MOST},
        )
    return value
