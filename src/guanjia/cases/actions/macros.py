"""Macros: kept, changed, deleted. One verb, one transaction, one event."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Forbidden, Missing
from guanjia.base.texts import clean
from guanjia.cases.changing import Change
from guanjia.cases.events import MacroDeleted, MacroSaved
from guanjia.cases.models import Macro
from guanjia.cases.phrases import require_known
from guanjia.cases.rules import NEED_MOST
from guanjia.ledger.actions import Entry, Payload, record
from guanjia.people.actors import actor_of
from guanjia.people.models import Role, RoleGrant, User
from guanjia.people.queries import groups_of

NAME_MOST, MACROS_MOST = 40, 200
"""Of one person; a lead's for everyone among them."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A macro as it is written: for oneself, for a team, or for everyone."""

    name: str
    body: str
    internal: bool = False
    team: int | None = None
    everyone: bool = False
    then: Change = field(default_factory=Change)


@transaction.atomic
def save_macro(*, actor: User, wording: Wording, now: datetime, macro: int | None = None) -> Macro:
    """A new macro, or another wording of one of one's own; a lead changes those for everyone too. Raises
    BadInput (also for a variable that there is not), Missing, Forbidden."""
    leads = _leads(actor)
    found = _own(actor, macro, leads) if macro is not None else Macro(owner=actor)
    _allowed(actor, wording, leads)
    found.name = _free_name(found, clean(wording.name, field=_("宏的名字"), most=NAME_MOST))
    found.body = clean(wording.body, field=_("宏的文字"), most=NEED_MOST)
    require_known(found.body)
    found.internal, found.team_id, found.everyone = wording.internal, wording.team, wording.everyone
    _store(found, wording.then)
    record([_entry(actor, found, MacroSaved(found.pk, wording.team, wording.everyone), now)])
    return found


@transaction.atomic
def delete_macro(*, actor: User, macro: int, now: datetime) -> None:
    """Raises Missing for one that this person may not change."""
    found = _own(actor, macro, _leads(actor))
    record([_entry(actor, found, MacroDeleted(found.pk), now)])
    found.delete()


def _store(macro: Macro, then: Change) -> None:
    macro.priority, macro.kind, macro.tags = then.priority, then.kind, list(then.add_tags)
    macro.wait_days, macro.solve = then.wait_days, then.solve
    macro.save()


def _leads(actor: User) -> bool:
    return RoleGrant.objects.filter(user=actor, role=Role.SERVICE_LEAD).exists()


def _own(actor: User, macro: int, leads: bool) -> Macro:
    found = Macro.objects.select_for_update().filter(pk=macro).first()
    if found is None or not (found.owner_id == actor.pk or (found.everyone and leads)):
        raise Missing(_("没有这个宏，或它是别人的。"), hint=_("请刷新后重试。"))
    return found


def _allowed(actor: User, wording: Wording, leads: bool) -> None:
    if wording.everyone and not leads:
        raise Forbidden(_("给所有人用的宏由服务体系负责人来定。"), hint=_("可以先存成自己的或专班的。"))
    if wording.everyone and wording.team is not None:
        raise BadInput(_("给所有人，或给一个专班，请只选一样。"))
    if wording.team is not None and wording.team not in groups_of(actor)[0]:
        raise Missing(_("您不在这个专班里。"), hint=_("请从列出的里面选。"))


def _free_name(macro: Macro, name: str) -> str:
    """One person saves one macro at a time: the row of the person is the lock of the names."""
    owner = User.objects.select_for_update(no_key=True).get(pk=macro.owner_id)
    others = owner.macros.exclude(pk=macro.pk)
    if others.filter(name=name).exists():
        raise BadInput(_("已经有一个叫“%(name)s”的宏。") % {"name": name}, hint=_("请换一个名字。"))
    if macro.pk is None and others.count() >= MACROS_MOST:
        raise BadInput(_("最多 %(most)d 个宏。") % {"most": MACROS_MOST}, hint=_("请先删掉不用的。"))
    return name


def _entry(actor: User, macro: Macro, payload: Payload, now: datetime) -> Entry:
    return Entry(now, actor_of(actor), f"macro:{macro.pk}", payload)
