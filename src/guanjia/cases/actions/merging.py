"""Two cases become one, and one becomes two. One verb, one transaction, one event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Missing
from guanjia.base.flows.queue import NEVER
from guanjia.base.sql import rows
from guanjia.cases.actions.clocks import cancel_clocks, merchant_has_the_turn
from guanjia.cases.actions.closing import refuse_running
from guanjia.cases.actions.following import tell
from guanjia.cases.actions.intake import open_beside
from guanjia.cases.actions.links import join
from guanjia.cases.belonging import OVER, NotMergeable, NotUndoable, access_two
from guanjia.cases.events import CaseMerged, CaseSplit, CaseTookIn, MergeUndone
from guanjia.cases.models import (
    LIVE_CLOCKS,
    Case,
    CaseLink,
    CaseState,
    Clock,
    ClockKind,
    LinkKind,
    Message,
    Quote,
    Recipient,
    Tagging,
    Task,
    Watch,
)
from guanjia.cases.rules import access_case
from guanjia.cases.timing import count
from guanjia.coverage.rules import Verb, require
from guanjia.ledger.actions import Entry, Payload, record
from guanjia.people.actors import actor_of
from guanjia.people.models import User

ModelT = TypeVar("ModelT", bound=Model)

QUOTES_MOST = 100
PROMISED = (ClockKind.FIRST_ANSWER, ClockKind.NEXT_ANSWER, ClockKind.RESOLUTION)
"""What we owe the merchant whichever number it is told: of two promises of a kind, the earlier holds."""


@transaction.atomic
def merge_cases(*, actor: User, number: str, into: str, now: datetime) -> Case:
    """The case with this number is closed and goes on as the other one, which is returned.

    Its words stay where they were said and are read in both; its clocks are cancelled, and of two promises
    the earlier one holds; its tags and followers come along. Raises Missing, Forbidden, BadInput,
    OtherMerchant, StillRunning, NotMergeable.
    """
    verbs = [Verb.NOTE, Verb.SOLVE]
    source, target = access_two(actor=actor, number=number, other=into, verbs=verbs, now=now)
    refuse_merge(source, target)
    undo = _carry(source, target, now) | _close(source, now) | _unite(source, target)
    try:
        with transaction.atomic():
            link = CaseLink.objects.create(
                kind=LinkKind.MERGED, source=source, target=target, made_by=actor, at=now
            )
    except IntegrityError:  # two merges at once: the database has the last word
        raise NotMergeable(_("这两件里有一件刚刚被合并。"), hint=_("请刷新查看最新状态。")) from None
    tell(source, "merged_into", now, other=target.number)
    tell(target, "took_in", now, other=source.number)
    _log(actor, source, CaseMerged(source.number, target.number), now)
    _log(actor, target, CaseTookIn(target.number, source.number), now)
    link.undo = undo | {"newest": _newest(source, target)}
    link.save(update_fields=["undo"])
    target.refresh_from_db()
    return target


@transaction.atomic
def look_at_merge(*, actor: User, number: str, into: str, now: datetime) -> Case:
    """The case that this one would go into; raises what merging would, and changes nothing."""
    verbs = [Verb.NOTE, Verb.SOLVE]
    source, target = access_two(actor=actor, number=number, other=into, verbs=verbs, now=now)
    refuse_merge(source, target)
    return target


def refuse_merge(source: Case, target: Case) -> None:
    """Why these two cannot become one; reads only. Raises StillRunning, NotMergeable."""
    if target.state in OVER:
        raise NotMergeable(
            _("%(number)s 已经结束，不能并进去。") % {"number": target.number},
            hint=_("请先重新打开它，或反过来把它并进来。"),
        )
    merges = CaseLink.objects.filter(kind=LinkKind.MERGED)
    if merges.filter(Q(source=source) | Q(target=source) | Q(source=target)).exists():
        raise NotMergeable(
            _("%(number)s 已经合并过：合并只有一层。") % {"number": source.number},
            hint=_("已并入过别的事项的那一件要留下：请把另一件并到它里面。"),
        )
    if Recipient.objects.filter(case=source).exists():
        raise NotMergeable(
            _("%(number)s 是重大事项的一件，统一的更新要送到它这里。") % {"number": source.number},
            hint=_("请反过来，把另一件并到它里面，或只连成“相关”。"),
        )
    refuse_running(source)
    _refuse_unfinished(source)


def _refuse_unfinished(source: Case) -> None:
    """Work that somebody is on, and promises with a person's name on them, are not closed away."""
    hint = _("请先办完，或反过来把另一件并到它里面。")
    if open_tasks := Task.objects.filter(case=source, done_at=None).count():
        raise NotMergeable(
            _("%(number)s 上还有 %(n)d 个任务没有完成。") % {"number": source.number, "n": open_tasks},
            hint=hint,
        )
    waits = Clock.objects.filter(case=source, status__in=LIVE_CLOCKS)
    other = waits.exclude(kind__in=(*PROMISED, ClockKind.MERCHANT_ANSWER)).order_by("pk").first()
    if other is not None:
        raise NotMergeable(
            _("%(number)s 还有一个时钟在走：%(clock)s。")
            % {"number": source.number, "clock": _(other.get_kind_display())},
            hint=hint,
        )


@transaction.atomic
def unmerge_cases(*, actor: User, number: str, into: str, now: datetime) -> Case:
    """Take a merge back, as long as nothing has happened on either case since; the case is returned.

    Raises Missing, Forbidden, NotUndoable.
    """
    verbs = [Verb.NOTE, Verb.SOLVE]
    source, target = access_two(actor=actor, number=number, other=into, verbs=verbs, now=now)
    link = CaseLink.objects.filter(source=source, target=target, kind=LinkKind.MERGED).first()
    if link is None:
        raise Missing(_("这两件没有合并过。"), hint=_("请刷新查看最新状态。"))
    if not undoable(link, source, target):
        raise NotUndoable(
            _("合并之后又有了新的沟通或动作，不能撤销了。"),
            hint=_("请把要分开的话拆成新的一件：两边的话都还在。"),
        )
    _restore(source, target, link.undo or {}, now)
    link.delete()
    tell(source, "merge_undone", now, other=target.number)
    tell(target, "merge_undone", now, other=source.number)
    _log(actor, source, MergeUndone(source.number, target.number), now)
    _log(actor, target, MergeUndone(target.number, source.number), now)
    source.refresh_from_db()
    return source


def undoable(link: CaseLink, source: Case, target: Case) -> bool:
    """Whether nothing has happened on either case since they were merged."""
    return link.undo is not None and link.undo["newest"] == _newest(source, target)


@transaction.atomic
def split_case(*, actor: User, number: str, messages: Sequence[int], need: str, now: datetime) -> Case:
    """What these words are about becomes a case of its own, with its own number and clocks.

    The words stay where they were said and are quoted in the new case; the first contact stays. Raises
    Missing, Forbidden, BadInput.
    """
    case = access_case(actor=actor, number=number, verb=Verb.NOTE, now=now)
    require(actor, case.merchant, Verb.OPEN_CASE, now=now)
    chosen = sorted(set(messages))
    own = Message.objects.filter(pk__in=chosen, author__isnull=False).filter(_said_in(case))
    if not 1 <= len(chosen) <= QUOTES_MOST or own.count() != len(chosen):
        raise BadInput(_("请选出要带走的话。"), hint=_("从这件事的沟通里选 1 到 %d 条。") % QUOTES_MOST)
    new = open_beside(actor=actor, beside=case, need=need, now=now)
    Quote.objects.bulk_create(Quote(case=new, message_id=pk) for pk in chosen)
    join(LinkKind.SPLIT, new, case, actor=actor, now=now)
    tell(new, "split_from", now, other=case.number)
    tell(case, "split_off", now, other=new.number)
    _log(actor, case, CaseSplit(case.number, new.number, tuple(chosen)), now)
    return new


def _said_in(case: Case) -> Q:
    """On the case, on what was merged into it, or quoted there."""
    merged = CaseLink.objects.filter(target=case, kind=LinkKind.MERGED).values("source")
    return Q(case=case) | Q(case__in=merged) | Q(pk__in=Quote.objects.filter(case=case).values("message"))


# --- what a merge changes, and how it is taken back -------------------------------------------------


def _carry(source: Case, target: Case, now: datetime) -> dict[str, list[int]]:
    """Of two promises of a kind the earlier holds on the target; one that only the source has goes on there.

    What stands still counts as late: its deadline is not known yet.
    """
    ours = target.clocks.filter(status__in=LIVE_CLOCKS, kind__in=PROMISED)
    held = {clock.kind: clock for clock in ours}
    carried, displaced = [], []
    for promise in source.clocks.filter(status__in=LIVE_CLOCKS, kind__in=PROMISED).order_by("pk"):
        known = held.get(promise.kind)
        if known is not None and _due(known) <= _due(promise):
            continue
        if known is not None:
            cancel_clocks(target, now=now, kinds=[ClockKind(promise.kind)])
            displaced.append(known.pk)
        carried.append(_goes_on(promise, target).pk)
    if target.state == CaseState.WAITING_MERCHANT:
        merchant_has_the_turn([target.pk], now)
    return {"carried": carried, "displaced": displaced}


def _due(clock: Clock) -> datetime:
    return clock.due_at or NEVER


def _goes_on(promise: Clock, target: Case) -> Clock:
    """The same promise, with all that has happened to it, on the case that goes on."""
    clock = Clock.objects.get(pk=promise.pk)
    clock.pk, clock._state.adding = None, True
    clock.case, clock.owner = target, target.answerable
    clock.save(force_insert=True)
    return clock


def _close(source: Case, now: datetime) -> dict[str, Any]:
    """The source is closed and its clocks are cancelled; what it was like before."""
    live = source.clocks.filter(status__in=LIVE_CLOCKS).order_by("pk")
    before = {
        "state": source.state,
        "closed_at": source.closed_at.isoformat() if source.closed_at else None,
        "clocks": [clock.pk for clock in live],
    }
    source.state, source.closed_at, source.due_at = CaseState.CLOSED, now, None
    source.save(update_fields=["state", "closed_at", "due_at"])
    cancel_clocks(source, now=now)
    return before


def _unite(source: Case, target: Case) -> dict[str, list[int]]:
    """The target gets the source's tags and followers that it lacks."""
    tags = _lacking(Tagging.objects.filter(case=source), Tagging.objects.filter(case=target), "tag")
    users = _lacking(Watch.objects.filter(case=source), Watch.objects.filter(case=target), "user")
    tagged = Tagging.objects.bulk_create(Tagging(case=target, tag_id=one.tag_id) for one in tags)
    watched = Watch.objects.bulk_create(
        Watch(case=target, user_id=one.user_id, since=one.since) for one in users
    )
    return {"tags": [one.pk for one in tagged], "watches": [one.pk for one in watched]}


def _lacking(there: QuerySet[ModelT], here: QuerySet[ModelT], what: str) -> QuerySet[ModelT]:
    return there.exclude(**{f"{what}__in": here.values(what)}).order_by("pk")


def _restore(source: Case, target: Case, undo: Mapping[str, Any], now: datetime) -> None:
    """Everything as it was; the state first, since it decides what a running clock does to it."""
    closed_at = undo["closed_at"]
    source.state, source.closed_at = undo["state"], datetime.fromisoformat(closed_at) if closed_at else None
    source.save(update_fields=["state", "closed_at"])
    carried = Clock.objects.filter(pk__in=undo["carried"]).values_list("kind", flat=True)
    cancel_clocks(target, now=now, kinds=[ClockKind(kind) for kind in carried])
    for clock in Clock.objects.filter(pk__in=[*undo["clocks"], *undo["displaced"]]).order_by("pk"):
        clock.stopped_at = None
        count(clock, now)
        clock.save()
    Tagging.objects.filter(pk__in=undo["tags"], case=target).delete()
    Watch.objects.filter(pk__in=undo["watches"], case=target).delete()


def _newest(source: Case, target: Case) -> int:
    """The latest event of both cases."""
    subjects = [f"case:{case.number}" for case in (source, target)]
    [(newest,)] = rows("SELECT coalesce(max(id), 0) FROM ledger_event WHERE subject = ANY(%s)", [subjects])
    return int(newest)


def _log(actor: User, case: Case, payload: Payload, now: datetime) -> None:
    record([Entry(now, actor_of(actor), f"case:{case.number}", payload, case.merchant_id)])
