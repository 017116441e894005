"""Coming in for the first time, by the link of an invitation."""

from __future__ import annotations

from allauth.account.utils import perform_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from guanjia.base.errors import BadInput, FieldError, Refusal
from guanjia.people.actions import accept_invitation
from guanjia.people.queries import invited_by_link

GONE = 410


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    user = invited_by_link(uid, token)
    if user is None:
        return render(request, "people/link_used.html", status=GONE)
    content: dict[str, object] = {"invited": user}
    if request.method == "POST":
        try:
            user = accept_invitation(uid=uid, token=token, password=twice(request), now=timezone.now())
        except Refusal as refusal:
            return render(
                request, "people/welcome.html", content | {"refusal": refusal}, status=refusal.status
            )
        answer: HttpResponse = perform_login(request, user, email_verification="none")
        return answer
    return render(request, "people/welcome.html", content)


def twice(request: HttpRequest) -> str:
    """The password that was typed twice. Raises BadInput when the two differ."""
    first, second = request.POST.get("password", ""), request.POST.get("again", "")
    if first != second:
        wrong = FieldError("/again", _("再输一次"), _("和上面的不一样。"))
        raise BadInput(_("两次输入的密码不一样。"), errors=[wrong])
    return first
