"""Words of the line console in templates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django import template
from django.utils.translation import gettext as _

from guanjia.base import moments
from guanjia.base.texts import pick

register = template.Library()


@register.filter
def picked(titles: Mapping[str, str]) -> str:
    """A bilingual text in the reader's language."""
    return pick(titles)


@register.filter
def said(label: str) -> str:
    """The label of a choice, which models keep in Chinese."""
    return _(label)


@register.filter
def lasting(seconds: int) -> str:
    return moments.span(timedelta(seconds=seconds))


@register.filter
def fault(why: str) -> str:
    """Why a call failed, in words where there are any."""
    if why.startswith("status_"):
        return _("应答 HTTP %(status)s") % {"status": why.removeprefix("status_")}
    return {"timeout": _("没有在时限内应答"), "busy": _("并发已满")}.get(why, why)
