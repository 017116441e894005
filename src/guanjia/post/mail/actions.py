"""What a lead does with a mail that waits for a person. One verb, one transaction, one event."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Forbidden, Missing, Refusal
from guanjia.cases.models import Case
from guanjia.cases.numbers import read_number
from guanjia.cases.rules import access_case, no_case
from guanjia.core.mail import Mail
from guanjia.coverage.rules import Verb
from guanjia.people.models import Role, RoleGrant, User
from guanjia.post.mail.taking import content_of, settle_mail, speak
from guanjia.post.models import IncomingMail, MailState


class SettledAlready(Refusal):
    code = "mail_settled"


@transaction.atomic
def take_in_as(
    *, actor: User, mail: int, now: datetime, person: str = "", number: str = "", merchant: str = ""
) -> Case:
    """The mail is this person's after all: said on a case, or, with a merchant, opened as a new one.

    Without a person it becomes an internal note of the lead on the case. Raises Forbidden for who is no
    lead, Missing, SettledAlready, BadInput, and what saying it refuses.
    """
    found, content = held(actor, mail)
    case = _case(number, actor, now) if number.strip() else None
    if case is None and not (merchant.strip() and person.strip()):
        raise BadInput(_("没有说收到哪里去。"), hint=_("写事项编号；要立新的事项，写是谁和哪家商家。"))
    speaker = _person(person) if person.strip() else actor
    before = "" if person.strip() else _("%(sender)s 来信：") % {"sender": content.sender or "?"} + "\n\n"
    internal = not person.strip()
    taken, message = speak(
        found, content, speaker=speaker, case=case, merchant=merchant.strip(), now=now,
        internal=internal, before=before,
    )  # fmt: skip
    found.case, found.message = taken, message
    # A mail that was taken in by hand may be the second of two that say the same.
    found.content = None if _is_there(found) else found.content
    settle_mail(found, MailState.TAKEN, "by_hand", now, by=actor)
    return taken


def _is_there(mail: IncomingMail) -> bool:
    return IncomingMail.objects.filter(state=MailState.TAKEN, content=mail.content).exists()


@transaction.atomic
def drop_mail(*, actor: User, mail: int, now: datetime) -> None:
    """Nothing for us. Its raw form is forgotten with the others'. Raises as `take_in_as`."""
    found, _content = held(actor, mail)
    settle_mail(found, MailState.DROPPED, "by_hand", now, by=actor)


def held(actor: User, mail: int) -> tuple[IncomingMail, Mail]:
    """A mail that waits for a person, locked, with what it says.

    Raises Forbidden, Missing, SettledAlready.
    """
    require_reader(actor)
    found = IncomingMail.objects.select_for_update().filter(pk=mail).first()
    if found is None:
        raise no_mail()
    if found.state not in (MailState.HELD, MailState.NOTED):
        raise SettledAlready(_("这封邮件已经处理过了。"), hint=_("请刷新列表。"))
    if found.purged_at is not None:
        raise SettledAlready(_("这封邮件的内容已到期清除。"), hint=_("请对方再发一次。"))
    return found, content_of(found)


def require_reader(actor: User) -> None:
    """Mail of strangers is seen by the lead alone: whose it is, nobody knows yet."""
    if not RoleGrant.objects.filter(user=actor, role=Role.SERVICE_LEAD).exists():
        raise Forbidden(_("来信只有服务体系负责人能看。"), hint=_("请服务体系负责人来处理。"))


def no_mail() -> Missing:
    return Missing(_("没有这封邮件。"), hint=_("请从列表里选。"))


def _case(typed: str, actor: User, now: datetime) -> Case:
    number = read_number(typed.strip())
    if number is None:
        raise no_case(typed)
    return access_case(actor=actor, number=number, verb=Verb.NOTE, now=now)


def _person(username: str) -> User:
    found = User.objects.filter(username=username.strip(), is_active=True).first()
    if found is None:
        raise BadInput(_("没有登录名是“%(name)s”的人。") % {"name": username[:80]}, hint=_("请核对登录名。"))
    return found
