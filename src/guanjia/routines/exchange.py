"""Rules of work as a file: written out whole, and read in again as drafts, with a word on each first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput
from guanjia.base.inputs import read_object
from guanjia.people.models import User
from guanjia.routines.actions import save_routine
from guanjia.routines.models import Routine, Version
from guanjia.routines.queries import listed
from guanjia.routines.rule import Rule, dump, load
from guanjia.routines.rules import ROUTINES_MOST, checked, require_lead

FORMAT = "guanjia.routines/1"


@dataclass(frozen=True, slots=True)
class Arrival:
    """What becomes of one rule of the file: `new`, `changed` or `same`."""

    name: str
    fate: str


def exported() -> dict[str, Any]:
    """All routines, each in its newest version; whether it is on is told, and not taken over by an import."""
    found = [{"name": one.name, "on": one.on and not one.draft, **dump(one.rule)} for one in listed()]
    return {"format": FORMAT, "routines": sorted(found, key=lambda one: str(one["name"]))}


@transaction.atomic
def take_in(*, actor: User, body: bytes, apply: bool, now: datetime) -> list[Arrival]:
    """Read a file that `exported` has written; all of it or nothing. With `apply` what is new or changed is
    saved as a draft: a lead switches it on after a look. Raises Forbidden, BadInput, Malformed."""
    require_lead(actor)
    known = {routine.name: routine for routine in Routine.objects.all()}
    arrivals = []
    for name, rule in _rules(body).items():
        there = known.get(name)
        fate = "new" if there is None else "same" if _newest(there) == dump(rule) else "changed"
        if apply and fate != "same":
            save_routine(actor=actor, name=name, rule=rule, routine=there.pk if there else None, now=now)
        arrivals.append(Arrival(name, fate))
    return arrivals


def _newest(routine: Routine) -> Mapping[str, Any]:
    content: Mapping[str, Any] = Version.objects.filter(routine=routine).latest("number").content
    return content


def _rules(body: bytes) -> dict[str, Rule]:
    document = read_object(body)
    if document.text("format") != FORMAT:
        raise BadInput(_("这不是规则文件。"), hint=_("“format”应为 %(format)s。") % {"format": FORMAT})
    document.objects("routines", most=ROUTINES_MOST)  # says what is wrong with the list
    found: dict[str, Rule] = {}
    for one in json.loads(body)["routines"]:
        name = str(one.get("name", "")).strip()
        if name in found:
            raise BadInput(_("文件里有两条叫“%(name)s”的规则。") % {"name": name[:60]})
        found[name] = _rule(name, one)
    return found


def _rule(name: str, content: Mapping[str, Any]) -> Rule:
    try:
        rule = load(content)
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise BadInput(
            _("规则“%(name)s”写得不对：%(why)s。") % {"name": name[:60], "why": str(wrong)[:120]},
            hint=_("请对照导出的文件改正。"),
        ) from None
    try:
        return checked(rule)
    except BadInput as wrong:
        raise BadInput(f"{name[:60]}：{wrong.message}", hint=wrong.hint) from None
