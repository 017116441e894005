"""Macros as they are chosen, and as they come into a box."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from guanjia.base.errors import Missing
from guanjia.cases.changing import Change
from guanjia.cases.models import Macro, SharedDraft
from guanjia.cases.phrases import change_in, filled, macros_for, values_for
from guanjia.cases.rules import access_case
from guanjia.coverage.rules import Verb
from guanjia.people.models import User
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
