"""Mail that came in: what waits for a person, and what became of the rest."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import Forbidden, Missing, Refusal
from guanjia.doors.lead.rules import require_lead
from guanjia.people.pages import Visit, page
from guanjia.post.mail.actions import drop_mail, take_in_as
from guanjia.post.mail.queries import mailboxes, mails, one_mail
from guanjia.post.models import MailState

SHOWS = (MailState.HELD, MailState.TAKEN, MailState.NOTED, MailState.RETURNED, MailState.DROPPED)
DIGITS_MOST = 18


@page()
def listed(visit: Visit) -> HttpResponse:
    """`?show=held|taken|noted|returned|dropped`; what waits for a person comes first."""
    require_lead(visit.user)
    query = visit.request.GET
    show, after = query.get("show", MailState.HELD), query.get("after", "")
    if show not in SHOWS:
        raise Missing(_("没有这一段列表。"), hint=_("请从页面上的分段里选。"))
    start = int(after) if after.isascii() and after.isdecimal() and len(after) <= DIGITS_MOST else 0
    found, following = mails(show=show, after=start)
    content = {
        "show": show,
        "shows": [(one.value, _(one.label)) for one in SHOWS],
        "mails": found,
        "next": following,
        "boxes": mailboxes(),
    }
    return visit.render("doors/lead/mail/page.html", content)


@page("GET", "POST")
def mail(visit: Visit, pk: int) -> HttpResponse:
    """One mail; POST takes it in as somebody's, or as a note, or drops it."""
    require_lead(visit.user)
    refusal: Refusal | None = None
    form = visit.request.POST
    if visit.request.method == "POST":
        try:
            return _done(visit, pk)
        except (Missing, Forbidden) as refused:
            if not form.get("number"):
                raise
            refusal = refused
        except Refusal as refused:
            refusal = refused
    look, content, people = one_mail(pk)
    context = {
        "mail": look,
        "content": content,
        "people": people,
        "waits": look.state in (MailState.HELD, MailState.NOTED),
        "form": {
            "number": form.get("number", look.case),
            **{n: form.get(n, "") for n in ("person", "merchant")},
        },
        "refusal": refusal,
    }
    return visit.render("doors/lead/mail/mail.html", context, status=refusal.status if refusal else 200)


def _done(visit: Visit, pk: int) -> HttpResponse:
    form = visit.request.POST
    if "drop" in form:
        drop_mail(actor=visit.user, mail=pk, now=visit.now)
        return visit.go(reverse("lead_mail"), told=_("不收这封邮件。"))
    given = {name: form.get(name, "").replace("\x00", "")[:80] for name in ("person", "number", "merchant")}
    case = take_in_as(actor=visit.user, mail=pk, now=visit.now, **given)
    return visit.go(reverse("lead_mail"), told=_("已收进 %(number)s。") % {"number": case.number})
