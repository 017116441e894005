"""The doors of packages: the API, the lines' webhook, and a package's page."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from guanjia.base.errors import Missing
from guanjia.base.http import answer, created, guarded, problem_document, read_body
from guanjia.coverage.rules import Verb
from guanjia.lines.protocol.errors import ProtocolError
from guanjia.lines.protocol.messages import DecisionNotice
from guanjia.lines.protocol.signing import verify_webhook
from guanjia.lines.protocol.wire import MAX_BODY_BYTES, parse_body
from guanjia.lines.queries import endpoint_of
from guanjia.packages.actions import (
    accept_package,
    answer_proposal,
    cancel_package,
    receive_decision,
    request_package,
    settle_item_by_hand,
)
from guanjia.packages.forms import Answer, ByHand, CatalogueRequest, PackageRequest
from guanjia.packages.history import history
from guanjia.packages.links import opens, page_path
from guanjia.packages.queries import catalogue, line_by_slug, look, package_by_number
from guanjia.packages.rules import access_package
from guanjia.people.door import Call, api

REFRESH_SECONDS = 5

# --- the API ------------------------------------------------------------------------------------


@api("POST")
def request(call: Call, number: str) -> HttpResponse:
    """`POST /api/cases/{number}/packages`: ask for a package; one effect per Idempotency-Key."""
    wanted = PackageRequest.read(call.content())
    package = request_package(
        actor=call.user,
        case_number=number,
        mode=wanted.mode,
        items=wanted.items,
        accept_total=wanted.accept_total,
        idempotency_key=call.key,
        now=call.now,
    )
    return created(look(package), replayed=package.created_at != call.now)


@api("GET")
def show(call: Call, number: str) -> HttpResponse:
    """`GET /api/packages/{number}`: the package as it is now."""
    return answer(look(access_package(actor=call.user, number=number, verb=Verb.SEE, now=call.now)))


@api("POST")
def accept(call: Call, number: str) -> HttpResponse:
    """`POST /api/packages/{number}/accept`: the merchant's yes to a total in minor units."""
    total = call.content().integer("total")
    return answer(look(accept_package(actor=call.user, number=number, total=total, now=call.now)))


@api("POST")
def answer_it(call: Call, number: str) -> HttpResponse:
    """`POST /api/packages/{number}/answer`: no to some items, yes to the rest at a total."""
    wanted = Answer.read(call.content())
    package = answer_proposal(
        actor=call.user, number=number, declined=wanted.declined, total=wanted.total, now=call.now
    )
    return answer(look(package))


@api("POST")
def cancel(call: Call, number: str) -> HttpResponse:
    """`POST /api/packages/{number}/cancel`: give the package up. A body is not needed."""
    return answer(look(cancel_package(actor=call.user, number=number, now=call.now)))


@api("POST")
def by_hand(call: Call, number: str, position: int) -> HttpResponse:
    """`POST /api/packages/{number}/items/{position}/by-hand`: confirmed, waived or retry."""
    outcome = call.content().choice("outcome", ByHand)
    package = settle_item_by_hand(
        actor=call.user, number=number, position=position, outcome=outcome.value, now=call.now
    )
    return answer(look(package))


@api("GET")
def services(call: Call) -> HttpResponse:
    """`GET /api/services`: what all open lines offer, page by page."""
    wanted = CatalogueRequest.read(call.request.GET)
    return answer(catalogue(after=wanted.after, limit=wanted.limit))


# --- the lines' webhook -------------------------------------------------------------------------


@csrf_exempt  # signed
def decision(request: HttpRequest, slug: str) -> HttpResponseBase:
    """`POST /hooks/lines/{slug}`: a line's signed word about a pending hold (LP/1 §5)."""
    return guarded(request, "POST", lambda: _decision(request, slug))


def _decision(request: HttpRequest, slug: str) -> HttpResponse:
    line, now = line_by_slug(slug), timezone.now()
    body = read_body(request, most=MAX_BODY_BYTES)
    try:
        verify_webhook(endpoint_of(line).secret, request.headers, body, now)
        notice = DecisionNotice.from_json(parse_body(body))
        if notice.line != line.slug:
            raise ProtocolError("malformed", "/data/line: another line than the one that signed")
    except ProtocolError as error:
        return problem_document(error.to_json(), error.status)
    receive_decision(line=line, hold=notice.hold, now=now)
    return HttpResponse(status=204)


# --- pages --------------------------------------------------------------------------------------


@require_safe
def page(request: HttpRequest, number: str) -> HttpResponse:
    """One package, for whoever holds its link; to anybody else it does not exist."""
    if not opens(number, request.GET.get("key", "")):
        raise Http404
    try:
        package = package_by_number(number)
    except Missing as missing:  # a link from before the database was emptied
        raise Http404 from missing
    seen, moving = look(package), "still" not in request.GET
    content = {
        "package": seen,
        "history": history(package),
        "now": timezone.now(),
        "moving": moving,
        "path": page_path(number),
    }
    response = render(request, "packages/page.html", content)
    response.headers["Cache-Control"] = "no-store, private"
    response.headers["X-Robots-Tag"] = "noindex"
    if moving and not seen.ended:
        # As a header: the same in a <meta> element fails WCAG 2.2.1 (F41). The page offers to stop it.
        response.headers["Refresh"] = str(REFRESH_SECONDS)
    return response
