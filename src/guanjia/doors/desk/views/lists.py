"""The lists of the desk: home, and the views that people keep."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import Refusal
from guanjia.cases.actions import delete_view, rename_view, save_view
from guanjia.cases.actions.views import Marks
from guanjia.cases.changing import read_change
from guanjia.doors.desk.desk import desk_of
from guanjia.doors.desk.queries.case import own_tasks
from guanjia.doors.desk.queries.counts import lines
from guanjia.doors.desk.queries.lists import BESIDE, PAGE
from guanjia.doors.desk.queries.macros import marks_to_choose
from guanjia.people.pages import Visit, page

NOTHING_NEW = 204
DIGITS_MOST = 18


@page()
def desk(visit: Visit) -> HttpResponse:
    """The list that the address names, and the visitor's own tasks."""
    shown = desk_of(visit)
    return visit.render("doors/desk/page.html", shown.content(tasks=own_tasks(visit.user), at="list"))


@page()
def fresh(visit: Visit) -> HttpResponse:
    """The open list and the counts, if they are other than what is shown."""
    number = visit.request.GET.get("open", "")
    at = "case" if number else "list"
    shown = desk_of(visit, rows=BESIDE if number else PAGE)
    if visit.request.GET.get("mark") == shown.mark:
        return HttpResponse(status=NOTHING_NEW)
    return visit.render("doors/desk/list_fresh.html", shown.content(open_number=number, fresh=True, at=at))


@page("GET", "POST")
def saved(visit: Visit) -> HttpResponse:
    """The views that somebody keeps, and a form for one more."""
    shown, form, refusal = desk_of(visit), visit.request.POST, None
    if visit.request.method == "POST":
        try:
            view = save_view(
                actor=visit.user,
                name=form.get("name", ""),
                base=form.get("base", ""),
                line=form.get("line", ""),
                words=form.get("words", ""),
                team=_pk(form.get("team", "")),
                marks=Marks(read_change(form.dict()).priority, form.get("kind", ""), form.get("tag", "")),
                now=visit.now,
            )
            return visit.go(f"{reverse('desk')}?saved={view.pk}", told=_("视图已保存。"))
        except Refusal as caught:
            refusal = caught
    content = shown.content(lines=lines(), refusal=refusal, form=form, at="page", **marks_to_choose())
    return visit.render("doors/desk/saved.html", content, status=refusal.status if refusal else 200)


@page("POST")
def change(visit: Visit, pk: int) -> HttpResponse:
    """Rename or delete a view of one's own."""
    if "delete" in visit.request.POST:
        delete_view(actor=visit.user, view=pk, now=visit.now)
        return visit.go(reverse("desk_views"), told=_("视图已删除。"))
    rename_view(actor=visit.user, view=pk, name=visit.request.POST.get("name", ""), now=visit.now)
    return visit.go(reverse("desk_views"), told=_("视图已改名。"))


def _pk(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= DIGITS_MOST else None
