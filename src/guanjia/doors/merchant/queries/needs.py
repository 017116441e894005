"""A merchant's needs as lists: each case with who is on it, its clock, and a track per line."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput
from guanjia.base.sql import rows
from guanjia.cases.models import LIVE, Case, CaseState
from guanjia.core.package import ENDED, ItemState
from guanjia.merchants.models import Merchant
from guanjia.packages.models import Package
from guanjia.packages.queries import ItemLook, LineTrack, PackageLook, looks

LIVE_MOST, FINISHED_MOST, PROPOSALS_MOST, PAGE = 8, 4, 10, 20

TONES: Mapping[str, str] = {
    CaseState.OPEN: "brand",
    CaseState.WAITING_LINE: "warn",
    CaseState.WAITING_MERCHANT: "warn",
    CaseState.SOLVED: "ok",
    CaseState.CLOSED: "plain",
}
LANES: Mapping[str, str] = {
    ItemState.DRAFTED: "todo",
    ItemState.HOLDING: "now",
    ItemState.PENDING_DECISION: "wait",
    ItemState.HELD: "held",
    ItemState.CONFIRMING: "now",
    ItemState.CONFIRMED: "done",
    ItemState.REFUSED: "bad",
    ItemState.EXPIRED: "bad",
    ItemState.FAILED_NEEDS_HAND: "wait",
}
"""How a line's part of a package is drawn; what is not here is no longer needed."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One line's part of a package; `due_at` is when its answer is due, None where no clock runs."""

    title: str
    status: str
    text: str
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Track:
    """A package on its way over its lines."""

    number: str
    state_text: str
    tone: str
    lanes: tuple[Lane, ...]


@dataclass(frozen=True, slots=True)
class Need:
    """A case as one entry of a list. `due_at` is None when nothing is waited for."""

    number: str
    title: str
    state: str
    state_text: str
    tone: str
    who: str
    live: bool
    due_at: datetime | None
    opened_at: datetime
    solved_at: datetime | None
    track: Track | None


@dataclass(frozen=True, slots=True)
class Needs:
    """A page of needs; `next` is the `after` of the following page, empty on the last."""

    needs: tuple[Need, ...]
    next: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A price that waits for the merchant's answer. `total` is in minor units."""

    number: str
    case: str
    title: str
    lines: tuple[str, ...]
    total: int
    currency: str
    due_at: datetime | None


def live_needs(merchant: Merchant, *, after: str = "", waiting: bool = False, limit: int = PAGE) -> Needs:
    """What is in progress, the most urgent clock first; `waiting` leaves what waits for the merchant.

    Five statements however many there are. Raises BadInput for an `after` that no page gave.
    """
    states = [CaseState.WAITING_MERCHANT] if waiting else list(LIVE)
    found = _cases(merchant).filter(state__in=states)
    if after:
        found = found.filter(_behind(after))
    page = list(found.order_by(F("due_at").asc(nulls_last=True), "pk")[: limit + 1])
    return Needs(_needs(page[:limit]), _urgency(page[limit - 1]) if len(page) > limit else "")


def past_needs(merchant: Merchant, *, after: str = "", finished: bool = True, limit: int = PAGE) -> Needs:
    """What is finished, or with `finished` off everything, the newest first. Raises BadInput."""
    found = _cases(merchant)
    if finished:
        found = found.exclude(state__in=LIVE)
    if after:
        if not re.fullmatch(r"[0-9]{1,18}", after):
            raise _no_such_page()
        found = found.filter(pk__lt=int(after))
    page = list(found.order_by("-pk")[: limit + 1])
    return Needs(_needs(page[:limit]), str(page[limit - 1].pk) if len(page) > limit else "")


def proposals(merchant: Merchant) -> list[Proposal]:
    """What waits for the merchant's yes or no, the first clock to run out first."""
    waiting = Package.objects.select_related("case").filter(
        case__merchant=merchant, case__state=CaseState.WAITING_MERCHANT, accept_due_at__isnull=False
    )
    first = list(waiting.exclude(state__in=ENDED).order_by("accept_due_at", "pk")[:PROPOSALS_MOST])
    titles = {package.number: package.case.title for package in first}
    shown = looks([package.pk for package in first]) if first else []
    by_number = {look.number: look for look in shown}
    return [_proposal(by_number[number], title) for number, title in titles.items()]


def _proposal(look: PackageLook, title: str) -> Proposal:
    lines = tuple(track.title for track in look.tracks)
    total = look.to_accept or 0
    return Proposal(look.number, look.case, title, lines, total, look.currency, look.accept_due_at)


def _cases(merchant: Merchant) -> QuerySet[Case]:
    return Case.objects.select_related("person", "team", "pool").filter(merchant=merchant)


def _urgency(case: Case) -> str:
    """Where a page ends: the clock and the id of its last case."""
    return f"{case.due_at.timestamp() * 1e6:.0f}-{case.pk}" if case.due_at else f"-{case.pk}"


def _behind(after: str) -> Q:
    cursor = re.fullmatch(r"([0-9]{0,17})-([0-9]{1,18})", after)
    if cursor is None:
        raise _no_such_page()
    if not cursor[1]:
        return Q(due_at=None, pk__gt=int(cursor[2]))
    due_at = _instant(int(cursor[1]))
    return Q(due_at__gt=due_at) | Q(due_at=due_at, pk__gt=int(cursor[2])) | Q(due_at=None)


def _instant(microseconds: int) -> datetime:
    seconds, rest = divmod(microseconds, 1_000_000)
    try:
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)
    except (ValueError, OverflowError, OSError):
        raise _no_such_page() from None


def _no_such_page() -> BadInput:
    return BadInput(_("没有这一段列表。"), hint=_("请从列表的第一页重新翻。"))


def _needs(cases: Sequence[Case]) -> tuple[Need, ...]:
    tracks = tracks_of([case.pk for case in cases])
    return tuple(_need(case, tracks.get(case.pk)) for case in cases)


def _need(case: Case, track: Track | None) -> Need:
    return Need(
        number=case.number,
        title=case.title,
        state=case.state,
        state_text=state_word(case.state),
        tone=TONES[case.state],
        who=str(case.holder),
        live=case.state in LIVE,
        due_at=case.due_at if case.state in LIVE else None,
        opened_at=case.opened_at,
        solved_at=case.solved_at,
        track=track,
    )


def state_word(state: str) -> str:
    """A case's state as its merchant reads it: waiting for the merchant is waiting for *you*."""
    return _("等您答复") if state == CaseState.WAITING_MERCHANT else _(CaseState(state).label)


def tracks_of(cases: Collection[int]) -> dict[int, Track]:
    """For each case, its newest package that is under way, else its newest; three statements."""
    if not cases:
        return {}
    statement = (
        "SELECT DISTINCT ON (case_id) case_id, id, number FROM packages_package"
        " WHERE case_id = ANY(%s) AND state <> 'drafted' ORDER BY case_id, ended_at IS NOT NULL, id DESC"
    )
    chosen = rows(statement, [list(cases)])
    by_number = {look.number: look for look in looks([package for _case, package, _number in chosen])}
    return {case: track_of(by_number[number]) for case, _package, number in chosen}


def track_of(look: PackageLook) -> Track:
    """A package with one lane for each of its lines."""
    items = {item.position: item for item in look.items}
    lanes = tuple(_lane(line, [items[position] for position in line.items]) for line in look.tracks)
    return Track(look.number, look.state_text, look.tone, lanes)


def _lane(line: LineTrack, items: Sequence[ItemLook]) -> Lane:
    waiting = [
        item.decision_due_at
        for item in items
        if item.state == ItemState.PENDING_DECISION and item.decision_due_at
    ]
    status = LANES.get(ItemState(line.state), "off")
    return Lane(line.title, status, line.state_text, min(waiting, default=None))
