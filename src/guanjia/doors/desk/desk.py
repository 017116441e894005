"""What stands around every page of the desk: the views with their counts, and the list that is open."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest

from guanjia.base.moments import countdown
from guanjia.cases.models import SavedView
from guanjia.cases.rules import VIEWS
from guanjia.doors.desk.queries.counts import Views, counted, saved_views, wanted_of
from guanjia.doors.desk.queries.lists import PAGE, Listing, Wanted, behind, listing
from guanjia.doors.desk.rules import Scope, at_desk
from guanjia.people.pages import Visit


@dataclass(frozen=True, slots=True)
class Desk:
    """`query` names the open list in an address; `mark` changes with what is shown of it."""

    scope: Scope
    wanted: Wanted
    saved: list[SavedView]
    views: Views
    listing: Listing
    query: str
    mark: str

    def content(self, **more: Any) -> dict[str, Any]:
        """What the templates around every page of the desk need."""
        return {"desk": self, "key": self.key, "query": self.query, **more}

    @property
    def key(self) -> str:
        return f"saved-{self.wanted.saved}" if self.wanted.saved else self.wanted.view

    @property
    def title(self) -> str:
        """Of the open list."""
        every = [*self.views.base, *self.views.saved]
        return next((view.title for view in every if view.key == self.key), "")


def desk_of(visit: Visit, wanted: Wanted | None = None, *, rows: int = PAGE) -> Desk:
    """The desk of a visitor, with the list that the address names; four statements. Raises Forbidden."""
    scope = at_desk(visit.user)
    saved = saved_views(scope)
    shown = wanted or _wanted(visit.request, saved)
    views = counted(scope, saved, visit.now)
    page = listing(scope, shown, visit.now, most=rows)
    query = f"saved={shown.saved}" if shown.saved else f"view={shown.view}"
    desk = Desk(scope, shown, saved, views, page, query, "")
    return replace(desk, mark=_mark(desk, visit))


def _wanted(request: HttpRequest, saved: list[SavedView]) -> Wanted:
    """An address that names no list of theirs shows the first one."""
    by_pk = {str(one.pk): one for one in saved}
    chosen = by_pk.get(request.GET.get("saved", ""))
    view = request.GET.get("view", "")
    wanted = wanted_of(chosen) if chosen else Wanted(view if view in VIEWS else "mine")
    return behind(wanted, request.GET.get("after", ""))


def _mark(desk: Desk, visit: Visit) -> str:
    shown = [(row, countdown(row.due_at, visit.now) if row.due_at else "") for row in desk.listing.rows]
    return hashlib.sha256(repr((shown, desk.views)).encode()).hexdigest()[:16]
