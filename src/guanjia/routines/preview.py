"""What a rule would touch and change, before it is switched on. Nothing is written."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from guanjia.base.errors import Missing
from guanjia.cases.models import Case
from guanjia.cases.numbers import read_number
from guanjia.routines.hours import fits_office
from guanjia.routines.matching import Verdict, explained, fired, touched_at, window
from guanjia.routines.models import RoutineKind
from guanjia.routines.rule import Rule
from guanjia.routines.running import REASONS, would
from guanjia.routines.telling import step_words

SHOWN = 20
COUNTED_MOST = 1_000
STRETCH = 5_000
SECONDS = 1.5
"""How long a preview may count; then it says how far it has come."""


@dataclass(frozen=True, slots=True)
class Touch:
    """One case that would be touched, and what would change; `at`: when its event was."""

    case: Case
    changes: Sequence[str]
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """`count` cases (a trigger: events) of `looked` looked at; `whole`: there are no more than that. `open`:
    the business-hours condition holds now."""

    count: int
    looked: int
    whole: bool
    open: bool
    touches: Sequence[Touch]


@dataclass(frozen=True, slots=True)
class Trial:
    """The rule tried on one case: each condition's verdict, and what would change or why nothing would."""

    case: Case
    every: Sequence[Verdict]
    some: Sequence[Verdict]
    fits: bool
    open: bool
    rests: bool
    changes: Sequence[str]


def preview(rule: Rule, routine: int, now: datetime, *, seconds: float = SECONDS) -> Preview:
    """A schedule: what it would do if it were its time now. A trigger: how often it would have fired lately,
    the cases taken as they are now."""
    if rule.kind == RoutineKind.TRIGGER:
        return _of_trigger(rule, routine, now)
    hits: list[int] = []
    looked = after = 0
    until = time.monotonic() + seconds
    while True:
        most = COUNTED_MOST + 1
        found = window(rule, routine, after=after, size=STRETCH, most=most, now=now)
        hits, looked = [*hits, *found.hits], looked + found.looked
        if found.after is None or len(hits) >= most or time.monotonic() > until:
            break
        after = found.after
    touches = [Touch(case, changes_on(rule, case)) for case in _cases(hits[:SHOWN])]
    opened = fits_office(rule.office, now)
    return Preview(min(len(hits), COUNTED_MOST), looked, found.after is None, opened, touches)


def _of_trigger(rule: Rule, routine: int, now: datetime) -> Preview:
    found = fired(rule, routine, now=now, most=COUNTED_MOST + 1)
    cases = {case.pk: case for case in _cases([pk for pk, _at in found[:SHOWN]])}
    touches = [Touch(cases[pk], changes_on(rule, cases[pk]), at) for pk, at in found[:SHOWN]]
    whole, count = len(found) <= COUNTED_MOST, min(len(found), COUNTED_MOST)
    return Preview(count, count, whole, fits_office(rule.office, now), touches)


def _cases(pks: Sequence[int]) -> list[Case]:
    related = Case.objects.select_related("merchant", "person", "team", "pool")
    found = related.prefetch_related("taggings__tag").in_bulk(pks)
    return [found[pk] for pk in dict.fromkeys(pks)]


def changes_on(rule: Rule, case: Case) -> list[str]:
    """In words, what the rule would change on this case now; empty where nothing."""
    changes = ((step, would(case, step)) for step in rule.steps)
    return [_said(step_words(step), change) for step, change in changes if change]


def _said(words: str, change: str) -> str:
    """A text that is written is in the words already."""
    return f"{words}" if change in words else f"{words}（{change}）" if "→" in change else words


def try_on(rule: Rule, routine: int, number: str, now: datetime) -> Trial:
    """The rule on one named case. Raises Missing."""
    wanted = read_number(number) or number.strip()[:40]
    known = list(Case.objects.filter(number=wanted).values_list("pk", flat=True))
    if not known:
        raise Missing(_("没有找到事项 %(number)s。") % {"number": number[:40]}, hint=_("请核对编号。"))
    [case] = _cases(known)
    every, some = explained(rule, case.pk, now)
    fits = all(one.holds for one in every) and (not some or any(one.holds for one in some))
    last = touched_at(routine, case.pk)
    rests = last is not None and (rule.again is None or last > now - rule.again)
    return Trial(case, every, some, fits, fits_office(rule.office, now), rests, changes_on(rule, case))


__all__ = ["REASONS", "Preview", "Touch", "Trial", "preview", "try_on"]
