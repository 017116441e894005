"""What becomes of a mail: said on its case, opened as one, noted, or held until a person has looked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from guanjia.base.actors import SYSTEM, Actor
from guanjia.base.blobs import pieces
from guanjia.base.errors import Refusal
from guanjia.cases.actions import open_case, say
from guanjia.cases.actions.house import say_from_house
from guanjia.cases.filing import Upload, sort_out
from guanjia.cases.models import Case, Message
from guanjia.cases.rules import NEED_MOST
from guanjia.core.mail import Automatic, Facts, Kind, Mail, Verdict, judge, read
from guanjia.ledger.actions import Entry, record
from guanjia.merchants.models import Member
from guanjia.people.models import User
from guanjia.post.mail.events import LetterReturned, MailJudged
from guanjia.post.mail.known import known
from guanjia.post.models import Delivery, DeliveryState, IncomingMail, MailState, SentMail

SUBJECT_MOST, ADDRESS_MOST, ID_MOST = 200, 254, 250
ONCE_IN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A mail as it goes on a case: `files` that are accepted, and the names of those that are not."""

    body: str
    files: Sequence[Upload]
    refused: Sequence[str]


def content_of(mail: IncomingMail) -> Mail:
    """The mail, read again from its raw bytes; empty once they are purged."""
    return read(b"".join(pieces(mail.blob)) if mail.blob else b"")


@transaction.atomic
def take(key: int, now: datetime) -> None:
    """Judge a new mail, in one transaction with what follows from it."""
    mail = IncomingMail.objects.select_for_update().filter(pk=key, state=MailState.NEW).first()
    if mail is None:
        return
    content = content_of(mail)
    mail.mail_id, mail.sender = content.message_id[:ID_MOST], content.sender[:ADDRESS_MOST]
    mail.subject, mail.content = content.subject[:SUBJECT_MOST], content.content
    if IncomingMail.objects.filter(state=MailState.TAKEN, content=mail.content).exists():
        settle_mail(mail, MailState.REPEATED, "repeated", now)
        return
    found = known(content, now)
    _carry_out(mail, content, judge(content, found.facts), found.facts, found.letter, now)


def _carry_out(
    mail: IncomingMail,
    content: Mail,
    verdict: Verdict,
    facts: Facts,
    letter: SentMail | None,
    now: datetime,
) -> None:
    mail.case_id = verdict.case
    match verdict.kind:
        case Kind.SAY | Kind.OPEN:
            _speak(mail, content, verdict, now)
        case Kind.RETURNED:
            assert letter is not None
            _take_back(mail, content, letter, now)
        case Kind.NOTE:
            if content.automatic is Automatic.AWAY and letter is not None:
                _note_absence(mail, letter, now)
            settle_mail(mail, MailState.NOTED, verdict.reason, now)
        case Kind.HOLD:
            settle_mail(mail, MailState.HELD, verdict.reason, now)


def _speak(mail: IncomingMail, content: Mail, verdict: Verdict, now: datetime) -> None:
    """As the person, by the actions that their own pages call; what those refuse waits for somebody."""
    assert verdict.user is not None  # whoever speaks is somebody
    speaker = User.objects.get(pk=verdict.user)
    try:
        with transaction.atomic(), override(speaker.language):
            case, message = speak(
                mail, content, speaker=speaker, case=_case(verdict.case), merchant=_merchant(speaker), now=now
            )
    except Refusal as refusal:
        settle_mail(mail, MailState.HELD, refusal.code, now)
        return
    mail.case, mail.message = case, message
    settle_mail(mail, MailState.TAKEN, verdict.reason, now)


def _case(key: int | None) -> Case | None:
    return Case.objects.get(pk=key) if key is not None else None


def _merchant(speaker: User) -> str:
    """Of who belongs to one merchant only."""
    return Member.objects.filter(user=speaker).values_list("merchant__ref", flat=True).first() or ""


def speak(
    mail: IncomingMail,
    content: Mail,
    *,
    speaker: User,
    case: Case | None,
    merchant: str,
    now: datetime,
    internal: bool = False,
    before: str = "",
) -> tuple[Case, Message | None]:
    """On this case, or as a new one of this merchant; part of the action that takes the mail in."""
    key = f"mail:{mail.pk}"
    if case is None:
        spoken = _spoken(content, f"{content.subject}\n\n{content.said}")
        case = open_case(
            actor=speaker, merchant_ref=merchant, need=spoken.body, files=spoken.files,
            idempotency_key=key, now=now,
        )  # fmt: skip
        message = None
    else:
        spoken = _spoken(content, before + (content.said or content.subject))
        message = say(
            actor=speaker, number=case.number, body=spoken.body, internal=internal, files=spoken.files,
            idempotency_key=key, now=now,
        )  # fmt: skip
        case = message.case
    _tell_refused(mail, case, spoken, internal, now)
    return case, message


def _spoken(content: Mail, text: str) -> Spoken:
    """A text beyond what a message holds comes along as a file, whole."""
    text = text.strip() or _("（邮件没有正文）")
    uploads = [Upload.of(file.name, file.content) for file in content.files]
    if len(text) > NEED_MOST:
        uploads.insert(0, Upload.of(_("邮件全文") + ".txt", text.encode()))
        text = text[: NEED_MOST - 1] + "…"
    good, bad = sort_out(uploads)
    return Spoken(text, [one.upload for one in good], [upload.name for upload in bad])


def _tell_refused(mail: IncomingMail, case: Case, spoken: Spoken, internal: bool, now: datetime) -> None:
    if spoken.refused:
        names = _("、").join(name[:80] for name in spoken.refused[:20])
        say_from_house(case=case, kind="mail_files_refused", names=names, internal=internal, now=now)
    if mail.cut:
        say_from_house(case=case, kind="mail_cut", internal=internal, now=now)


def _take_back(mail: IncomingMail, content: Mail, letter: SentMail, now: datetime) -> None:
    """The delivery did not arrive after all, and who looks after the case is told, once a letter."""
    mail.case = letter.case
    if content.for_good:
        Delivery.objects.filter(uid=letter.delivery, state=DeliveryState.SENT).update(
            state=DeliveryState.DEAD, detail="returned by the other side's mail server", ended_at=now
        )
    if letter.returned_at is None:
        if content.for_good:
            SentMail.objects.filter(pk=letter.pk).update(returned_at=now)
        if letter.case is not None and letter.user is not None:
            kind = "mail_returned" if content.for_good else "mail_delayed"
            say_from_house(case=letter.case, kind=kind, who=letter.user.name, internal=True, now=now)
        number = letter.case.number if letter.case else ""
        payload = LetterReturned(letter.delivery.hex, number, letter.user_id, content.for_good)
        subject = f"case:{number}" if number else f"mail:{mail.pk}"
        record([Entry(now, SYSTEM, subject, payload, letter.case.merchant_id if letter.case else None)])
    settle_mail(mail, MailState.RETURNED, "returned" if content.for_good else "delayed", now)


def _note_absence(mail: IncomingMail, letter: SentMail, now: datetime) -> None:
    """For staff, once a day and case: it neither answers nor reopens anything."""
    if letter.case is None or letter.user is None:
        return
    mail.case = letter.case
    lately = IncomingMail.objects.filter(case=letter.case, reason="away", received_at__gt=now - ONCE_IN)
    if not lately.exclude(pk=mail.pk).exists():
        say_from_house(case=letter.case, kind="mail_away", who=letter.user.name, internal=True, now=now)


def settle_mail(
    mail: IncomingMail, state: MailState, reason: str, now: datetime, *, by: User | None = None
) -> None:
    """Write down what became of it, with its event; part of the action that decides."""
    mail.state, mail.reason, mail.judged_at, mail.judged_by = state, reason[:40], now, by
    mail.save()
    number = mail.case.number if mail.case else ""
    actor = Actor("user", str(by.pk)) if by else SYSTEM
    judged = MailJudged(mail.pk, state, reason[:40], number)
    record([Entry(now, actor, f"mail:{mail.pk}", judged, mail.case.merchant_id if mail.case else None)])
