"""The HTTP door of hosted lines: raw requests to the responder of LP/1, and its replies back."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from guanjia.lines.hosted.door import door_of
from guanjia.lines.protocol.errors import ProtocolError
from guanjia.lines.protocol.responder import Reply, problem
from guanjia.lines.protocol.wire import MAX_BODY_BYTES


@csrf_exempt  # every call but the manifest is signed
def answer(request: HttpRequest, slug: str) -> HttpResponse:
    """One call of LP/1 to the hosted line `slug`; 404 `not_found` where there is none."""
    try:
        reply = _reply(request, slug)
    except ProtocolError as error:
        reply = problem(error)
    return HttpResponse(reply.body, status=reply.status, headers=dict(reply.headers))


def _reply(request: HttpRequest, slug: str) -> Reply:
    door = door_of(slug)
    # WSGI hands the path over decoded. Quoted again it is as it was sent, if it is a path of LP/1;
    # any other is answered 401 instead of 404.
    sent = request.get_full_path()
    if door is None or not sent.startswith(door.path):
        raise ProtocolError("not_found", "no such line")
    target = sent.removeprefix(door.path)
    return door.responder.respond(request.method or "", target, request.headers, _body(request))


def _body(request: HttpRequest) -> bytes:
    """The body, cut one byte above the limit: the responder refuses it then."""
    try:
        return request.read(MAX_BODY_BYTES + 1)
    except UnreadablePostError:
        raise ProtocolError("malformed", "the body did not arrive") from None
