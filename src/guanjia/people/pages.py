"""Who comes through the doors for people: a signed-in person with a browser."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone

from guanjia.base.errors import Missing, Refusal
from guanjia.people.models import User

log = logging.getLogger("guanjia.pages")

P = ParamSpec("P")
SEE_OTHER = 303


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a signed-in person; `now` is the instant it counts as."""

    request: HttpRequest
    user: User
    now: datetime

    @property
    def partial(self) -> bool:
        """htmx asks for a part of the page, to put it into the one that is open."""
        return "HX-Request" in self.request.headers

    def render(self, template: str, content: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
        """A page nobody else may keep. `user` and `now` are always in its context."""
        context = {"user": self.user, "now": self.now, **content}
        response = render(self.request, template, context, status=status)
        response.headers["Cache-Control"] = "no-store, private"
        return response

    def go(self, url: str, *, told: str = "") -> HttpResponse:
        """After a write: on to a page that can be reloaded, with a word about what was done."""
        if told:
            messages.success(self.request, told)
        return HttpResponseRedirect(url, status=SEE_OTHER)


View = Callable[Concatenate[Visit, P], HttpResponse]
Page = Callable[Concatenate[HttpRequest, P], HttpResponse]


def page(*methods: str) -> Callable[[View[P]], Page[P]]:
    """A page for signed-in people; without methods it is read only.

    A stranger is sent to sign in and comes back; a refusal that the view does not put beside its form
    becomes a page of its own, with the status that the refusal has everywhere.
    """
    allowed = methods or ("GET",)

    def decorate(view: View[P]) -> Page[P]:
        @wraps(view)
        def door(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if (request.method if request.method != "HEAD" else "GET") not in allowed:
                return HttpResponseNotAllowed(allowed)
            if not isinstance(request.user, User):
                return _to_sign_in(request)
            visit = Visit(request, request.user, timezone.now())
            try:
                return view(visit, *args, **kwargs)
            except Refusal as refusal:
                return _refused(visit, refusal)
            except (OperationalError, InterfaceError):
                log.exception("database: %s %s", request.method, request.path)
                return _busy()

        return door

    return decorate


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """A part of a page must not become the sign-in page: there, the whole page is asked for again."""
    if "HX-Request" in request.headers:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return redirect_to_login(request.get_full_path())


def _busy() -> HttpResponse:
    """Rendered without the request: to show who is signed in would ask the database again."""
    return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": "2"})


def _refused(visit: Visit, refusal: Refusal) -> HttpResponse:
    template = "404.html" if isinstance(refusal, Missing) else "refused.html"
    return visit.render(template, {"refusal": refusal}, status=refusal.status)
