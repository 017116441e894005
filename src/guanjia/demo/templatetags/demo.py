from __future__ import annotations

from django import template
from django.conf import settings

from guanjia.demo.switch import Part, parts

register = template.Library()


@register.simple_tag
def demo_parts() -> list[Part]:
    """Nobody outside the demo, and then without asking the database."""
    return parts() if settings.DEMO else []
