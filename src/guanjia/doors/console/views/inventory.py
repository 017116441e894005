"""Inventory of a hosted line: capacity by slot, and many slots opened at once."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guanjia.base.errors import Missing, Refusal
from guanjia.base.texts import pick
from guanjia.doors.console.forms.inventory import OpenForm, changed, today_first
from guanjia.doors.console.queries.inventory import PAGE, known_keys
from guanjia.doors.console.queries.lines import service_of, services_of
from guanjia.doors.console.views.lines import show
from guanjia.lines.actions.hosted import set_capacities
from guanjia.lines.hosted.queries import inventory
from guanjia.lines.models import Line, LineKind, Service
from guanjia.lines.rules import access_line
from guanjia.people.pages import Visit, page


@page()
def first(visit: Visit, slug: str) -> HttpResponse:
    """A line with one service goes to its slots at once."""
    line = _hosted(visit, slug)
    offered = services_of(line, active=True)
    if len(offered) == 1:
        return visit.go(reverse("console_slots", args=[slug, offered[0].code]))
    return show(visit, line, "inventory", {"services": offered})


@page("GET", "POST")
def slots(visit: Visit, slug: str, code: str) -> HttpResponse:
    line = _hosted(visit, slug)
    service = service_of(line, code)
    if service is None:
        raise Missing(_("这条业务线没有服务“%(code)s”。") % {"code": code[:60]}, hint=_("请从服务列表里选。"))
    if visit.request.method == "GET":
        return _table(visit, line, service)
    return _change(visit, line, service)


@page("POST")
def open_slots(visit: Visit, slug: str, code: str) -> HttpResponse:
    line = _hosted(visit, slug)
    service = service_of(line, code)
    if service is None:
        raise Missing(_("这条业务线没有服务“%(code)s”。") % {"code": code[:60]}, hint=_("请从服务列表里选。"))
    form = OpenForm(service, visit.request.POST)
    if not form.is_valid():
        return _table(visit, line, service, form=form, status=422)
    keys, capacity = form.cleaned_data["keys"], form.cleaned_data["capacity"]
    there = known_keys(service, keys)
    wanted = {key: capacity for key in keys if key not in there}
    try:
        set_capacities(actor=visit.user, service=service, capacities=wanted, now=visit.now)
    except Refusal as refusal:
        return _table(visit, line, service, form=form, refusal=refusal, status=refusal.status)
    return visit.go(reverse("console_slots", args=[slug, code]), told=_opened(len(wanted), len(there)))


def _opened(new: int, there: int) -> str:
    told = ngettext("新开了 %(n)d 个档位。", "新开了 %(n)d 个档位。", new) % {"n": new}
    kept = ngettext("%(n)d 个已经有了，没有动。", "%(n)d 个已经有了，没有动。", there) % {"n": there}
    return f"{told}{' ' if there else ''}{kept if there else ''}"


def _change(visit: Visit, line: Line, service: Service) -> HttpResponse:
    after = visit.request.POST.get("after") or None
    page = inventory(service, visit.now, after=after, limit=PAGE)
    typed = visit.request.POST.dict()
    wanted, wrong = changed(typed, {slot.key: slot.capacity for slot in page})
    about: dict[str, Any] = {"after": after, "typed": typed}
    if wrong:
        return _table(visit, line, service, wrong=wrong, status=422, **about)
    try:
        set_capacities(actor=visit.user, service=service, capacities=wanted, now=visit.now)
    except Refusal as refusal:
        by_key = {error.path: error.message for error in refusal.errors}
        return _table(visit, line, service, wrong=by_key, refusal=refusal, status=refusal.status, **about)
    told = ngettext("改了 %(n)d 个档位。", "改了 %(n)d 个档位。", len(wanted)) % {"n": len(wanted)}
    url = reverse("console_slots", args=[line.slug, service.code])
    return visit.go(f"{url}?after={after}" if after else url, told=told)


def _table(visit: Visit, line: Line, service: Service, *, status: int = 200, **more: Any) -> HttpResponse:
    after = more.pop("after", visit.request.GET.get("after")) or None
    found = inventory(service, visit.now, after=after, limit=PAGE + 1)
    typed, wrong = more.pop("typed", {}), more.pop("wrong", {})
    content = {
        "service": service,
        "service_title": pick(service.titles),
        "services": services_of(line, active=True),
        "after": after or "",
        "next": found[PAGE - 1].key if len(found) > PAGE else None,
        "slots": [
            (slot, typed.get(f"c:{slot.key}", slot.capacity), wrong.get(slot.key)) for slot in found[:PAGE]
        ],
        **more,
    }
    content.setdefault("form", today_first(OpenForm(service), localdate(visit.now)))
    return show(visit, line, "slots", content, status=status)


def _hosted(visit: Visit, slug: str) -> Line:
    line = access_line(actor=visit.user, slug=slug)
    if line.kind != LineKind.HOSTED:
        raise Missing(_("这条业务线的名额在它自己的系统里。"), hint=_("请在那里查看。"))
    return line
