"""Texts from people outside (lines, importers): hostile until cleaned, bilingual where they are ours."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput

SOURCE = "zh-Hans"


def pick(texts: Mapping[str, str]) -> str:
    """The text in the reader's language, else in Chinese, else whatever there is."""
    wanted = "en" if (get_language() or "").startswith("en") else SOURCE
    return texts.get(wanted) or texts.get(SOURCE) or next(iter(texts.values()), "")


def clean(text: str, *, field: str, most: int, least: int = 1) -> str:
    """Strip and bound a text from a form, a file or an API call.

    Raises BadInput naming `field` for a text that is empty, too long, or holds NUL characters, which
    PostgreSQL cannot store.
    """
    if "\x00" in text:
        raise BadInput(
            _("“%(field)s”里有不可见的空字符 (NUL)。") % {"field": field}, hint=_("请删掉后重试。")
        )
    text = text.strip()
    if len(text) < least:
        raise BadInput(_("“%(field)s”不能为空。") % {"field": field}, hint=_("请填写后重试。"))
    if len(text) > most:
        raise BadInput(
            _("“%(field)s”有 %(got)d 个字，最多 %(most)d 个字。")
            % {"field": field, "got": len(text), "most": most},
            hint=_("请缩短，细节可以稍后在沟通里补充。"),
        )
    return text
