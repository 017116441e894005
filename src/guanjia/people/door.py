"""Who comes through the machine door: a bearer token stands for a person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from guanjia.base.http import bearer_token, guarded, idempotency_key, no_token, read_body
from guanjia.base.inputs import Members, read_object
from guanjia.people.models import User
from guanjia.people.queries import user_of_token

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a known person. `key` is its Idempotency-Key, `now` the instant it counts as."""

    request: HttpRequest
    user: User
    now: datetime
    key: str | None

    def content(self) -> Members:
        """The JSON object in its body; raises BodyTooLarge, Malformed, BadInput."""
        return read_object(read_body(self.request))


View = Callable[Concatenate[Call, P], HttpResponse]
Door = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def api(method: str) -> Callable[[View[P]], Door[P]]:
    """A view of the API: one method, a bearer token, JSON both ways, refusals as problems."""

    def decorate(view: View[P]) -> Door[P]:
        @wraps(view)
        def door(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            return guarded(request, method, lambda: view(_call(request), *args, **kwargs))

        return csrf_exempt(door)  # no cookie is read

    return decorate


def _call(request: HttpRequest) -> Call:
    now = timezone.now()
    user = user_of_token(bearer_token(request), now=now)
    if user is None:
        raise no_token()
    return Call(request, user, now, idempotency_key(request))
