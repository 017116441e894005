"""The machine door: JSON in, JSON out, every refusal as a problem of RFC 9457.

Nothing here reads a cookie, so a foreign page cannot act for anybody: CSRF does not arise.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Refusal
from guanjia.base.inputs import Malformed

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

log = logging.getLogger("guanjia.http")

MAX_BODY_BYTES = 1024 * 1024
KEY_MOST = 200


class BodyTooLarge(Refusal):
    code = "body_too_large"
    status = 413


class NoToken(Refusal):
    code = "unauthenticated"
    status = 401


class WrongMethod(Refusal):
    code = "method_not_allowed"
    status = 405


class NoSuchPath(Refusal):
    code = "not_found"
    status = 404


class Fault(Refusal):
    """Ours, not the caller's: it goes to the log with its traceback, and out without."""

    code = "internal_error"
    status = 500


class Busy(Refusal):
    code = "unavailable"
    status = 503


_WITH: Mapping[str, Mapping[str, str]] = {
    NoToken.code: {"WWW-Authenticate": "Bearer"},
    Busy.code: {"Retry-After": "2"},
}
"""Headers that HTTP wants with an error."""


def answer(content: DataclassInstance, *, status: int = 200) -> JsonResponse:
    """A dataclass as JSON that nobody keeps; its fields are what the interface promises."""
    return _json(dataclasses.asdict(content), status)


def created(content: DataclassInstance, *, replayed: bool) -> JsonResponse:
    """201, also for a repeat under the same idempotency key, which a header tells apart."""
    response = answer(content, status=201)
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def problem(refusal: Refusal) -> JsonResponse:
    """RFC 9457 with the extra members `code` (stable), `hint` and `errors` (`field` is a JSON pointer)."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(refusal.status).phrase,
        "status": refusal.status,
        "code": refusal.code,
        "detail": refusal.message,
    }
    if refusal.hint:
        content["hint"] = refusal.hint
    if refusal.errors:
        content["errors"] = [
            {"field": e.path, "label": e.label, "message": e.message} for e in refusal.errors
        ]
    response = problem_document(content, refusal.status)
    for name, value in _WITH.get(refusal.code, {}).items():
        response.headers[name] = value
    return response


def problem_document(content: dict[str, Any], status: int) -> JsonResponse:
    """A finished problem object, for those who have one of their own (LP/1 §7)."""
    response = _json(content, status)
    response.headers["Content-Type"] = "application/problem+json"
    return response


def _json(content: dict[str, Any], status: int) -> JsonResponse:
    response = JsonResponse(content, status=status, json_dumps_params={"ensure_ascii": False})
    response.headers["Cache-Control"] = "no-store"
    return response


def guarded(request: HttpRequest, method: str, view: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """Run a view of the machine door: whatever goes wrong comes out as a problem, never as a traceback."""
    try:
        if request.method != method and (method, request.method) != ("GET", "HEAD"):
            return _wrong_method(method)
        return view()
    except Refusal as refusal:
        return problem(refusal)
    except (OperationalError, InterfaceError):
        log.exception("database: %s %s", request.method, request.path)
        return problem(Busy(_("系统暂时忙不过来。"), hint=_("请稍后用同一个幂等键重试。")))
    except Exception:
        log.exception("%s %s", request.method, request.path)
        return problem(Fault(_("系统内部出错，已记录。"), hint=_("请稍后重试；仍不行请联系管家。")))


def _wrong_method(method: str) -> HttpResponse:
    refusal = WrongMethod(_("这个地址只接受 %(method)s。") % {"method": method}, hint=_("请核对接口说明。"))
    response = problem(refusal)
    response.headers["Allow"] = method
    return response


def read_body(request: HttpRequest, *, most: int = MAX_BODY_BYTES) -> bytes:
    """The raw body. Its length is checked before any of it is read. Raises BodyTooLarge, Malformed."""
    if _length(request) > most:
        raise BodyTooLarge(_("请求内容太大。"), hint=_("最多 %(most)d KB。") % {"most": most // 1024})
    try:
        return request.body
    except UnreadablePostError:
        raise Malformed(_("请求没有传完。"), hint=_("请重试。")) from None


def _length(request: HttpRequest) -> int:
    """As Django reads it: it takes no more than this from the stream."""
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def bearer_token(request: HttpRequest) -> str:
    """Raises NoToken when there is none."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise no_token()
    return token.strip()


def no_token() -> NoToken:
    """Missing, unknown and expired are not told apart."""
    return NoToken(
        _("没有有效的访问令牌。"), hint=_("请在 Authorization 头里放 Bearer 令牌，或换一个未过期的。")
    )


def idempotency_key(request: HttpRequest) -> str | None:
    """The caller's name for this one request, or None. Raises BadInput."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 0 < len(key) <= KEY_MOST or not key.isascii() or not key.isprintable():
        raise BadInput(
            _("Idempotency-Key 不合要求。"),
            hint=_("请用 1 到 %(most)d 个可见的 ASCII 字符，例如一个 UUID。") % {"most": KEY_MOST},
        )
    return key
