"""The marks of a case, changed in place, and the tags that there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Missing, Refusal
from guanjia.cases.actions import set_kind, set_priority, set_tags, unwatch_case, watch_case
from guanjia.cases.marking import tag_names
from guanjia.doors.desk.queries.marks import named_like, person_named, tags_like
from guanjia.doors.desk.rules import at_desk
from guanjia.doors.desk.showing import show_case
from guanjia.people.pages import Visit, page


@page("POST")
def mark(visit: Visit, number: str, what: str) -> HttpResponse:
    """Priority, kind, tags, and who follows the case."""
    if what not in _MARKS:
        raise Missing(_("没有这个动作。"), hint=_("请从页面上的按钮里选。"))
    try:
        changed = _MARKS[what](visit, number)
    except Missing:
        raise
    except Refusal as refusal:
        return show_case(visit, number, refusal=refusal)
    query = visit.request.GET.urlencode()
    url = reverse("desk_case", args=[number]) + (f"?{query}" if query else "")
    return visit.go(url + "#marks", told=_("已改。") if changed else "")


def _priority(visit: Visit, number: str) -> bool:
    asked = visit.request.POST.get("priority", "")
    value = int(asked) if asked.isdecimal() and len(asked) < 3 else 0
    return set_priority(actor=visit.user, number=number, priority=value, now=visit.now)


def _kind(visit: Visit, number: str) -> bool:
    return set_kind(actor=visit.user, number=number, kind=visit.request.POST.get("kind", ""), now=visit.now)


def _tags(visit: Visit, number: str) -> bool:
    form = visit.request.POST
    add, remove = tag_names(form.get("tags", "")), tag_names(form.get("untag", ""))
    if not (add or remove):
        raise BadInput(_("没有写标签。"), hint=_("写一个或几个，用逗号隔开。"))
    return set_tags(actor=visit.user, number=number, add=add, remove=remove, now=visit.now)


def _watch(visit: Visit, number: str) -> bool:
    return watch_case(actor=visit.user, number=number, now=visit.now)


def _add(visit: Visit, number: str) -> bool:
    who = person_named(visit.user, number, visit.request.POST.get("who", ""), visit.now)
    return watch_case(actor=visit.user, number=number, who=who, now=visit.now)


def _unwatch(visit: Visit, number: str) -> bool:
    return unwatch_case(actor=visit.user, number=number, now=visit.now)


_MARKS: Mapping[str, Callable[[Visit, str], bool]] = {
    "priority": _priority,
    "kind": _kind,
    "tags": _tags,
    "watch": _watch,
    "watcher": _add,
    "unwatch": _unwatch,
}


@page()
def tags(visit: Visit) -> HttpResponse:
    """The first tags that begin with what is typed: for the last of several."""
    at_desk(visit.user)
    typed = visit.request.GET.get("tags") or visit.request.GET.get("tag", "")
    return visit.render("doors/desk/tag_options.html", {"options": tags_like(typed)})


@page()
def people(visit: Visit, number: str) -> HttpResponse:
    """The first colleagues, by name, who may see the case's merchant and whose name holds what is typed."""
    found = named_like(visit.user, number, visit.request.GET.get("who", ""), visit.now)
    return visit.render("doors/desk/who_options.html", {"options": found})
