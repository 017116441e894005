"""What the pages of calendars and promises show: what is in force, what comes, and what a change means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from django.utils import timezone
from django.utils.translation import gettext as _

from guanjia.base.texts import pick
from guanjia.cases.explaining import lasting
from guanjia.cases.models import CaseKind, ClockKind, Priority
from guanjia.cases.promises import About, Book, Counting, Rule, book, narrowest_first
from guanjia.core.clock import Calendar, Schedule
from guanjia.lines.models import Line
from guanjia.people.models import Pool

OFFERED_MOST = 200


@dataclass(frozen=True, slots=True)
class CalendarLook:
    """`since` is None for what came with the house; `next_at` is when another version takes over."""

    code: str
    name: str
    version: int
    zone: str
    since: datetime | None
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Tried:
    """One promise, tried: made at, and when it is due as things are and as they would be."""

    text: str
    at: datetime
    was: datetime | None
    will: datetime | None

    @property
    def moves(self) -> bool:
        return self.was != self.will


def calendars(now: datetime) -> list[CalendarLook]:
    known = book().calendars
    return [look_at(code, known[code], now) for code in sorted(known)]


def look_at(code: str, counting: Counting, now: datetime) -> CalendarLook:
    """The version in force; the first one where none is yet."""
    versions = counting.schedule.versions
    here = max((n for n, (since, _c) in enumerate(versions) if since <= now), default=0)
    since, calendar = versions[here]
    later = versions[here + 1][0] if here + 1 < len(versions) else None
    number = counting.numbers[here]
    name = counting.names[here] or _("中国大陆工作日")
    return CalendarLook(code, name, number, calendar.zone, since if number else None, later)


def newest(counting: Counting) -> Calendar:
    """The version that an edit begins with: the last one, though it may not be in force yet."""
    return counting.schedule.versions[-1][1]


def first_instant(counting: Counting | None, now: datetime) -> datetime:
    """A good moment for the next version: the midnight after next, after all that is planned."""
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    last = counting.schedule.versions[-1][0] if counting else now
    return max(midnight + timedelta(days=1), last + timedelta(days=1))


def try_calendar(
    counting: Counting | None, calendar: Calendar, since: datetime, at: datetime, seconds: int
) -> Tried | None:
    """The promise by the calendar as it is and as it would be; None where `since` is not after the last
    version."""
    versions = counting.schedule.versions if counting else ()
    if any(later[0] <= earlier[0] for earlier, later in pairwise([*versions, (since, calendar)])):
        return None
    edited = Schedule((*versions, (since, calendar)))
    text = _("承诺 %(span)s") % {"span": lasting(seconds)}
    return Tried(
        text, at, _due(counting.schedule, at, seconds) if counting else None, _due(edited, at, seconds)
    )


def _due(schedule: Schedule, at: datetime, seconds: int) -> datetime | None:
    try:
        return schedule.due(at, seconds)
    except OverflowError:
        return None


# --- promises -----------------------------------------------------------------------------------


def offered() -> dict[str, Sequence[tuple[str, str]]]:
    """What the selects of a promise's row hold."""
    return {
        "pools": [(str(pool.pk), pool.name) for pool in Pool.objects.order_by("name")[:OFFERED_MOST]],
        "lines": [(line.slug, pick(line.titles)) for line in Line.objects.order_by("slug")[:OFFERED_MOST]],
        "calendars": [(look.code, look.name) for look in calendars(timezone.now())],
    }


def newest_rules() -> tuple[tuple[Rule, ...], datetime]:
    """The last table of promises, though it may not be in force yet, and since when."""
    since, rules = book().promises[-1]
    return rules, since


def try_promises(rules: Sequence[Rule], since: datetime) -> list[tuple[str, list[Tried]]]:
    """For each row, what is promised to such a case at `since`: as things are, and as they would be."""
    now = book()
    edited = Book(now.calendars, (*now.promises, (since, narrowest_first(rules))))
    return [(whom(rule), [_tried(kind, rule, now, edited, since) for kind in rule.seconds]) for rule in rules]


def _tried(kind: str, rule: Rule, now: Book, edited: Book, since: datetime) -> Tried:
    about = About(
        rule.kind or CaseKind.NEED,
        rule.priority or Priority.NORMAL,
        rule.tier or ("pool" if rule.pool else "person"),
        rule.pool,
        rule.line,
    )
    text = _("%(kind)s：%(span)s") % {"kind": _(ClockKind(kind).label), "span": lasting(rule.seconds[kind])}
    return Tried(text, since, _promised(now, kind, about, since), _promised(edited, kind, about, since))


def _promised(known: Book, kind: str, about: About, at: datetime) -> datetime | None:
    promise = known.promise(kind, about, at)
    return _due(known.counting(promise.calendar).schedule, at, promise.seconds) if promise else None


def whom(rule: Rule) -> str:
    """For whom a row is, in words."""
    parts = [
        _(CaseKind(rule.kind).label) if rule.kind else "",
        _(Priority(rule.priority).label) if rule.priority else "",
        {"team": _("专班"), "person": _("专属"), "pool": _("共享池")}.get(rule.tier, ""),
        rule.line,
    ]
    return " · ".join(part for part in parts if part) or _("所有事项")
