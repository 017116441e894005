"""Is the house alive, is it ready; and the pages for what is not there or went wrong."""

from __future__ import annotations

from functools import lru_cache

from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from guanjia.base.http import Fault, NoSuchPath, problem

MACHINE_DOORS = ("/api/", "/hooks/")


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers; nothing else is asked."""
    return _state("ok", 200)


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The database answers and has every table that this code expects."""
    try:
        missing = _expected() - set(MigrationRecorder(connection).applied_migrations())
    except (DatabaseError, InterfaceError):
        return _state("database", 503)
    return _state("migrations", 503) if missing else _state("ok", 200)


def _state(word: str, status: int) -> HttpResponse:
    return JsonResponse({"status": word}, status=status, headers={"Cache-Control": "no-store"})


@lru_cache(maxsize=1)
def _expected() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).disk_migrations)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(MACHINE_DOORS):
        return problem(NoSuchPath(_("没有这个地址。"), hint=_("请核对接口说明。")))
    return render(request, "404.html", status=404)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's token is not this browser's: nothing was done."""
    return render(request, "stale.html", status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    if request.path.startswith(MACHINE_DOORS):
        return problem(Fault(_("系统内部出错，已记录。"), hint=_("请稍后重试；仍不行请联系管家。")))
    return render(request, "500.html", status=500)
