"""How many cases each view holds: bounded, and all views in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from guanjia.base.sql import prepared
from guanjia.base.texts import pick
from guanjia.cases.models import SavedView
from guanjia.doors.desk.queries.lists import LOOK, Wanted, found_in, values
from guanjia.doors.desk.rules import Scope
from guanjia.lines.models import Line

SAVED_MOST = 20


@dataclass(frozen=True, slots=True)
class View:
    """A view with its count as people read it; a saved one has its `pk`, `own` when it may be changed."""

    key: str
    title: str
    count: str
    url: str
    pk: int | None = None
    own: bool = False
    team: str = ""


@dataclass(frozen=True, slots=True)
class Views:
    base: tuple[View, ...]
    saved: tuple[View, ...]


def titles() -> dict[str, str]:
    """The views that every desk has."""
    return {
        "mine": _("我负责的"),
        "soon": _("快超时"),
        "late": _("已超时"),
        "line": _("等业务线的"),
        "merchant": _("等商家的"),
        "watched": _("我关注的"),
        "team": _("专班的"),
        "pool": _("共享池的"),
        "solved": _("最近办结"),
    }


def saved_views(scope: Scope) -> list[SavedView]:
    """Those of this person and of their teams, SAVED_MOST of them."""
    mine = Q(owner=scope.user) | Q(team__in=scope.team_ids)
    return list(SavedView.objects.select_related("team").filter(mine).order_by("name", "pk")[:SAVED_MOST])


def wanted_of(saved: SavedView) -> Wanted:
    return Wanted(
        view=saved.base,
        line=saved.line_id,
        words=saved.words,
        priority=saved.priority,
        kind=saved.kind,
        tag=saved.tag_id,
        saved=saved.pk,
    )


def counted(scope: Scope, saved: Sequence[SavedView], now: datetime) -> Views:
    """Counts up to LOOK of every view, in one statement."""
    wanted = [Wanted(key) for key in titles()] + [wanted_of(one) for one in saved]
    parts, given = zip(*(_part(n, scope, one, now) for n, one in enumerate(wanted)), strict=True)
    merged = {name: value for one in given for name, value in one.items()}
    [found] = prepared("SELECT " + ", ".join(parts), merged)
    own = [
        View(key, title, _text(count), f"?view={key}")
        for (key, title), count in zip(titles().items(), found, strict=False)
    ]
    kept = [_saved(one, count, scope) for one, count in zip(saved, found[len(own) :], strict=True)]
    return Views(tuple(own), tuple(kept))


def _part(n: int, scope: Scope, wanted: Wanted, now: datetime) -> tuple[str, dict[str, Any]]:
    """`(SELECT count(*) …)` with parameters of its own where it is narrowed."""
    found, given = found_in(replace(wanted, after=None), most=LOOK), values(scope, wanted, now)
    for name in ("line", "like", "priority", "kind", "tag"):
        found = found.replace(f"%({name})s", f"%({name}{n})s")
        given[f"{name}{n}"] = given.pop(name)
    return f"(SELECT count(*) FROM (SELECT FROM ({found}) f LIMIT {LOOK}) n)", given  # noqa: S608


def _text(count: int) -> str:
    return "999+" if count >= LOOK else str(count)


def _saved(one: SavedView, count: int, scope: Scope) -> View:
    team = one.team.name if one.team else ""
    return View(
        f"saved-{one.pk}",
        one.name,
        _text(count),
        f"?saved={one.pk}",
        one.pk,
        one.owner_id == scope.user,
        team,
    )


def lines() -> list[tuple[str, str]]:
    """Open lines by slug and title, to narrow a view."""
    return [
        (line.slug, pick(line.titles)) for line in Line.objects.filter(active=True).order_by("slug")[:100]
    ]
