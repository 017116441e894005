"""Who one can be in the demo at one click."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from guanjia.people.models import User
from guanjia.people.queries import people_named

PARTS: dict[str, str | Promise] = {
    "mira": _("商家"),
    "mo": _("商家"),
    "lin": _("客户经理"),
    "otto": _("业务线专员"),
    "wei": _("服务体系负责人"),
    "yan": _("廉政专员"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One of the cast, and what they are in the story."""

    username: str
    name: str
    title: str


def parts() -> list[Part]:
    """Those of the cast who are in this marketplace, in the order of the story."""
    found = people_named(PARTS)
    return [Part(name, found[name].name, str(title)) for name, title in PARTS.items() if name in found]


def person_of(username: str) -> User | None:
    """Only somebody of the cast: the switch is no way into any other account."""
    return people_named([username]).get(username) if username in PARTS else None
