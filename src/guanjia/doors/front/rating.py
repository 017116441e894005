"""Rating a case by its link, without signing in.

Looking at the page rates nothing: a mail scanner that follows every link must not speak for a merchant.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from guanjia.base.errors import Refusal
from guanjia.cases.actions import rate_case
from guanjia.cases.models import Case
from guanjia.cases.rating import invited
from guanjia.doors.rating import rated, score_in, scores
from guanjia.people.models import User

GONE, SEE_OTHER = 410, 303


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def rate(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST rates and comes back with thanks."""
    asked = _asked(token)
    if asked is None:
        return render(request, "doors/front/rate_over.html", status=GONE)
    case, member = asked
    if request.method != "POST":
        return _page(request, case, score_in(request.GET), None)
    score, words = score_in(request.POST), request.POST.get("words", "")
    try:
        rate_case(actor=member, number=case.number, score=score, words=words, now=timezone.now())
    except Refusal as refusal:
        return _page(request, case, score, refusal)
    return HttpResponseRedirect(reverse("rate", args=[token]), status=SEE_OTHER)


def _asked(token: str) -> tuple[Case, User] | None:
    """The case and the member that a link is about, if both are still there."""
    found = invited(token)
    if found is None:
        return None
    case = Case.objects.select_related("merchant").filter(pk=found.case).first()
    member = User.objects.filter(pk=found.member, is_active=True).first()
    known = case and member and case.merchant.members.filter(user=member).exists()
    return (case, member) if case and member and known else None


def _page(request: HttpRequest, case: Case, score: int, refusal: Refusal | None) -> HttpResponse:
    content = {
        "case": case,
        "rated": rated(case.pk),
        "chosen": score,
        "scores": scores(),
        "refusal": refusal,
        "typed": request.POST.get("words", ""),
    }
    return render(request, "doors/front/rate.html", content, status=refusal.status if refusal else 200)
