"""My account: one page; each of its forms has an address of its own and comes back here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.debug import sensitive_post_parameters

from guanjia.base.errors import BadInput, FieldError, Refusal
from guanjia.people import actions
from guanjia.people.actors import actor_of
from guanjia.people.adapters import speak
from guanjia.people.content import account_content
from guanjia.people.forms import label_of
from guanjia.people.pages import Visit, page
from guanjia.people.queries import session_keys
from guanjia.people.views.entrance import twice

TEMPLATE = "people/account.html"


@page()
def account(visit: Visit) -> HttpResponse:
    return _show(visit)


def _show(visit: Visit, *, status: int = 200, **more: object) -> HttpResponse:
    content: Mapping[str, Any] = account_content(visit.user, visit.request.session.session_key, visit.now)
    return visit.render(TEMPLATE, {**content, "typed": visit.request.POST, **more}, status=status)


def _refused(visit: Visit, part: str, refusal: Refusal) -> HttpResponse:
    return _show(visit, status=refusal.status, refused=part, refusal=refusal)


@page("POST")
def person(visit: Visit) -> HttpResponse:
    given = visit.request.POST
    name, language = given.get("name", ""), given.get("language", "")
    try:
        actions.change_person(
            actor=actor_of(visit.user), user=visit.user, name=name, language=language, now=visit.now
        )
    except Refusal as refusal:
        return _refused(visit, "person", refusal)
    with override(language):
        answer = visit.go(reverse("account"), told=_("姓名和语言已保存。"))
    speak(answer, language)
    return answer


@sensitive_post_parameters()
@page("POST")
def password(visit: Visit) -> HttpResponse:
    user, request = visit.user, visit.request
    try:
        _require_current(visit)
        actions.change_password(actor=actor_of(user), user=user, password=twice(request), now=visit.now)
    except Refusal as refusal:
        return _refused(visit, "password", refusal)
    update_session_auth_hash(request, user)
    UserSession.objects.create_from_request(request)
    return visit.go(reverse("account") + "#password", told=_("密码已更换，其他地方都已退出登录。"))


def _require_current(visit: Visit) -> None:
    """Who has a password says it once more; wrong ones count, as they do at the door."""
    if not visit.user.has_usable_password():
        return
    label = _("现在的密码")
    try:
        right = get_adapter().reauthenticate(visit.user, visit.request.POST.get("current", ""))
    except ValidationError as error:
        raise BadInput(error.messages[0], errors=[]) from None
    if not right:
        raise BadInput(_("密码没有更换。"), errors=[FieldError("/current", label, _("不对。"))])


@page("POST")
def sessions(visit: Visit) -> HttpResponse:
    """End the one that is named, or all but this one."""
    here = visit.request.session.session_key
    chosen = visit.request.POST.get("session")
    keys = session_keys(visit.user, chosen) if chosen else session_keys(visit.user)
    others = [key for key in keys if key != here]
    ended = actions.end_sessions(actor=actor_of(visit.user), user=visit.user, keys=others, now=visit.now)
    told = _("已在 %(count)d 处退出登录。") % {"count": ended}
    return visit.go(reverse("account") + "#sessions", told=told if ended else _("那里已经退出了。"))


@page("POST")
def issue(visit: Visit) -> HttpResponse:
    """The token is in the answer itself, and nowhere else."""
    try:
        label = label_of(visit.request.POST.get("label", ""))
    except Refusal as refusal:
        return _refused(visit, "tokens", refusal)
    token = actions.issue_token(actor=actor_of(visit.user), user=visit.user, label=label, now=visit.now)
    return _show(visit, token=token, token_label=label)


@page("POST")
def revoke(visit: Visit, token_id: int) -> HttpResponse:
    actions.revoke_token(actor=actor_of(visit.user), user=visit.user, token_id=token_id, now=visit.now)
    return visit.go(reverse("account") + "#tokens", told=_("令牌已作废。"))
