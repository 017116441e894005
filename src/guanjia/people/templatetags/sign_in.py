"""What the pages of signing in need besides the house's own tags."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django import template
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder

from guanjia.config.sign_in import Provider

register = template.Library()


@register.filter
def as_json(value: Any) -> str:
    """For an attribute, where it is escaped as any text is: no inline script, however inert."""
    return json.dumps(value, cls=DjangoJSONEncoder)


@register.simple_tag
def other_ways_in() -> Sequence[Provider]:
    """The configured providers, in their order."""
    found: Sequence[Provider] = settings.SIGN_IN_PROVIDERS
    return found
