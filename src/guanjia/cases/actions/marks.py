"""Priority, kind, tags and watchers of a case. One verb, one transaction, one event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Missing
from guanjia.cases.actions.clocks import retarget_clocks
from guanjia.cases.changing import GIVEN_KINDS
from guanjia.cases.colleagues import Colleague, colleagues
from guanjia.cases.events import KindSet, Mentioned, PrioritySet, Tagged, Unwatched, Watched
from guanjia.cases.marking import named_in, require_few, tag_name
from guanjia.cases.models import Case, CaseKind, Mention, Message, Priority, Tag, Watch
from guanjia.cases.rules import access_case
from guanjia.coverage.rules import Verb
from guanjia.ledger.actions import Entry, Payload, record
from guanjia.people.actors import actor_of
from guanjia.people.models import User

WATCHERS_MOST = 50


@transaction.atomic
def set_priority(*, actor: User, number: str, priority: int, now: datetime) -> bool:
    """How soon the case is to be done, and its promises with it; False if it was so already. Raises
    Missing, Forbidden, BadInput."""
    if priority not in Priority.values:
        raise BadInput(_("没有这种优先级。"), hint=_("请从列出的里面选。"))
    case = _locked(actor, number, now)
    if case.priority == priority:
        return False
    before, case.priority = case.priority, priority
    case.save(update_fields=["priority"])
    retarget_clocks(case, now)
    _log(actor, case, PrioritySet(case.number, before, priority), now)
    return True


@transaction.atomic
def set_kind(*, actor: User, number: str, kind: str, now: datetime) -> bool:
    """What sort of thing it is; False if it was so already. A major case stays one. Raises Missing,
    Forbidden, BadInput."""
    if kind not in GIVEN_KINDS:
        raise BadInput(_("没有这种类型。"), hint=_("请从列出的里面选。"))
    case = _locked(actor, number, now)
    if case.kind == kind:
        return False
    if case.kind == CaseKind.MAJOR:
        raise BadInput(_("重大事项的类型不能在这里改。"), hint=_("请在它的重大事项页上处理。"))
    before, case.kind = case.kind, kind
    case.save(update_fields=["kind"])
    _log(actor, case, KindSet(case.number, before, kind), now)
    return True


@transaction.atomic
def set_tags(
    *, actor: User, number: str, now: datetime, add: Sequence[str] = (), remove: Sequence[str] = ()
) -> bool:
    """Put tags on a case and take others off; False if that changes nothing. Raises Missing, Forbidden,
    BadInput."""
    wanted = [tag_name(name) for name in add]
    unwanted = {tag_name(name) for name in remove} - set(wanted)
    case = _locked(actor, number, now)
    there = {one.tag.name: one for one in case.taggings.select_related("tag")}
    gone = [there[name] for name in sorted(unwanted & there.keys())]
    new = [name for name in dict.fromkeys(wanted) if name not in there]
    if not (new or gone):
        return False
    require_few(len(there) - len(gone) + len(new))
    added = [_tag(case, name) for name in new]
    for one in gone:
        one.delete()
    _log(actor, case, Tagged(case.number, added, [one.tag_id for one in gone]), now)
    return True


def _tag(case: Case, name: str) -> int:
    tag, _new = Tag.objects.get_or_create(name=name)
    case.taggings.create(tag=tag)
    return tag.pk


@transaction.atomic
def watch_case(*, actor: User, number: str, now: datetime, who: int | None = None) -> bool:
    """Follow a case, or have a colleague follow it who may see its merchant; False if they did already.
    Raises Missing (also for somebody who may not see it), Forbidden, BadInput."""
    case = _locked(actor, number, now)
    wanted = actor.pk if who is None else who
    if not colleagues(case.merchant_id, now=now, among=[wanted]):
        raise Missing(
            _("这个人看不到这家商家，不能关注它的事项。"), hint=_("请从列出的同事里选，或请负责人来分派。")
        )
    if case.watches.filter(user=wanted).exists():
        return False
    if case.watches.count() >= WATCHERS_MOST:
        raise BadInput(_("一件事最多 %(most)d 人关注。") % {"most": WATCHERS_MOST})
    Watch.objects.create(case=case, user_id=wanted, since=now)
    _log(actor, case, Watched(case.number, wanted), now)
    return True


@transaction.atomic
def unwatch_case(*, actor: User, number: str, now: datetime) -> bool:
    """Follow it no more; False if they did not. Raises Missing, Forbidden."""
    case = _locked(actor, number, now)
    gone, _of = case.watches.filter(user=actor).delete()
    if not gone:
        return False
    _log(actor, case, Unwatched(case.number, actor.pk), now)
    return True


def note_mentions(case: Case, actor: User, message: Message, now: datetime) -> list[Colleague]:
    """Whom a word names: they may see the merchant, and are not its people. Part of the action that says
    the word."""
    if "@" not in message.body and "＠" not in message.body:
        return []
    found = named_in(message.body, colleagues(case.merchant_id, now=now))
    named = [one for one in found if one.pk != actor.pk]
    if named:
        Mention.objects.bulk_create(Mention(message=message, case=case, user_id=one.pk) for one in named)
        said = Mentioned(case.number, message.pk, [one.pk for one in named], message.internal)
        _log(actor, case, said, now)
    return named


def _locked(actor: User, number: str, now: datetime) -> Case:
    case = access_case(actor=actor, number=number, verb=Verb.NOTE, now=now)
    return Case.objects.select_for_update(no_key=True).get(pk=case.pk)


def _log(actor: User, case: Case, payload: Payload, now: datetime) -> None:
    record([Entry(now, actor_of(actor), f"case:{case.number}", payload, case.merchant_id)])
