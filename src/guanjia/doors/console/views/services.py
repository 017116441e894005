"""Services: what a line offers, and, where Guanjia hosts it, the writing of it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import Missing, Refusal
from guanjia.base.texts import pick
from guanjia.doors.console.forms.services import ServiceForm, field_set, initial_of, spec_from
from guanjia.doors.console.formtable import read_schema
from guanjia.doors.console.preview import preview
from guanjia.doors.console.queries.lines import service_of, services_of
from guanjia.doors.console.views.lines import show
from guanjia.lines.actions.hosted import publish_service, withdraw_service
from guanjia.lines.actions.joining import read_manifest
from guanjia.lines.models import Line, LineKind, Service
from guanjia.lines.queries import endpoint_of
from guanjia.lines.rules import access_line
from guanjia.lines.visit import visit as call_on
from guanjia.people.actors import actor_of
from guanjia.people.pages import Visit, page

MORE = 5


@page()
def services(visit: Visit, slug: str) -> HttpResponse:
    line = access_line(actor=visit.user, slug=slug)
    return show(visit, line, "services", {"services": services_of(line)})


@page("POST")
def manifest(visit: Visit, slug: str) -> HttpResponse:
    """Read the manifest again, where the line answers."""
    line = access_line(actor=visit.user, slug=slug)
    try:
        found = call_on(endpoint_of(line))
        read_manifest(actor=actor_of(visit.user), line=line, manifest=found, now=visit.now)
    except Refusal as refusal:
        content = {"services": services_of(line), "refusal": refusal}
        return show(visit, line, "services", content, status=refusal.status)
    told = _("已重新读取清单：%(count)d 项服务。") % {"count": len(found.services)}
    return visit.go(reverse("console_services", args=[slug]), told=told)


@page()
def service(visit: Visit, slug: str, code: str) -> HttpResponse:
    """What merchants see of it; its people may change it where Guanjia hosts the line."""
    line = access_line(actor=visit.user, slug=slug)
    found = _service(line, code)
    return show(visit, line, "service", {"service": found, "preview": preview(found.schema)})


@page("GET", "POST")
def edit(visit: Visit, slug: str, code: str = "") -> HttpResponse:
    line = access_line(actor=visit.user, slug=slug)
    _require_hosted(line)
    found = _service(line, code) if code else None
    if visit.request.method == "POST":
        return _typed(visit, line, found)
    form = ServiceForm(initial=initial_of(found) if found else None)
    rows = (read_schema(found.schema) if found else None) or ()
    return _editor(visit, line, found, form, field_set(rows=rows, more=2 if rows else 4))


def _typed(visit: Visit, line: Line, found: Service | None) -> HttpResponse:
    data, do = visit.request.POST.copy(), visit.request.POST.get("do")
    if found is not None:
        data["code"] = found.code
    form, fields = ServiceForm(data), field_set(data)
    if do == "more":
        data["f-TOTAL_FORMS"] = str(len(fields.forms) + MORE)
        return _editor(visit, line, found, form, field_set(data))
    valid = form.is_valid() and (form.cleaned_data["way"] == "json" or fields.is_valid())
    if not valid:
        return _editor(visit, line, found, form, fields, status=422)
    spec = spec_from(form.cleaned_data, _rows(form, fields), found.currency if found else "CNY")
    if do != "publish":
        return _editor(visit, line, found, form, fields, preview=preview(spec.schema))
    try:
        publish_service(actor=visit.user, line=line, service=spec, now=visit.now)
    except Refusal as refusal:
        return _editor(visit, line, found, form, fields, status=refusal.status, refusal=refusal)
    told = _("已发布：%(service)s。") % {"service": pick(spec.titles)}
    return visit.go(reverse("console_service", args=[line.slug, spec.code]), told=told)


def _rows(form: ServiceForm, fields: Any) -> Any:
    return () if form.cleaned_data["way"] == "json" else fields.rows()


def _editor(
    visit: Visit,
    line: Line,
    found: Service | None,
    form: ServiceForm,
    fields: Any,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    content = {"service": found, "form": form, "fields": fields, **more}
    if found is not None and "preview" not in more and not form.is_bound:
        content["preview"] = preview(found.schema)
    return show(visit, line, "edit", content, status=status)


@page("POST")
def withdraw(visit: Visit, slug: str, code: str) -> HttpResponse:
    line = access_line(actor=visit.user, slug=slug)
    found = _service(line, code)
    try:
        withdraw_service(actor=visit.user, service=found, now=visit.now)
    except Refusal as refusal:
        content = {"service": found, "preview": preview(found.schema), "refusal": refusal}
        return show(visit, line, "service", content, status=refusal.status)
    told = _("已停办：%(service)s。已有的预留照常进行。") % {"service": pick(found.titles)}
    return visit.go(reverse("console_services", args=[slug]), told=told)


def _service(line: Line, code: str) -> Service:
    found = service_of(line, code)
    if found is None:
        raise Missing(_("这条业务线没有服务“%(code)s”。") % {"code": code[:60]}, hint=_("请从服务列表里选。"))
    return found


def _require_hosted(line: Line) -> None:
    if line.kind != LineKind.HOSTED:
        raise Missing(_("这条业务线用自己的系统，服务在那里写。"), hint=_("改好后请重新读取清单。"))
