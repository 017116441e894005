"""The front page: for strangers what this house is, for everybody else the way to their own door."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from guanjia.doors.homes import homes_of
from guanjia.packages.health import open_lines
from guanjia.packages.links import page_path
from guanjia.packages.queries import latest


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """What this house is, which lines are open, and what it promises."""
    if request.user.is_authenticated and (homes := homes_of(request.user)):
        return redirect(homes[0].url)
    shown = latest() if settings.DEBUG or settings.DEMO else []
    packages = [(package, page_path(package.number)) for package in shown]
    return render(request, "doors/front/page.html", {"lines": open_lines(), "packages": packages})
