"""Amounts and instants in templates."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from guanjia.base import moments

register = template.Library()


@register.filter
def money(amount: int, currency: str) -> str:
    return moments.money(amount, currency)


@register.filter
def moment(at: datetime) -> SafeString:
    """A `<time>` element."""
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), moments.moment(at))


@register.filter
def left(until: datetime, now: datetime) -> str:
    return moments.left(until, now)


@register.filter
def span(length: timedelta | None) -> str:
    return moments.span(length) if length is not None else "–"


@register.filter
def percent(share: float | None) -> str:
    """A share of 0 to 1."""
    return f"{share:.0%}" if share is not None else "–"


@register.simple_tag
def clock(until: datetime | None, now: datetime) -> SafeString:
    """A deadline as a tag: the countdown, its tone, and on hover the instant. Empty where no clock runs."""
    if until is None:
        return SafeString("")
    return format_html(
        '<time class="tag number {}" datetime="{}" title="{}">{}</time>',
        moments.urgency(until, now),
        until.isoformat(),
        f"{moments.moment(until)} · {moments.left(until, now)}",
        moments.countdown(until, now),
    )
