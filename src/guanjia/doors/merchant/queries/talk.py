"""One case as its merchant sees it: the public conversation, its clocks and its course, in words.

Internal notes are left out in the statement itself: nothing downstream can show one by mistake.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from guanjia.base.texts import pick
from guanjia.cases.explaining import Account, account
from guanjia.cases.history import SAID
from guanjia.cases.models import LIVE, Case, CaseLink, Clock, ClockKind, ClockStatus, LinkKind, Message
from guanjia.cases.notices import both_names, words_of
from guanjia.core.package import PackageState
from guanjia.doors.files.queries import FileLook, by_message, files_on
from guanjia.doors.merchant.queries.needs import TONES, Track, state_word, track_of
from guanjia.merchants.models import Member
from guanjia.packages.models import Package
from guanjia.packages.queries import PackageLook, looks

MESSAGES_MOST, PACKAGES_MOST, CLOCKS_MOST = 50, 10, 50
LINKS_MOST = 50
LAST = 2**63 - 1
# Public words said here, on the cases that were merged into this one, and those it was split off with.
_JOINED = f"""
SELECT id FROM (
  (SELECT id FROM cases_message WHERE case_id = %s AND id < %s AND NOT internal
   ORDER BY id DESC LIMIT {MESSAGES_MOST + 1})
  UNION ALL SELECT s.id FROM cases_caselink l CROSS JOIN LATERAL (
    SELECT id FROM cases_message WHERE case_id = l.source_id AND id < %s AND NOT internal
      AND notice ->> 'kind' IS DISTINCT FROM 'merged_into'
    ORDER BY id DESC LIMIT {MESSAGES_MOST + 1}) s WHERE l.target_id = %s AND l.kind = 'merged'
  UNION ALL SELECT s.id FROM cases_quote q JOIN cases_message s ON s.id = q.message_id
    WHERE q.case_id = %s AND s.id < %s AND NOT s.internal) joined
ORDER BY id DESC LIMIT {MESSAGES_MOST + 1}
"""  # noqa: S608 - our own text


@dataclass(frozen=True, slots=True)
class Word:
    """A message. `side` is merchant, staff or house; the house's own words have no `who`. `origin` is
    the number of the case where it was said, if not here."""

    side: str
    who: str
    text: str
    at: datetime
    files: Sequence[FileLook] = ()
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Talk:
    """A page of the conversation in the order it was said; `earlier` is the `before` of what precedes."""

    words: tuple[Word, ...]
    earlier: int | None


@dataclass(frozen=True, slots=True)
class ClockWord:
    """A clock in words, and how it came to its deadline. `due_at` is None when it has stopped or stands
    still."""

    text: str
    said: str
    due_at: datetime | None
    life: Account


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
class Beside:
    """Another case of this merchant, and what it is to this one."""

    number: str
    text: str


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
    beside: tuple[Beside, ...]


def case_by_number(number: str) -> Case | None:
    """With whoever holds it and whoever opened it."""
    found = Case.objects.select_related("person", "team", "pool", "opened_by")
    return found.filter(number=number).first()


def case_page(case: Case, *, now: datetime, before: int | None = None) -> CasePage:
    """The case as it is now, in the reader's language; nine statements however much there is."""
    clocks = list(case.clocks.select_related("owner", "line").order_by("pk")[:CLOCKS_MOST])
    shown, links = _packages(case), _links(case)
    return CasePage(
        number=case.number,
        title=case.title,
        state_text=state_word(case.state),
        tone=TONES[case.state],
        live=case.state in LIVE,
        closed=case.state == "closed",
        who=str(case.holder),
        due_at=case.due_at if case.state in LIVE else None,
        talk=talk(case, links, before=before),
        clocks=tuple(_clock(clock, case, now) for clock in clocks),
        packages=shown,
        course=_course(case, clocks, [one.look for one in shown]),
        beside=tuple(_beside(link, case) for link in links),
    )


def _links(case: Case) -> Sequence[CaseLink]:
    found = CaseLink.objects.select_related("source__opened_by", "target")
    return list(found.filter(Q(source=case) | Q(target=case)).order_by("pk")[:LINKS_MOST])


def _beside(link: CaseLink, case: Case) -> Beside:
    outward = link.source_id == case.pk
    other = link.target.number if outward else link.source.number
    return Beside(other, _(SAID[LinkKind(link.kind)][0 if outward else 1]) % {"other": other})


def talk(case: Case, links: Sequence[CaseLink], *, before: int | None = None) -> Talk:
    """The last MESSAGES_MOST public messages, or those before one of them; first of all, the needs: of this
    case, and of those that were merged into it."""
    until = before or LAST
    given = [case.pk, until, until, case.pk, case.pk, until]
    joined = RawSQL(_JOINED, given)  # noqa: S611 - our own text
    public = Message.objects.select_related("author", "standing_in", "case").filter(pk__in=joined)
    found = list(public.order_by("-pk")[: MESSAGES_MOST + 1])
    page = found[:MESSAGES_MOST][::-1]
    mine: set[int | None] = set(
        Member.objects.filter(merchant=case.merchant_id).values_list("user", flat=True)
    )
    files = by_message(files_on(case.pk, notes=False))
    words = [_word(case, message, mine, files.get(message.pk, ())) for message in page]
    if len(found) > MESSAGES_MOST:
        return Talk(tuple(words), page[0].pk)
    side = "merchant" if case.opened_by_id in mine else "staff"
    need = Word(side, case.opened_by.name, case.need, case.opened_at, files.get(0, ()))
    return Talk((need, *_merged_needs(case, links, mine, files), *words), None)


def _merged_needs(
    case: Case,
    links: Sequence[CaseLink],
    mine: Collection[int | None],
    files: Mapping[int, Sequence[FileLook]],
) -> Iterator[Word]:
    for link in links:
        if link.kind == LinkKind.MERGED and link.target_id == case.pk:
            source = link.source
            side = "merchant" if source.opened_by_id in mine else "staff"
            kept = files.get(-source.pk, ())
            yield Word(side, source.opened_by.name, source.need, source.opened_at, kept, source.number)


def _word(case: Case, message: Message, mine: Collection[int | None], files: Sequence[FileLook]) -> Word:
    origin = message.case.number if message.case_id != case.pk else ""
    if message.notice is not None or message.author is None:
        return Word("house", "", words_of(message), message.at, (), origin)
    side = "merchant" if message.author_id in mine else "staff"
    who = both_names(message.author.name, message.standing_in.name if message.standing_in else None)
    return Word(side, who, words_of(message), message.at, files, origin)


# --- clocks -------------------------------------------------------------------------------------


def _clock(clock: Clock, case: Case, now: datetime) -> ClockWord:
    life, text = account(clock, now, merchant=True), _(clock.get_kind_display())
    if clock.stopped_at is not None or case.state not in LIVE:
        return ClockWord(text, "", None, life)
    if life.why:
        return ClockWord(text, _("停着，因为%(why)s。") % {"why": life.why}, None, life)
    return ClockWord(text, _whom(clock, case), clock.due_at, life)


def _whom(clock: Clock, case: Case) -> str:
    """For whom a running clock waits."""
    if clock.kind == ClockKind.MERCHANT_ANSWER:
        return _("等您答复；在您答复之前，别处不会动。")
    if clock.line is not None:
        from_line = pick(clock.line.titles)
        return _("等“%(line)s”答复；到点没有答复，自动升级给其负责人。") % {"line": from_line}
    if clock.kind in (ClockKind.FIRST_ANSWER, ClockKind.NEXT_ANSWER):
        return _("%(who)s会先答复您。") % {"who": case.holder}
    if clock.kind == ClockKind.FOLLOW_UP:
        return _("%(who)s答应在这之前做到。") % {"who": case.holder}
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
        if clock.kind == ClockKind.FIRST_ANSWER and clock.stopped_at and clock.status == ClockStatus.STOPPED
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
