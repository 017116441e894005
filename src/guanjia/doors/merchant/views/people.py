"""The merchant's own people: everybody sees who they are, owners add, change and remove."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import Forbidden, Missing, Refusal
from guanjia.coverage.rules import Verb, access_merchant
from guanjia.doors.merchant.actions import give_role, invite_again, invite_member, part_with
from guanjia.doors.merchant.forms import InviteForm, member_role
from guanjia.doors.merchant.queries.members import people_of, roles
from guanjia.doors.merchant.views.entrance import Shop, enter, status_of
from guanjia.people.actions import Invitation
from guanjia.people.pages import Visit, page


@page("GET", "POST")
def people(visit: Visit, ref: str) -> HttpResponse:
    """POST adds a person. Its answer is the page itself, not a way on: the link in it is nowhere kept."""
    shop, form = enter(visit, ref), InviteForm.blank()
    if visit.request.method != "POST":
        return _shown(visit, shop, form)
    form = InviteForm.read(visit.request.POST)
    try:
        invitation = invite_member(
            actor=visit.user,
            ref=ref,
            username=form.username,
            name=form.name,
            email=form.email,
            role=member_role(form.role),
            now=visit.now,
        )
    except (Missing, Forbidden):
        raise
    except Refusal as refusal:
        return _shown(visit, shop, form, refusal=refusal)
    return _shown(visit, shop, InviteForm.blank(), invitation=invitation)


@page("POST")
def role(visit: Visit, ref: str, member: int) -> HttpResponse:
    shop = enter(visit, ref)
    try:
        wanted = member_role(visit.request.POST.get("role", ""))
        give_role(actor=visit.user, ref=ref, member_id=member, role=wanted, now=visit.now)
    except (Missing, Forbidden):
        raise
    except Refusal as refusal:
        return _shown(visit, shop, InviteForm.blank(), refusal=refusal)
    return visit.go(reverse("door_people", args=[ref]), told=_("身份已改。"))


@page("POST")
def link(visit: Visit, ref: str, member: int) -> HttpResponse:
    """A new link for somebody who lost the first; shown once, as in `people`."""
    shop = enter(visit, ref)
    invitation = invite_again(actor=visit.user, ref=ref, member_id=member, now=visit.now)
    return _shown(visit, shop, InviteForm.blank(), invitation=invitation)


@page("POST")
def remove(visit: Visit, ref: str, member: int) -> HttpResponse:
    shop = enter(visit, ref)
    try:
        part_with(actor=visit.user, ref=ref, member_id=member, now=visit.now)
    except (Missing, Forbidden):
        raise
    except Refusal as refusal:
        return _shown(visit, shop, InviteForm.blank(), refusal=refusal)
    return visit.go(reverse("door_people", args=[ref]), told=_("已移除。他说过和办过的事都还在。"))


def _shown(
    visit: Visit,
    shop: Shop,
    form: InviteForm,
    *,
    refusal: Refusal | None = None,
    invitation: Invitation | None = None,
) -> HttpResponse:
    merchant = access_merchant(actor=visit.user, ref=shop.ref, verb=Verb.SEE, now=visit.now)
    content = {
        "shop": shop,
        "at": "people",
        "people": people_of(merchant, reader=visit.user),
        "roles": roles(),
        "form": form,
        "refusal": refusal,
        "invitation": invitation,
    }
    return visit.render("doors/merchant/people.html", content, status=status_of(refusal))
