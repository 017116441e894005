"""Macros as they are chosen, and as they come into a box."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.errors import Missing
from guanjia.cases.changing import GIVEN_KINDS, Change
from guanjia.cases.models import Macro, Priority, SharedDraft
from guanjia.cases.phrases import VARIABLES, change_in, filled, macros_for, values_for
from guanjia.cases.rules import WAIT_DAYS_MOST, access_case
from guanjia.coverage.rules import Verb
from guanjia.doors.desk.rules import Scope
from guanjia.people.models import Role, User
from guanjia.people.queries import groups_of


def usable(user: User, pk: int) -> Macro:
    """The macro, if this person may use it. Raises Missing."""
    found = next((one for one in macros_for(user, groups_of(user)[0]) if one.pk == pk), None)
    if found is None:
        raise Missing(_("没有这个宏，或它是别人的。"), hint=_("请从列出的里面选。"))
    return found


def brought(user: User, number: str, box: str, pk: int, now: datetime) -> tuple[str, Change]:
    """The text of a macro on this case, and what it does besides. Raises Missing, Forbidden."""
    case = access_case(actor=user, number=number, verb=_verb(box), now=now)
    macro = usable(user, pk)
    return filled(macro.body, values_for(case, user, now)), change_in(macro)


def going_on(user: User, number: str, box: str, now: datetime) -> tuple[str, int]:
    """The shared draft of a box, and its version. Raises Missing, Forbidden."""
    case = access_case(actor=user, number=number, verb=_verb(box), now=now)
    draft = SharedDraft.objects.filter(case=case, internal=box == "note").first()
    if draft is None:
        raise Missing(_("这份共享草稿已经没有了。"), hint=_("同事可能已经发出；请刷新查看。"))
    return draft.body, draft.version


def _verb(box: str) -> Verb:
    return Verb.NOTE if box == "note" else Verb.SPEAK


@dataclass(frozen=True, slots=True)
class Shown:
    """A macro as the list shows it; `circle` is whose it is, in words."""

    pk: int
    name: str
    body: str
    internal: bool
    circle: str
    does: list[str]
    changeable: bool


def shown(user: User, scope: Scope) -> list[Shown]:
    """Those that this person may use; two statements."""
    leads = _leads(user)
    return [_shown(one, user, leads) for one in macros_for(user, scope.team_ids)]


def _shown(one: Macro, user: User, leads: bool) -> Shown:
    circle = _("所有人") if one.everyone else one.team.name if one.team else _("只有我")
    mine = one.owner_id == user.pk or (one.everyone and leads)
    return Shown(one.pk, one.name, one.body, one.internal, circle, change_in(one).words(), mine)


def marks_to_choose() -> dict[str, Any]:
    """Priorities and kinds, as values and words."""
    return {
        "priorities": [(str(one.value), _(one.label)) for one in Priority],
        "kinds": [(one.value, _(one.label)) for one in GIVEN_KINDS],
    }


def choices(user: User, scope: Scope) -> dict[str, Any]:
    """What a form of a change, or of a macro, offers."""
    return {
        "variables": [(name, _(text)) for name, text in VARIABLES.items()],
        **marks_to_choose(),
        "teams": [(f"team-{pk}", name) for pk, name in scope.teams],
        "leads": _leads(user),
        "wait_most": WAIT_DAYS_MOST,
    }


def owned(user: User, pk: int) -> dict[str, Any]:
    """A macro as its form shows it. Raises Missing for one that this person may not change."""
    found = Macro.objects.filter(pk=pk).first()
    if found is None or not (found.owner_id == user.pk or (found.everyone and _leads(user))):
        raise Missing(_("没有这个宏，或它是别人的。"), hint=_("请从列出的里面选。"))
    circle = "everyone" if found.everyone else f"team-{found.team_id}" if found.team_id else ""
    return {
        "name": found.name,
        "body": found.body,
        "box": "note" if found.internal else "reply",
        "circle": circle,
        "priority": str(found.priority or ""),
        "kind": found.kind,
        "tags": "，".join(found.tags),
        "wait": str(found.wait_days or ""),
        "solve": "1" if found.solve else "",
    }


def _leads(user: User) -> bool:
    return user.grants.filter(role=Role.SERVICE_LEAD).exists()
