"""One case as its merchant sees it: the public conversation, its clocks and its course, in words.

Internal notes are left out in the statement itself: nothing downstream can show one by mistake.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from guanjia.base.moments import span
from guanjia.base.texts import pick
from guanjia.cases.models import LIVE, Case, Clock, ClockKind, Message
from guanjia.cases.notices import words_of
from guanjia.core.package import PackageState
from guanjia.doors.files.queries import FileLook, by_message, files_on
from guanjia.doors.merchant.queries.needs import TONES, Track, state_word, track_of
from guanjia.merchants.models import Member
from guanjia.packages.models import Package
from guanjia.packages.queries import PackageLook, looks

MESSAGES_MOST, PACKAGES_MOST, CLOCKS_MOST = 50, 10, 50


@dataclass(frozen=True, slots=True)
class Word:
    """A message. `side` is merchant, staff or house; the house's own words have no `who`."""

    side: str
    who: str
    text: str
    at: datetime
    files: Sequence[FileLook] = ()


@dataclass(frozen=True, slots=True)
class Talk:
    """A page of the conversation in the order it was said; `earlier` is the `before` of what precedes."""

    words: tuple[Word, ...]
    earlier: int | None


@dataclass(frozen=True, slots=True)
class ClockWord:
    """A clock in words. `due_at` is None when it has stopped; then `kept` says whether in time."""

    text: str
    said: str
    due_at: datetime | None
    kept: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that has happened."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A package with its track."""

    look: PackageLook
    track: Track


@dataclass(frozen=True, slots=True)
class CasePage:
    number: str
    title: str
    state_text: str
    tone: str
    live: bool
    closed: bool
    who: str
    due_at: datetime | None
    talk: Talk
    clocks: tuple[ClockWord, ...]
    packages: tuple[Shown, ...]
    course: tuple[Step, ...]


def case_by_number(number: str) -> Case | None:
    """With whoever holds it and whoever opened it."""
    found = Case.objects.select_related("person", "team", "pool", "opened_by")
    return found.filter(number=number).first()


def case_page(case: Case, *, before: int | None = None) -> CasePage:
    """The case as it is now, in the reader's language; eight statements however much there is."""
    clocks = list(case.clocks.select_related("owner", "line").order_by("pk")[:CLOCKS_MOST])
    shown = _packages(case)
    return CasePage(
        number=case.number,
        title=case.title,
        state_text=state_word(case.state),
        tone=TONES[case.state],
        live=case.state in LIVE,
        closed=case.state == "closed",
        who=str(case.holder),
        due_at=case.due_at if case.state in LIVE else None,
        talk=talk(case, before=before),
        clocks=tuple(_clock(clock, case) for clock in clocks),
        packages=shown,
        course=_course(case, clocks, [one.look for one in shown]),
    )


def talk(case: Case, *, before: int | None = None) -> Talk:
    """The last MESSAGES_MOST public messages, or those before one of them; first of all, the need."""
    public = Message.objects.select_related("author").filter(case=case, internal=False)
    if before is not None:
        public = public.filter(pk__lt=before)
    found = list(public.order_by("-pk")[: MESSAGES_MOST + 1])
    page = found[:MESSAGES_MOST][::-1]
    mine: set[int | None] = set(
        Member.objects.filter(merchant=case.merchant_id).values_list("user", flat=True)
    )
    files = by_message(files_on(case.pk, notes=False))
    words = [_word(message, mine, files.get(message.pk, ())) for message in page]
    if len(found) > MESSAGES_MOST:
        return Talk(tuple(words), page[0].pk)
    side = "merchant" if case.opened_by_id in mine else "staff"
    need = Word(side, case.opened_by.name, case.need, case.opened_at, files.get(0, ()))
    return Talk((need, *words), None)


def _word(message: Message, mine: Collection[int | None], files: Sequence[FileLook]) -> Word:
    if message.notice is not None or message.author is None:
        return Word("house", "", words_of(message), message.at)
    side = "merchant" if message.author_id in mine else "staff"
    return Word(side, message.author.name, words_of(message), message.at, files)


# --- clocks -------------------------------------------------------------------------------------


def _clock(clock: Clock, case: Case) -> ClockWord:
    running = clock.stopped_at is None and case.state in LIVE
    if running:
        return ClockWord(_(clock.get_kind_display()), _whom(clock, case), clock.due_at, kept=True)
    ended = clock.stopped_at or case.solved_at or clock.due_at
    values = {"span": span(ended - clock.started_at)}
    kept = ended <= clock.due_at
    said = _("用了 %(span)s，在时限内。") % values if kept else _("用了 %(span)s，超过了时限。") % values
    return ClockWord(_(clock.get_kind_display()), said, None, kept)


def _whom(clock: Clock, case: Case) -> str:
    """For whom a running clock waits."""
    if clock.kind == ClockKind.MERCHANT_ANSWER:
        return _("等您答复；在您答复之前，别处不会动。")
    if clock.line is not None:
        from_line = pick(clock.line.titles)
        return _("等“%(line)s”答复；到点没有答复，自动升级给其负责人。") % {"line": from_line}
    if clock.kind == ClockKind.FIRST_ANSWER:
        return _("%(who)s会先答复您。") % {"who": case.holder}
    return _("%(who)s负责办到有结果。") % {"who": case.holder}


# --- packages and the course of things ------------------------------------------------------------


def _packages(case: Case) -> tuple[Shown, ...]:
    sent = Package.objects.filter(case=case).exclude(state=PackageState.DRAFTED)
    keys = list(sent.order_by("-pk").values_list("pk", flat=True)[:PACKAGES_MOST])
    return tuple(Shown(look, track_of(look)) for look in looks(keys))


def _course(case: Case, clocks: Sequence[Clock], packages: Sequence[PackageLook]) -> tuple[Step, ...]:
    """What has happened, the newest first."""
    steps = [Step(case.opened_at, _("收到，编号 %(number)s。") % {"number": case.number})]
    steps += [
        Step(clock.stopped_at, _("%(who)s首次答复。") % {"who": clock.owner.name})
        for clock in clocks
        if clock.kind == ClockKind.FIRST_ANSWER and clock.stopped_at
    ]
    for look in packages:
        steps += _steps_of(look)
    if case.solved_at:
        steps.append(Step(case.solved_at, _("办结。")))
    in_order = sorted(steps, key=lambda step: step.at)
    return tuple(in_order[::-1])  # of two at one instant, the later told comes first


def _steps_of(look: PackageLook) -> list[Step]:
    about = {"number": look.number, "state": look.state_text}
    told = [
        (look.submitted_at, _("一揽子 %(number)s 提交。") % about),
        (look.confirming_at, _("一揽子 %(number)s 各业务线都已占住，开始生效。") % about),
        (look.ended_at, _("一揽子 %(number)s：%(state)s。") % about),
    ]
    return [Step(at, text) for at, text in told if at is not None]
