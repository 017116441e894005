from __future__ import annotations

from django.conf import settings
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from guanjia.demo.switch import person_of
from guanjia.people.pages import SEE_OTHER


@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Sign in as one of the cast without a password: in the demo only, elsewhere there is no such page."""
    person = person_of(request.POST.get("person", "")) if settings.DEMO else None
    if person is None:
        raise Http404
    login(request, person)
    return HttpResponseRedirect(reverse("home"), status=SEE_OTHER)
