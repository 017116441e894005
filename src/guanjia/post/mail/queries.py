"""Mail that came in, as the lead sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as n_

from guanjia.core.mail import Mail
from guanjia.people.models import User
from guanjia.post.mail.actions import no_mail
from guanjia.post.mail.taking import content_of
from guanjia.post.models import IncomingMail, Mailbox, MailState

PAGE = 50
CANDIDATES_MOST = 5
WHY = {
    "unknown": n_("没有人登记过这个发件地址"),
    "unproven": n_("发件地址可能是伪造的：没有回信凭证，邮件服务器也没有证明"),
    "several_people": n_("好几个人用同一个发件地址"),
    "other_address": n_("回信凭证是真的，但从另一个地址发来"),
    "which_merchant": n_("发件人属于好几家商家，不知道是哪一家的事"),
    "no_case": n_("没有说是哪件事，发件人也不能自己提出事项"),
    "too_many": n_("这个地址一小时内来信太多"),
    "comes_back": n_("这件事一天内被邮件重新打开太多次"),
    "unreadable": n_("邮件读不出来"),
    "forbidden": n_("发件人不能在这件事上说话"),
    "not_found": n_("发件人看不到这件事"),
    "needs_approval": n_("发件人的回复要先审阅"),
    "away": n_("自动回复：对方不在"),
    "robot": n_("程序自动发出"),
    "list": n_("邮件列表"),
    "loop": n_("我们自己的信又回来了"),
    "bounce": n_("退信，但不是我们发的信"),
    "returned": n_("我们的信被退回"),
    "delayed": n_("我们的信还没送到"),
    "repeated": n_("同一封信来过了"),
    "by_hand": n_("人工处理"),
    "token": n_("按回信凭证"),
    "number": n_("按主题里的编号"),
    "thread": n_("按所回的信"),
    "new": n_("新的事项"),
}


@dataclass(frozen=True, slots=True)
class MailLook:
    pk: int
    at: datetime
    sender: str
    subject: str
    size: int
    state: str
    state_text: str
    why: str
    case: str


def why(reason: str) -> str:
    """A reason in words; a code that has none is shown as it is."""
    return _(WHY[reason]) if reason in WHY else reason


def mails(*, show: str, after: int = 0) -> tuple[list[MailLook], int | None]:
    """The latest PAGE of a state, or those before one of them; the second says where to go on."""
    found = IncomingMail.objects.select_related("case").filter(state=show)
    if after:
        found = found.filter(pk__lt=after)
    rows = list(found.order_by("-pk")[: PAGE + 1])
    return [_look(one) for one in rows[:PAGE]], rows[PAGE - 1].pk if len(rows) > PAGE else None


def _look(mail: IncomingMail) -> MailLook:
    return MailLook(
        pk=mail.pk,
        at=mail.received_at,
        sender=mail.sender or "–",
        subject=mail.subject,
        size=mail.size,
        state=mail.state,
        state_text=_(MailState(mail.state).label),
        why=why(mail.reason),
        case=mail.case.number if mail.case else "",
    )


def one_mail(key: int) -> tuple[MailLook, Mail, Sequence[User]]:
    """One mail with what it says, and the people who have its sender's address. Raises Missing."""
    found = IncomingMail.objects.select_related("case").filter(pk=key).first()
    if found is None:
        raise no_mail()
    people = (
        User.objects.filter(email__iexact=found.sender, is_active=True)
        if found.sender
        else User.objects.none()
    )
    return _look(found), content_of(found), list(people.order_by("pk")[:CANDIDATES_MOST])


def mailboxes() -> list[Mailbox]:
    return list(Mailbox.objects.order_by("name")[:10])


def states() -> dict[str, int]:
    """How many mails are in which state, by the index."""
    found = IncomingMail.objects.values_list("state").annotate(count=Count("pk")).order_by("state")
    return dict(found)
