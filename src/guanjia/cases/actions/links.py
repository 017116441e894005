"""Cases that belong together, by hand. One verb, one transaction, one event."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from guanjia.base.actors import SYSTEM
from guanjia.base.errors import BadInput, Missing
from guanjia.cases.belonging import LinkedAlready, access_two
from guanjia.cases.events import CaseLinked, CaseUnlinked
from guanjia.cases.models import BY_HAND, Case, CaseLink, LinkKind
from guanjia.coverage.rules import Verb
from guanjia.ledger.actions import Entry, Payload, record
from guanjia.people.actors import actor_of
from guanjia.people.models import User


@transaction.atomic
def link_cases(*, actor: User, number: str, other: str, kind: LinkKind, now: datetime) -> CaseLink:
    """The case with `number` is to the other one what `kind` says. Both are of one merchant.

    Raises Missing, Forbidden, BadInput, OtherMerchant, LinkedAlready.
    """
    if kind not in BY_HAND:
        raise BadInput(_("没有这种关联。"), hint=_("请从列出的里面选。"))
    source, target = access_two(actor=actor, number=number, other=other, verbs=[Verb.NOTE], now=now)
    _refuse_twice(source, target)
    if kind == LinkKind.PART:
        _refuse_levels(source, target)
    return join(kind, source, target, actor=actor, now=now)


def join(kind: LinkKind, source: Case, target: Case, *, actor: User | None, now: datetime) -> CaseLink:
    """The link and its events; part of the action that brings the two together."""
    link = CaseLink.objects.create(kind=kind, source=source, target=target, made_by=actor, at=now)
    log_both(actor, source, target, CaseLinked, kind, now)
    return link


@transaction.atomic
def unlink_cases(*, actor: User, number: str, other: str, now: datetime) -> None:
    """What people have linked is linked no more; the events stay. Raises Missing, Forbidden, BadInput."""
    one, two = access_two(actor=actor, number=number, other=other, verbs=[Verb.NOTE], now=now)
    link = _between(one, two).filter(kind__in=BY_HAND).first()
    if link is None:
        raise Missing(_("这两件事项没有可以解除的关联。"), hint=_("请刷新查看最新状态。"))
    source, target = (one, two) if link.source_id == one.pk else (two, one)
    log_both(actor, source, target, CaseUnlinked, LinkKind(link.kind), now)
    link.delete()


def log_both(
    actor: User | None,
    source: Case,
    target: Case,
    payload: type[CaseLinked] | type[CaseUnlinked],
    kind: LinkKind,
    now: datetime,
) -> None:
    """The event on both cases, each from its side."""
    sides: list[tuple[Case, Payload]] = [
        (source, payload(source.number, target.number, kind, outward=True)),
        (target, payload(target.number, source.number, kind, outward=False)),
    ]
    who = actor_of(actor) if actor else SYSTEM
    record([Entry(now, who, f"case:{case.number}", what, case.merchant_id) for case, what in sides])


def _between(one: Case, two: Case) -> QuerySet[CaseLink]:
    return CaseLink.objects.filter(Q(source=one, target=two) | Q(source=two, target=one))


def _refuse_twice(source: Case, target: Case) -> None:
    if _between(source, target).exists():
        raise LinkedAlready(_("这两件事项已经连在一起。"), hint=_("要换一种关联，请先解除原来的。"))


def _refuse_levels(source: Case, target: Case) -> None:
    """A part has no parts, and belongs to one whole: what the constraints say, in words."""
    parts = CaseLink.objects.filter(kind=LinkKind.PART)
    if parts.filter(source=source).exists():
        raise LinkedAlready(
            _("%(number)s 已经是另一件事项的一部分。") % {"number": source.number},
            hint=_("请先解除那个关联。"),
        )
    if parts.filter(Q(target=source) | Q(source=target)).exists():
        raise LinkedAlready(
            _("上下级只有一层：有下级的不能再归到别人下面，下级下面也不再有下级。"),
            hint=_("请选“相关”，或连到最上面的那一件。"),
        )
